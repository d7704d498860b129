#include "common/log/log.h"

#include <cmath>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "common/json/safe_json.h"
#include "common/status/status_matchers.h"
#include "common/sync/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::log {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class LogTest : public testing::Test {
 protected:
  void Start(Format format, Level level = Level::kInfo) {
    ASSERT_OK(Init({.level = level, .format = format, .service = "test", .sink = [this](auto line) {
                      MutexLock lock(&mutex_);
                      lines_.emplace_back(line);
                    }}));
  }
  void TearDown() override { ASSERT_OK(Init({})); }

  json::Node LastAsJson() { return json::ParseJson(lines_.back()).value(); }

  Mutex mutex_;
  std::vector<std::string> lines_;
};

TEST_F(LogTest, WritesJsonOfEveryType) {
  Start(Format::kJson);
  Info("trace \"stored\"\n", {{"text", "a\tb"},
                              {"int", -3},
                              {"big", UINT64_MAX},
                              {"number", 0.5},
                              {"nan", std::nan("")},
                              {"yes", true},
                              {"took", absl::Milliseconds(1500)},
                              {"for_ever", absl::InfiniteDuration()},
                              {"at", absl::UnixEpoch()},
                              {"status", absl::NotFoundError("no x")}});
  const json::Node line = LastAsJson();
  EXPECT_EQ(line.Find("message")->text, "trace \"stored\"\n");
  EXPECT_EQ(line.Find("level")->text, "info");
  EXPECT_EQ(line.Find("service")->text, "test");
  EXPECT_EQ(line.Find("text")->text, "a\tb");
  EXPECT_EQ(line.Find("int")->AsInt64(), -3);
  EXPECT_EQ(line.Find("big")->text, "18446744073709551615");
  EXPECT_EQ(line.Find("number")->AsDouble(), 0.5);
  EXPECT_TRUE(line.Find("nan")->is_null());
  EXPECT_EQ(line.Find("yes")->AsBool(), true);
  EXPECT_EQ(line.Find("took")->AsDouble(), 1.5);
  EXPECT_TRUE(line.Find("for_ever")->is_null());
  EXPECT_EQ(line.Find("at")->text, "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(line.Find("status")->text, "NOT_FOUND: no x");
}

TEST_F(LogTest, WritesTextOnOneLine) {
  Start(Format::kText);
  Warning("two\nlines",
          {{"id", "t1"}, {"why", "it is \"so\"\n"}, {"n", 3}, {"took", absl::Seconds(2)}});
  ASSERT_THAT(lines_, SizeIs(1));
  EXPECT_THAT(lines_[0], EndsWith(R"( warning two lines id=t1 why="it is \"so\"\n" n=3 took=2s)"));
}

TEST_F(LogTest, FollowsTheLevelAtRunTime) {
  Start(Format::kText, Level::kError);
  Warning("no");
  SetLevel(Level::kDebug);
  EXPECT_EQ(CurrentLevel(), Level::kDebug);
  Debug("yes");
  SetLevel(Level::kOff);
  Error("no");
  EXPECT_THAT(lines_, ElementsAre(EndsWith("debug yes")));
}

TEST_F(LogTest, SurvivesBadTextAndThrowingSinks) {
  Start(Format::kJson);
  Info("\xFF", {{"k", std::string(100000, 'x')}});
  EXPECT_LT(lines_.back().size(), 5000u);
  EXPECT_EQ(LastAsJson().Find("message")->text, "\uFFFD");
  ASSERT_OK(Init({.sink = [](auto) { throw std::runtime_error("full"); }}));
  Info("nobody hears it");
}

TEST_F(LogTest, WritesWholeLinesFromManyThreads) {
  Start(Format::kJson);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 100; ++i) Info("x", {{"i", i}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(lines_, SizeIs(400));
}

TEST_F(LogTest, AppendsToAFile) {
  const std::string path = testing::TempDir() + "/assay_log_test.log";
  ASSERT_OK(Init({.file = path}));
  Info("to the file %s {}", {{"n", 1}});
  ASSERT_OK(Init({}));
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  EXPECT_THAT(line, EndsWith("info to the file %s {} n=1"));
}

TEST_F(LogTest, RefusesAFileThatCannotBeOpened) {
  Start(Format::kText);
  EXPECT_THAT(Init({.file = "/dev/null/x/y"}), Not(IsOk()));
  Info("still here");
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("still here")));
}

TEST(LogNamesTest, ReadsNames) {
  EXPECT_EQ(LevelFromName("warning"), Level::kWarning);
  EXPECT_EQ(LevelFromName("loud"), std::nullopt);
  EXPECT_EQ(FormatFromName("json"), Format::kJson);
  EXPECT_EQ(FormatFromName("xml"), std::nullopt);
}

}  // namespace
}  // namespace assay::log
