#include "services/trace/store/index_scan.h"

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/rocks/ordered_code.h"
#include "common/rocks/scan.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/trace/core/index_terms.h"
#include "services/trace/store/index_group.h"
#include "services/trace/testing/memory_trace_store.h"
#include "services/trace/testing/trace_store_conformance.h"

namespace assay::trace {

// Its helpers serve here, not its tests.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TraceStoreConformance);

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint64_t kSecond = 1'000'000'000;

TraceId Id(int number) {
  std::string bytes(TraceId::kSize, '\0');
  bytes[0] = static_cast<char>(number * 37);  // Not in the order of numbers.
  bytes[14] = static_cast<char>(number >> 8);
  bytes[15] = static_cast<char>(number);
  return *TraceId::FromBytes(bytes);
}

// A store, and beside it what the index has to say.
class IndexScanTest : public testing::Test {
 protected:
  // A span of this name that starts then.
  static TraceChunk Chunk(int number, uint64_t start, const std::string& name, uint8_t span = 1) {
    TraceChunk chunk = TestChunk(1, "e", 100, span, span == 1 ? 0 : 1);
    chunk.trace = Id(number);
    chunk.facts.set_start_unix_nano(start);
    chunk.facts.clear_terms();
    chunk.facts.add_terms(MakeTerm(kTermSpanName, name));
    return chunk;
  }
  void Append(std::vector<TraceChunk> chunks) {
    for (const TraceChunk& chunk : chunks) {
      const uint64_t start = chunk.facts.start_unix_nano();
      const auto [known, is_new] = starts_.try_emplace(chunk.trace, start);
      known->second = std::min(known->second, start);
      names_[chunk.trace].emplace(ValueOfTerm(chunk.facts.terms(0)));
    }
    ASSERT_OK(AppendAndWait(store_, std::move(chunks)));
  }

