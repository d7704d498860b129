// What the tests of a trace store's deletions, tags and horizons share.
#ifndef ASSAY_SERVICES_TRACE_TESTING_LIFECYCLE_FIXTURE_H_
#define ASSAY_SERVICES_TRACE_TESTING_LIFECYCLE_FIXTURE_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/clock/fake_clock.h"
#include "common/exec/executor.h"
#include "common/otlp/wire_cursor.h"
#include "common/rocks/ordered_code.h"
#include "common/rocks/scan.h"
#include "common/status/status_matchers.h"
#include "gtest/gtest.h"
#include "services/trace/core/index_terms.h"
#include "services/trace/store/index_scan.h"
#include "services/trace/store/lifecycle_store.h"
#include "services/trace/testing/memory_trace_store.h"
#include "services/trace/testing/trace_store_conformance.h"

namespace assay::trace {

// Traces, and what may be done with them, in a store on memory and on one thread: everything has
// happened when a call returns.
class LifecycleFixture : public testing::Test {
 protected:
  TraceId Trace(int number) {
    std::string bytes(TraceId::kSize, '\0');
    bytes[14] = static_cast<char>(number >> 8);
    bytes[15] = static_cast<char>(number);
    return *TraceId::FromBytes(bytes);
  }

  // A trace of one root span; with `bytes`, of a chunk that does not compress.
  absl::StatusOr<AppendResult> Append(int number, const std::string& experiment = "e",
                                      size_t bytes = 0) {
    TraceChunk chunk = TestChunk(1, experiment, 100 + static_cast<uint64_t>(number));
    chunk.trace = Trace(number);
    if (bytes > 0) {
      std::string noise(bytes, '\0');
      for (char& c : noise) {
        random_ = random_ * 1103515245 + 12345;
        c = static_cast<char>(random_ >> 16);
      }
      // A field that OTLP does not have.
      otlp::AppendBytesField(15, noise, &chunk.otlp);
      chunk.facts.set_span_bytes(static_cast<int64_t>(bytes));
    } else {
      chunk.facts.set_span_bytes(1000);
    }
    return AppendTo(traces_, std::move(chunk));
  }

  absl::StatusOr<AppendResult> AppendTo(TraceStore& store, TraceChunk chunk) {
    std::vector<TraceChunk> chunks;
    chunks.push_back(std::move(chunk));
    return AppendAll(store, std::move(chunks));
  }

  absl::StatusOr<AppendResult> AppendAll(TraceStore& store, std::vector<TraceChunk> chunks) {
    std::optional<absl::StatusOr<AppendResult>> answer;
    store.AppendSpans(std::move(chunks), true,
                      [&](absl::StatusOr<AppendResult> given) { answer = std::move(given); });
    executor_.RunAll();
    return answer.value_or(absl::InternalError("no answer"));
  }

  // Traces of one root span each that start at once, in one request.
  absl::StatusOr<AppendResult> AppendTogether(const std::vector<int>& numbers) {
    std::vector<TraceChunk> chunks;
    for (const int number : numbers) {
      chunks.push_back(TestChunk(1, "e", 100));
      chunks.back().trace = Trace(number);
    }
    return AppendAll(traces_, std::move(chunks));
  }

  // The trace of a judgement of `judged`, a resource name.
  absl::StatusOr<AppendResult> AppendJudgement(int number, const std::string& judged,
                                               const std::string& experiment = "e") {
    return AppendTo(traces_, Judgement(number, judged, experiment));
  }
  TraceChunk Judgement(int number, const std::string& judged, const std::string& experiment = "e") {
    TraceChunk chunk = TestChunk(1, experiment, 100 + static_cast<uint64_t>(number));
    chunk.trace = Trace(number);
    (*chunk.facts.mutable_metadata())["assay_judge_call"] = "quality";
    (*chunk.facts.mutable_metadata())["assay_judged"] = judged;
    chunk.facts.add_terms(MakeTerm("judged", ShortTermValue(judged)));
    std::sort(chunk.facts.mutable_terms()->begin(), chunk.facts.mutable_terms()->end());
    return chunk;
  }
  std::string Name(int number) { return "experiments/e/traces/" + Trace(number).Hex(); }

  absl::Status UpdateTags(int number, TagChange change, RequestKey key = {},
                          const std::string& experiment = "e") {
    std::optional<absl::Status> answer;
    lives_.UpdateTags(Trace(number), experiment, std::move(change), std::move(key),
                      [&](absl::Status status) { answer = std::move(status); });
    executor_.RunAll();
    return answer.value_or(absl::InternalError("no answer"));
  }

  absl::StatusOr<std::string> Delete(std::vector<TraceId> traces, RequestKey key = {},
                                     const std::string& experiment = "e") {
    std::optional<absl::StatusOr<std::string>> answer;
    lives_.DeleteTraces(
        experiment, std::move(traces), std::move(key),
        [](const DeletedTraces& deleted) {
          const std::string traces = std::to_string(deleted.traces);
          return deleted.judgements == 0 ? traces
                                         : traces + "+" + std::to_string(deleted.judgements);
        },
        [&](absl::StatusOr<std::string> given) { answer = std::move(given); });
    executor_.RunAll();
    return answer.value_or(absl::InternalError("no answer"));
  }

