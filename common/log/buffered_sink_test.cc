#include "common/log/buffered_sink.h"

#include <signal.h>
#include <spdlog/logger.h>

#include <memory>
#include <stdexcept>
#include <vector>

#include "common/sync/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::log {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::chrono::hours kNever{1};

// What was written, a piece for each write.
class Pieces {
 public:
  BufferedSink::Write Writer() {
    return [this](std::string_view lines) {
      MutexLock lock(&mutex_);
      pieces_.emplace_back(lines);
      changed_.SignalAll();
    };
  }
  std::vector<std::string> Get() {
    MutexLock lock(&mutex_);
    return pieces_;
  }
  void WaitForOne() {
    MutexLock lock(&mutex_);
    while (pieces_.empty()) changed_.Wait(&mutex_);
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::string> pieces_ ABSL_GUARDED_BY(mutex_);
};

std::unique_ptr<spdlog::logger> LoggerTo(BufferedSink::Write write,
                                         std::chrono::milliseconds max_delay) {
  auto logger = std::make_unique<spdlog::logger>(
      "test", std::make_shared<BufferedSink>(std::move(write), max_delay));
  logger->set_pattern("%v");
  logger->flush_on(spdlog::level::warn);
  return logger;
}

TEST(BufferedSinkTest, WritesLinesTogetherWhenOneIsUrgent) {
  Pieces pieces;
  auto logger = LoggerTo(pieces.Writer(), kNever);
  logger->info("one");
  logger->info("two");
  EXPECT_THAT(pieces.Get(), IsEmpty());
  logger->warn("three");
  EXPECT_THAT(pieces.Get(), ElementsAre("one\ntwo\nthree\n"));
}

TEST(BufferedSinkTest, WritesWithoutBeingAskedAfterTheDelay) {
  Pieces pieces;
  auto logger = LoggerTo(pieces.Writer(), std::chrono::milliseconds(1));
  logger->info("one");
  pieces.WaitForOne();
  EXPECT_THAT(pieces.Get(), ElementsAre("one\n"));
}

TEST(BufferedSinkTest, WritesWhatWaitsAtItsEnd) {
  Pieces pieces;
  auto logger = LoggerTo(pieces.Writer(), kNever);
  logger->info("one");
  logger.reset();
  EXPECT_THAT(pieces.Get(), ElementsAre("one\n"));
}

TEST(BufferedSinkTest, WritesBeforeMuchHasComeTogether) {
  Pieces pieces;
  auto logger = LoggerTo(pieces.Writer(), kNever);
  for (int i = 0; i < 100; ++i) logger->info(std::string(1023, 'x'));
  ASSERT_THAT(pieces.Get(), ElementsAre(testing::SizeIs(64 * 1024)));
}

TEST(BufferedSinkTest, ItsThreadTakesNoSignals) {
  sigset_t blocked;
  Notification written;
  auto logger = LoggerTo(
      [&](std::string_view) {
        pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
        written.Notify();
      },
      std::chrono::milliseconds(1));
  logger->info("one");
  written.Wait();
  EXPECT_TRUE(sigismember(&blocked, SIGTERM));
  EXPECT_TRUE(sigismember(&blocked, SIGINT));
}

TEST(BufferedSinkTest, GoesOnAfterAWriteThatFails) {
  Pieces pieces;
  bool fail = true;
  auto logger = LoggerTo(
      [&, writer = pieces.Writer()](std::string_view lines) {
        if (std::exchange(fail, false)) throw std::runtime_error("full");
        writer(lines);
      },
      kNever);
  logger->set_error_handler([](const std::string&) {});
  logger->warn("lost");
  logger->warn("kept");
  EXPECT_THAT(pieces.Get(), ElementsAre("kept\n"));
}

}  // namespace
}  // namespace assay::log