  PositionScan ScanOf(const std::string& name) {
    const uint32_t number = store_.db().FindNumber("e").value_or(0);
    return {.prefix = name.empty() ? keys::TimePrefix(number)
                                   : keys::TermPrefix(number, kTermSpanName, name)};
  }
  std::vector<TracePosition> Read(const PositionScan& scan,
                                  size_t limit = std::numeric_limits<size_t>::max()) {
    absl::StatusOr<std::vector<TracePosition>> read = ReadPositions(store_.db(), scan, limit);
    EXPECT_OK(read);
    return read.ok() ? *std::move(read) : std::vector<TracePosition>();
  }
  std::vector<TracePosition> Expected(const std::string& name, const PositionScan& scan) {
    std::vector<TracePosition> expected;
    for (const auto& [trace, start] : starts_) {
      const TracePosition position{start, trace};
      const bool ahead =
          !scan.after.has_value() || ComesBefore(*scan.after, position, scan.newest_first);
      const bool named = name.empty() || names_[trace].contains(name);
      if (ahead && named && scan.starts.Contains(start)) expected.push_back(position);
    }
    std::sort(expected.begin(), expected.end(),
              [&](const auto& a, const auto& b) { return ComesBefore(a, b, scan.newest_first); });
    return expected;
  }
  size_t Entries() {
    size_t entries = 0;
    EXPECT_OK(rocks::Scan(store_.db().db(), keys::kIndex, {.begin = "", .limit = 100'000},
                          [&](std::string_view, std::string_view) {
                            ++entries;
                            return rocks::ScanStep::Next();
                          }));
    return entries;
  }

  FakeClock clock_;
  ThreadPool executor_{"store", 2};
  InMemoryTraceStore store_{executor_, clock_};
  std::map<TraceId, uint64_t> starts_;
  std::map<TraceId, std::set<std::string>> names_;
};

TEST_F(IndexScanTest, TracesOfARequestShareEntries) {
  std::vector<TraceChunk> chunks;
  for (int i = 0; i < 10; ++i) chunks.push_back(Chunk(i, 5 * kSecond, "a"));
  Append(std::move(chunks));
  EXPECT_EQ(Entries(), 2u) << "by time and by name";
  for (const char* name : {"", "a"}) {
    EXPECT_EQ(Read(ScanOf(name)), Expected(name, ScanOf(name))) << name;
  }
  EXPECT_EQ(Read(ScanOf("a")).size(), 10u);
  EXPECT_THAT(Read(ScanOf("b")), IsEmpty());
}

TEST_F(IndexScanTest, ATraceAloneHasEntriesOfItsOwn) {
  Append({Chunk(1, 5 * kSecond, "a"), Chunk(2, 9 * kSecond, "a")});
  const auto facts = store_->GetFacts({Id(1), Id(2)});
  ASSERT_OK(facts);
  for (const auto& some : *facts) EXPECT_FALSE(some->has_index_group());
  EXPECT_EQ(Entries(), 4u);
  EXPECT_EQ(Read(ScanOf("a")), Expected("a", ScanOf("a")));
}

TEST_F(IndexScanTest, LargeRequestsMakeSeveralGroups) {
  std::vector<TraceChunk> chunks;
  constexpr int kTraces = 300;
  for (int i = 0; i < kTraces; ++i) chunks.push_back(Chunk(i, 5 * kSecond, "a"));
  Append(std::move(chunks));
  EXPECT_EQ(Entries(), 2 * (kTraces / kMaxGroupTraces + 1));
  EXPECT_EQ(Read(ScanOf("a")), Expected("a", ScanOf("a")));
}

TEST_F(IndexScanTest, AStartThatMovesBackTakesTheTraceOutOfItsGroup) {
  Append({Chunk(1, 5 * kSecond, "a"), Chunk(2, 5 * kSecond, "a")});
  Append({Chunk(1, 3 * kSecond, "b", 2)});
  EXPECT_THAT(Read(ScanOf("a")),
              ElementsAre(TracePosition{5 * kSecond, Id(2)}, TracePosition{3 * kSecond, Id(1)}));
  EXPECT_THAT(Read(ScanOf("b")), ElementsAre(TracePosition{3 * kSecond, Id(1)}));
  EXPECT_EQ(Read(ScanOf("")), Expected("", ScanOf("")));
  EXPECT_FALSE((*store_->GetFacts({Id(1)}))[0]->has_index_group());
}

TEST_F(IndexScanTest, LaterTermsJoinTheGroup) {
  Append({Chunk(1, 5 * kSecond, "a"), Chunk(2, 5 * kSecond, "a")});
  Append({Chunk(1, 6 * kSecond, "b", 2), Chunk(2, 6 * kSecond, "b", 2)});
  EXPECT_EQ(Read(ScanOf("b")).size(), 2u);
  EXPECT_EQ(Read(ScanOf("b")), Read(ScanOf("a")));
  EXPECT_EQ(Entries(), 3u);
}

// Requests of one to twenty traces whose starts lie within three seconds, again and again the same
// starts; then later spans of some.
class RandomIndexScanTest : public IndexScanTest, public testing::WithParamInterface<int> {
 protected:
  void Fill() {
    constexpr int kTraces = 400;
    int number = 0;
    while (number < kTraces) {
      std::vector<TraceChunk> chunks;
      for (int i = 1 + Pick(20); i > 0; --i) {
        chunks.push_back(Chunk(number++, Start(), Name()));
      }
      Append(std::move(chunks));
    }
    for (int i = 0; i < 100; ++i) Append({Chunk(Pick(kTraces), Start(), Name(), 2)});
  }
  int Pick(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
  uint64_t Start() { return 10 * kSecond + static_cast<uint64_t>(Pick(60)) * (kSecond / 20); }
  std::string Name() { return std::string(1, static_cast<char>('a' + Pick(3))); }

  std::mt19937 random_{static_cast<uint32_t>(GetParam())};
};

TEST_P(RandomIndexScanTest, FindsAllInOrder_HoweverTheyAreGrouped) {
  Fill();
  for (int i = 0; i < 60; ++i) {
    const std::string name = Pick(2) == 0 ? "" : Name();
    PositionScan scan = ScanOf(name);
    scan.newest_first = Pick(2) == 0;
    if (Pick(2) == 0) scan.after = TracePosition{Start(), Id(Pick(400))};
    if (Pick(3) == 0) scan.starts.first = Start();
    if (Pick(3) == 0) scan.starts.last = Start();
    if (Pick(3) == 0) scan.max_held = 1 + static_cast<size_t>(Pick(20));
    EXPECT_EQ(Read(scan), Expected(name, scan))
        << name << " newest first " << scan.newest_first << " held " << scan.max_held << " from "
        << scan.starts.first << " to " << scan.starts.last;
  }
}

TEST_P(RandomIndexScanTest, PagesAreTheWhole) {
  Fill();
  for (const bool newest_first : {true, false}) {
    PositionScan scan = ScanOf("a");
    scan.newest_first = newest_first;
    const std::vector<TracePosition> whole = Expected("a", scan);
    std::vector<TracePosition> pages;
    for (auto page = Read(scan, 7); !page.empty(); page = Read(scan, 7)) {
      pages.insert(pages.end(), page.begin(), page.end());
      scan.after = page.back();
    }
    EXPECT_EQ(pages, whole);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomIndexScanTest, testing::Range(1, 9));

TEST_F(IndexScanTest, HoldsFewWhereAllStartAtOnce) {
  for (int request = 0; request < 10; ++request) {
    std::vector<TraceChunk> chunks;
    for (int i = 0; i < 20; ++i) chunks.push_back(Chunk(20 * request + i, 5 * kSecond, "a"));
    Append(std::move(chunks));
  }
  for (const bool newest_first : {true, false}) {
    PositionScan scan = ScanOf("a");
    scan.newest_first = newest_first;
    scan.max_held = 16;
    EXPECT_EQ(Read(scan), Expected("a", scan));
    EXPECT_EQ(Read(scan, 40).size(), 40u);
  }
}

}  // namespace
}  // namespace assay::trace