  absl::StatusOr<std::string> Change(ExperimentChange change, RequestKey key = {},
                                     const std::string& experiment = "e") {
    std::optional<absl::StatusOr<std::string>> answer;
    lives_.ChangeExperiment(
        experiment,
        [change](const ExperimentState&) -> absl::StatusOr<ExperimentChange> { return change; },
        std::move(key), [&](absl::StatusOr<std::string> given) { answer = std::move(given); });
    executor_.RunAll();
    return answer.value_or(absl::InternalError("no answer"));
  }
  absl::StatusOr<std::string> Purge(const std::string& experiment = "e") {
    return Change({.horizon_ms = db_.NowMs() + 1}, {}, experiment);
  }

  absl::Status Assess(int number, int64_t sequence) {
    v1::AssessmentChange change;
    change.set_sequence(sequence);
    change.set_trace("experiments/e/traces/" + Trace(number).Hex());
    change.set_valid(true);
    change.mutable_digest()->set_assessment("experiments/e/assessments/a" +
                                            std::to_string(sequence));
    change.mutable_digest()->set_assessment_name("quality");
    std::optional<absl::Status> answer;
    traces_.ApplyAssessments("feedback", {change},
                             [&](absl::StatusOr<int64_t> applied) { answer = applied.status(); });
    executor_.RunAll();
    return answer.value_or(absl::InternalError("no answer"));
  }

  bool Exists(int number) {
    const bool exists = (*traces_.GetTrace(Trace(number))).has_value();
    EXPECT_EQ((*traces_.GetFacts({Trace(number)}))[0].has_value(), exists) << number;
    return exists;
  }
  std::map<std::string, std::string> TagsOf(int number) {
    absl::StatusOr<std::optional<StoredTrace>> trace = traces_.GetTrace(Trace(number));
    const auto& tags = (*trace)->facts.tags();
    return {tags.begin(), tags.end()};
  }

  // Keys of a family, as they are stored.
  std::vector<std::string> Keys(keys::Family family, const std::string& prefix = "") {
    std::vector<std::string> found;
    EXPECT_OK(rocks::Scan(db_.db(), family,
                          {.begin = prefix,
                           .end = prefix.empty() ? "" : rocks::PrefixEnd(prefix),
                           .limit = 1'000'000},
                          [&](std::string_view key, std::string_view) {
                            found.emplace_back(key);
                            return rocks::ScanStep::Next();
                          })
                  .status());
    return found;
  }
  std::vector<storage::v1::FeedRecord> Feed() {
    std::vector<storage::v1::FeedRecord> events;
    EXPECT_OK(rocks::Scan(db_.db(), keys::kFeed, {.limit = 1'000'000},
                          [&](std::string_view, std::string_view value) {
                            events.emplace_back().ParseFromString(std::string(value));
                            return rocks::ScanStep::Next();
                          })
                  .status());
    return events;
  }
  // Traces that the index has under a tag.
  std::vector<TraceId> TracesTagged(const std::string& name, const std::string& value) {
    return TracesUnder(keys::TermPrefix(*db_.FindNumber("e"), "tags." + name, value));
  }
  std::vector<TraceId> TracesByTime() {
    return TracesUnder(keys::TimePrefix(*db_.FindNumber("e")));
  }
  std::vector<TraceId> TracesUnder(const std::string& prefix) {
    std::vector<TraceId> traces;
    const uint64_t horizon_ms = db_.horizons().Of(*db_.FindNumber("e"));
    EXPECT_OK(ScanPositions(db_, {.prefix = prefix, .horizon_ms = horizon_ms},
                            [&](const TracePosition& position) {
                              traces.push_back(position.trace);
                              return true;
                            }));
    return traces;
  }
  void CompactAll() {
    for (int family = 0; family < keys::kFamilies; ++family) {
      ASSERT_OK(db_.db().CompactFamily(family));
    }
  }
  uint64_t FileBytes(std::string_view suffix) {
    rocksdb::Env* env = db_.db().raw().GetEnv();
    std::vector<std::string> names;
    EXPECT_TRUE(env->GetChildren(db_.db().path(), &names).ok());
    uint64_t bytes = 0;
    for (const std::string& name : names) {
      uint64_t size = 0;
      if (name.ends_with(suffix) && env->GetFileSize(db_.db().path() + "/" + name, &size).ok()) {
        bytes += size;
      }
    }
    return bytes;
  }

  FakeClock clock_;
  ManualExecutor executor_;
  MemoryTraceDb db_{executor_, clock_};
  RocksTraceStore traces_{db_};
  RocksLifecycleStore lives_{db_};
  uint32_t random_ = 1;
};

inline RequestKey Key(const std::string& id, const std::string& body = "body") {
  return {"local", "method", id, body};
}

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_TESTING_LIFECYCLE_FIXTURE_H_
