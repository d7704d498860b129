// What spans bring with them beside themselves: entries of the index, due times, counters.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock/fake_clock.h"
#include "common/exec/executor.h"
#include "common/rocks/int64_add.h"
#include "common/rocks/scan.h"
#include "common/status/status_matchers.h"
#include "services/trace/core/index_terms.h"
#include "services/trace/store/trace_keys.h"
#include "services/trace/testing/memory_trace_store.h"
#include "services/trace/testing/trace_store_conformance.h"

namespace assay::trace {

// Its helpers serve here, not its tests.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TraceStoreConformance);

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint64_t kSecond = 1'000'000'000;

class AppendSpansTest : public testing::Test {
 protected:
  AppendResult Append(std::vector<TraceChunk> chunks) {
    absl::StatusOr<AppendResult> result = AppendAndWait(store_, std::move(chunks));
    EXPECT_OK(result);
    return result.ok() ? *result : AppendResult();
  }
  // A chunk with one span of this name.
  static TraceChunk Chunk(uint8_t trace, uint64_t start_seconds, uint8_t span,
                          const std::string& name) {
    TraceChunk chunk = TestChunk(trace, "e", start_seconds, span, 99);
    TraceFacts& facts = chunk.facts;
    facts.clear_terms();
    facts.add_terms(MakeTerm(kTermSpanName, name));
    return chunk;
  }
  std::map<std::string, std::string> All(keys::Family family) {
    std::map<std::string, std::string> found;
    EXPECT_OK(rocks::Scan(store_.db().db(), family, {.begin = "", .end = "", .limit = 10'000},
                          [&](std::string_view key, std::string_view value) {
                            found.emplace(key, value);
                            return rocks::ScanStep::Next();
                          }));
    return found;
  }
  // Starts in seconds of the entries for a name of spans.
  std::vector<uint64_t> StartsOf(const std::string& name) {
    std::vector<uint64_t> starts;
    for (const auto& [key, value] : All(keys::kIndex)) {
      uint32_t number = 0;
      std::string field;
      std::string term;
      TracePosition position;
      if (!keys::DecodeTerm(key, &number, &field, &term, &position).ok()) continue;
      if (field == kTermSpanName && term == name) {
        starts.push_back(position.start_unix_nano / kSecond);
      }
    }
    return starts;
  }
  std::vector<uint64_t> Starts() {
    std::vector<uint64_t> starts;
    for (const auto& [key, value] : All(keys::kIndex)) {
      uint32_t number = 0;
      TracePosition position;
      if (keys::DecodeTime(key, &number, &position).ok()) {
        starts.push_back(position.start_unix_nano / kSecond);
      }
    }
    return starts;
  }

  FakeClock clock_;
  ThreadPool executor_{"store", 2};
  InMemoryTraceStore store_{executor_, clock_};
};

TEST_F(AppendSpansTest, IndexesTermsAtTheStartOfTheTrace) {
  Append({Chunk(1, 100, 1, "a")});
  Append({Chunk(1, 120, 2, "b")});
  EXPECT_THAT(StartsOf("a"), ElementsAre(100));
  EXPECT_THAT(StartsOf("b"), ElementsAre(100));
  EXPECT_THAT(Starts(), ElementsAre(100));
}

TEST_F(AppendSpansTest, MovesAllEntriesWhenTheStartMovesBack) {
  Append({Chunk(1, 100, 1, "a")});
  Append({Chunk(1, 50, 2, "b")});
  EXPECT_THAT(StartsOf("a"), ElementsAre(50));
  EXPECT_THAT(StartsOf("b"), ElementsAre(50));
  EXPECT_THAT(Starts(), ElementsAre(50));
}

TEST_F(AppendSpansTest, KeepsEveryTermAtTheStart_HoweverManyWriteAtOnce) {
  constexpr int kWriters = 40;
  std::vector<Awaited<AppendResult>> answers(kWriters);
  for (int i = 0; i < kWriters; ++i) {
    const auto start = static_cast<uint64_t>(100 + (i * 7) % kWriters);
    store_->AppendSpans({Chunk(1, start, static_cast<uint8_t>(i + 1), "n" + std::to_string(i))},
                        true, answers[static_cast<size_t>(i)].done());
  }
  for (auto& answer : answers) ASSERT_OK(answer.Get());
  for (int i = 0; i < kWriters; ++i) {
    EXPECT_THAT(StartsOf("n" + std::to_string(i)), ElementsAre(100)) << i;
  }
  EXPECT_THAT(Starts(), ElementsAre(100));
}

TEST_F(AppendSpansTest, BindsATraceOnce_WhoeverComesFirst) {
  for (uint8_t i = 1; i <= 50; ++i) {
    Awaited<AppendResult> appended;
    Awaited<AppendResult> registered;
    store_->Preregister({TestTrace(i)}, {.experiment = "registered"}, true, {}, registered.done());
    store_->AppendSpans({TestChunk(i, "e", 100)}, true, appended.done());
    ASSERT_OK(appended.Get());
    const absl::StatusOr<AppendResult> answer = registered.Get();
    const std::optional<StoredTrace> trace = *store_->GetTrace(TestTrace(i));
    ASSERT_TRUE(trace.has_value());
    EXPECT_EQ(trace->binding.experiment, answer.ok() ? "registered" : "e");
    EXPECT_EQ(SpanCount(trace->facts), 1);
  }
}

TEST_F(AppendSpansTest, MarksAFieldWithMoreTermsThanThereIsRoomFor) {
  for (int i = 0; i < 70; ++i) {
    Append({Chunk(1, 100, static_cast<uint8_t>(i + 1), "n" + std::to_string(i))});
  }
  EXPECT_THAT(StartsOf(std::string(kOverflowValue)), ElementsAre(100));
  Append({Chunk(1, 90, 71, "last")});
  EXPECT_THAT(StartsOf(std::string(kOverflowValue)), ElementsAre(90));
}

TEST_F(AppendSpansTest, MakesTheTracesOfARequestDueTogether) {
  std::vector<TraceChunk> chunks;
  for (uint8_t i = 1; i <= 100; ++i) chunks.push_back(TestChunk(i, "e", 100));
  Append(std::move(chunks));
  Append({TestChunk(1, "e", 100, 2), TestChunk(2, "e", 100, 2)});
  std::vector<TraceId> traces;
  for (const auto& [key, value] : All(keys::kDue)) {
    DueTraces entry;
    ASSERT_OK(keys::DecodeDueTrace(key, value, &entry));
    traces.insert(traces.end(), entry.traces.begin(), entry.traces.end());
  }
  EXPECT_EQ(All(keys::kDue).size(), 3u) << "two of the first request, one of the second";
  EXPECT_EQ(traces.size(), 102u);
  std::sort(traces.begin(), traces.end());
  traces.erase(std::unique(traces.begin(), traces.end()), traces.end());
  EXPECT_EQ(traces.size(), 100u);
}

TEST_F(AppendSpansTest, WritesDirectoriesAndDueTimes) {
  clock_.Advance(absl::Milliseconds(1500));
  const uint64_t now = store_.db().NowMs();
  Append({TestChunk(1, "e", 100)});
  Append({TestChunk(1, "e", 100, 2)});
  const auto due = All(keys::kDue);
  ASSERT_EQ(due.size(), 1u) << "two chunks of one second share an entry";
  DueTraces entry;
  ASSERT_OK(keys::DecodeDueTrace(due.begin()->first, due.begin()->second, &entry));
  EXPECT_THAT(entry.traces, ElementsAre(TestTrace(1)));
  EXPECT_GE(entry.due_ms, now + 30'000);
  EXPECT_LT(entry.due_ms, now + 31'000);
  EXPECT_EQ(entry.due_ms % 1000, 0u);

  const auto directories = All(keys::kDirectory);
  ASSERT_EQ(directories.size(), 2u);
  storage::v1::ChunkDirectoryRecord directory;
  ASSERT_TRUE(directory.ParseFromString(directories.begin()->second));
  EXPECT_EQ(directory.span_ids(), TestSpan(1).bytes());
  EXPECT_THAT(directory.start_unix_nano(), ElementsAre(100 * kSecond));
}

TEST_F(AppendSpansTest, CountsTheBytesOfAnExperiment) {
  const TraceChunk first = TestChunk(1, "e", 100);
  const TraceChunk second = TestChunk(2, "e", 100);
  Append({first, second});
  Append({TestChunk(1, "e", 100, 2)});
  const auto usage = All(keys::kUsage);
  ASSERT_EQ(usage.size(), 1u);
  EXPECT_EQ(rocks::DecodeFixedInt64(usage.begin()->second), 3 * first.facts.span_bytes());
}

TEST_F(AppendSpansTest, FillsInWhatTheSpansCannotSay) {
  Append({TestChunk(1, "e", 100)});
  const TraceFacts facts = (*store_->GetTrace(TestTrace(1)))->facts;
  EXPECT_GT(facts.experiment_number(), 0u);
  EXPECT_EQ(facts.bound_ms(), store_.db().NowMs());
  EXPECT_EQ(facts.last_arrival_ms(), store_.db().NowMs());
  EXPECT_EQ(facts.last_sequence(), facts.root().sequence());
}

TEST_F(AppendSpansTest, RefusesSpansOfATraceThatWasDeleted) {
  Append({TestChunk(1, "e", 100)});
  storage::v1::TraceBindingRecord binding;
  ASSERT_TRUE(
      binding.ParseFromString(**store_.db().db().Get(keys::kTraces, keys::Binding(TestTrace(1)))));
  binding.set_deleted_ms(store_.db().NowMs());
  TraceWrite write;
  write.batch.Put(store_.db().family(keys::kTraces), keys::Binding(TestTrace(1)),
                  binding.SerializeAsString());
  Notification deleted;
  store_.db().Commit(std::move(write), [&](absl::Status status) {
    EXPECT_OK(status);
    deleted.Notify();
  });
  deleted.Wait();
  const AppendResult result = Append({TestChunk(1, "e", 100, 2), TestChunk(2, "e", 100)});
  EXPECT_THAT(result.refused, ElementsAre(testing::Pair(kRefusedDeleted, 1)));
  EXPECT_TRUE((*store_->GetTrace(TestTrace(2))).has_value());
}

}  // namespace
}  // namespace assay::trace
