// What every TraceStore must do, whatever it is made of.
//
//   INSTANTIATE_TYPED_TEST_SUITE_P(Rocks, TraceStoreConformance, RocksHarness);
//
// A harness has: FakeClock& clock(), TraceStore& store().
#ifndef ASSAY_SERVICES_TRACE_TESTING_TRACE_STORE_CONFORMANCE_H_
#define ASSAY_SERVICES_TRACE_TESTING_TRACE_STORE_CONFORMANCE_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/clock/fake_clock.h"
#include "common/exec/executor.h"
#include "common/status/status_matchers.h"
#include "common/sync/notification.h"
#include "services/trace/core/chunk_builder.h"
#include "services/trace/core/facts_builder.h"
#include "services/trace/core/trace_store.h"
#include "services/trace/testing/otlp_requests.h"

namespace assay::trace {

// One chunk that holds a root span of `trace`.
inline TraceChunk TestChunk(uint8_t trace, const std::string& experiment, uint64_t start_seconds,
                            uint8_t span = 1, uint8_t parent = 0) {
  ExportRequest request;
  AddSpan(AddResource(&request), trace, span, parent, start_seconds);
  TraceChunk chunk{.trace = TestTrace(trace), .otlp = request.SerializeAsString()};
  const absl::StatusOr<OtlpBatch> batch = ReadOtlp(chunk.otlp);
  static const IndexedAttributes attributes;
  PriceMemo prices(PriceTable::BuiltIn());
  FactsBuilder facts(attributes, prices);
  facts.Add(batch->spans[0]);
  chunk.facts = facts.Build();
  chunk.directory = facts.BuildDirectory();
  chunk.claimed.experiment = experiment;
  return chunk;
}

// Waits for an asynchronous answer.
template <class T>
class Awaited {
 public:
  Done<T> done() {
    return [state = state_](absl::StatusOr<T> answer) {
      state->answer = std::move(answer);
      state->ready.Notify();
    };
  }
  absl::StatusOr<T> Get() {
    state_->ready.Wait();
    return *std::move(state_->answer);
  }

 private:
  struct State {
    Notification ready;
    std::optional<absl::StatusOr<T>> answer;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

inline absl::StatusOr<AppendResult> AppendAndWait(TraceStore& store, std::vector<TraceChunk> chunks,
                                                  bool register_experiments = true) {
  Awaited<AppendResult> answer;
  store.AppendSpans(std::move(chunks), register_experiments, answer.done());
  return answer.Get();
}

template <class Harness>
class TraceStoreConformance : public testing::Test {
 protected:
  TraceStore& store() { return harness_.store(); }
  absl::StatusOr<AppendResult> Append(std::vector<TraceChunk> chunks) {
    return AppendAndWait(store(), std::move(chunks));
  }
  absl::Status Preregister(uint8_t trace, const std::string& experiment,
                           const std::string& evaluation, RequestKey key = {}) {
    Awaited<AppendResult> answer;
    store().Preregister({TestTrace(trace)}, {experiment, evaluation}, true, std::move(key),
                        answer.done());
    return answer.Get().status();
  }
  std::optional<StoredTrace> Stored(uint8_t trace) {
    absl::StatusOr<std::optional<StoredTrace>> stored = store().GetTrace(TestTrace(trace));
    EXPECT_OK(stored);
    return stored.ok() ? *stored : std::nullopt;
  }
  std::vector<int> Scan(const TraceScan& scan, size_t limit = 100) {
    std::vector<int> found;
    EXPECT_OK(store().ScanTraces(scan, [&](const TracePosition& entry) {
      found.push_back(entry.trace.bytes().back());
      return found.size() < limit;
    }));
    return found;
  }
  std::vector<std::string> Chunks(uint8_t trace) {
    std::vector<std::string> chunks;
    EXPECT_OK(store().ReadChunks(TestTrace(trace), [&](uint64_t, std::string_view otlp) {
      chunks.emplace_back(otlp);
      return true;
    }));
    return chunks;
  }
  static v1::AssessmentChange Change(int64_t sequence, uint8_t trace, const std::string& id,
                                     const std::string& name, bool valid = true) {
    v1::AssessmentChange change;
    change.set_sequence(sequence);
    change.set_trace("experiments/e/traces/" + TestTrace(trace).Hex());
    change.set_valid(valid);
    change.mutable_digest()->set_assessment(id);
    change.mutable_digest()->set_assessment_name(name);
    return change;
  }
  absl::StatusOr<int64_t> Apply(std::vector<v1::AssessmentChange> changes) {
    Awaited<int64_t> answer;
    store().ApplyAssessments("fb", std::move(changes), answer.done());
    return answer.Get();
  }
  std::vector<TraceId> WithName(const std::string& name) {
    return store().TracesWithAssessment({"e", false, name}, 10)->traces;
  }

  Harness harness_;
};

TYPED_TEST_SUITE_P(TraceStoreConformance);

TYPED_TEST_P(TraceStoreConformance, KeepsSpansAndAddsUpFacts) {
  EXPECT_EQ(this->Stored(1), std::nullopt);
  const TraceChunk first = TestChunk(1, "e", 100);
  const TraceChunk second = TestChunk(1, "e", 90, 2, 1);
  ASSERT_OK(this->Append({first, TestChunk(2, "f", 50)}));
  ASSERT_OK(this->Append({second}));
  const std::optional<StoredTrace> stored = this->Stored(1);
  ASSERT_TRUE(stored.has_value());
  EXPECT_EQ(stored->binding, (TraceBinding{"e", ""}));
  EXPECT_EQ(SpanCount(stored->facts), 2);
  EXPECT_EQ(stored->facts.start_unix_nano(), 90'000'000'000u);
  EXPECT_THAT(this->Chunks(1), testing::ElementsAre(first.otlp, second.otlp));
  EXPECT_THAT(this->store().ReadChunk(TestTrace(1), stored->facts.root().sequence()),
              IsOkAndHolds(testing::Optional(first.otlp)));
  EXPECT_THAT(this->store().ReadChunk(TestTrace(1), 0), IsOkAndHolds(std::nullopt));
  auto several = this->store().GetTraces({TestTrace(2), TestTrace(9), TestTrace(1)});
  ASSERT_OK(several);
  EXPECT_EQ((*several)[0]->binding.experiment, "f");
  EXPECT_EQ((*several)[1], std::nullopt);
  EXPECT_EQ((*several)[2]->binding.experiment, "e");
  auto facts = this->store().GetFacts({TestTrace(2), TestTrace(9), TestTrace(1)});
  ASSERT_OK(facts);
  EXPECT_EQ((*facts)[0]->start_unix_nano(), 50'000'000'000u);
  EXPECT_FALSE((*facts)[1].has_value());
  EXPECT_EQ((*facts)[2]->start_unix_nano(), 90'000'000'000u);
  EXPECT_EQ((*facts)[2]->experiment_number(), (*several)[2]->experiment_number);
}

TYPED_TEST_P(TraceStoreConformance, NeverChangesABinding) {
  ASSERT_OK(this->Append({TestChunk(1, "e", 100)}));
  ASSERT_OK(this->Append({TestChunk(1, "other", 50, 2, 1)}));
  EXPECT_EQ(this->Stored(1)->binding.experiment, "e");
  EXPECT_THAT(this->Scan({"other"}), testing::IsEmpty());
  EXPECT_THAT(this->Scan({"e"}), testing::ElementsAre(1));
}

TYPED_TEST_P(TraceStoreConformance, BindsATraceOnceThoughManyTry) {
  std::vector<Awaited<AppendResult>> answers(24);
  for (size_t i = 0; i < answers.size(); ++i) {
    const std::string experiment = "e" + std::to_string(i % 6);
    this->store().AppendSpans({TestChunk(1, experiment, 100 + i, static_cast<uint8_t>(i + 1), 99)},
                              true, answers[i].done());
  }
  for (auto& answer : answers) EXPECT_OK(answer.Get());
  const std::string winner = this->Stored(1)->binding.experiment;
  EXPECT_EQ(SpanCount(this->Stored(1)->facts), 24);
  for (int i = 0; i < 6; ++i) {
    const std::string experiment = "e" + std::to_string(i);
    EXPECT_EQ(this->Scan({experiment}).empty(), experiment != winner);
  }
  EXPECT_EQ(this->Chunks(1).size(), 24u);
}

TYPED_TEST_P(TraceStoreConformance, ScansByTimeBothWaysFromAnyPlace) {
  ASSERT_OK(this->Append({TestChunk(1, "e", 100), TestChunk(2, "e", 300), TestChunk(3, "e", 200),
                          TestChunk(4, "e", 200), TestChunk(5, "e-2", 250)}));
  EXPECT_THAT(this->Scan({"e"}), testing::ElementsAre(2, 3, 4, 1));
  EXPECT_THAT(this->Scan({"e"}, 2), testing::ElementsAre(2, 3));
  const TracePosition third{200'000'000'000, TestTrace(3)};
  EXPECT_THAT(this->Scan({"e", third}), testing::ElementsAre(4, 1));
  EXPECT_THAT(this->Scan({"e", std::nullopt, false}), testing::ElementsAre(1, 4, 3, 2));
  EXPECT_THAT(this->Scan({"e", third, false}), testing::ElementsAre(2));
  EXPECT_THAT(this->Scan({"none"}), testing::IsEmpty());
}

TYPED_TEST_P(TraceStoreConformance, HonoursRegistrationInAdvance) {
  ASSERT_OK(this->Preregister(1, "e", "run"));
  EXPECT_EQ(this->Stored(1)->facts.schema_version(), 0u);
  EXPECT_THAT(this->Scan({"e"}), testing::IsEmpty());
  ASSERT_OK(this->Append({TestChunk(1, "other", 100)}));
  EXPECT_EQ(this->Stored(1)->binding, (TraceBinding{"e", "run", true}));
  EXPECT_THAT(this->Scan({"e"}), testing::ElementsAre(1));
  EXPECT_OK(this->Preregister(1, "e", "run"));
  EXPECT_THAT(this->Preregister(1, "e", "other-run"), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(this->Preregister(1, "f", "run"), StatusIs(absl::StatusCode::kAlreadyExists));
}

TYPED_TEST_P(TraceStoreConformance, PreregistersAllOrNone) {
  ASSERT_OK(this->Preregister(2, "f", ""));
  Awaited<AppendResult> answer;
  this->store().Preregister({TestTrace(1), TestTrace(2), TestTrace(3)}, {"e", ""}, true, {},
                            answer.done());
  EXPECT_THAT(answer.Get(), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(this->Stored(1), std::nullopt);
  EXPECT_EQ(this->Stored(3), std::nullopt);
}

TYPED_TEST_P(TraceStoreConformance, RemembersRequestsForADay) {
  const RequestKey key{"p", "m", "id", std::string(32, 'a')};
  const RequestKey other_body{"p", "m", "id", std::string(32, 'b')};
  ASSERT_OK(this->Preregister(1, "e", "", key));
  EXPECT_OK(this->Preregister(1, "e", "", key));
  EXPECT_THAT(this->Preregister(2, "e", "", other_body), HasReason("REQUEST_ID_REUSED"));
  EXPECT_EQ(this->Stored(2), std::nullopt);
  EXPECT_OK(this->Preregister(2, "e", "", {"q", "m", "id", std::string(32, 'b')}));
  this->harness_.clock().Advance(absl::Hours(25));
  EXPECT_OK(this->Preregister(3, "e", "", other_body));
}

TYPED_TEST_P(TraceStoreConformance, ListsExperimentsUntilTheyAreCreated) {
  EXPECT_TRUE(this->Append({TestChunk(1, "b", 100), TestChunk(2, "a", 100)})->new_experiments);
  EXPECT_FALSE(this->Append({TestChunk(3, "a", 100)})->new_experiments);
  ASSERT_OK(AppendAndWait(this->store(), {TestChunk(4, "quiet", 100)}, false));
  EXPECT_THAT(this->store().PendingExperiments(10), IsOkAndHolds(testing::ElementsAre("a", "b")));
  EXPECT_THAT(this->store().PendingExperiments(1), IsOkAndHolds(testing::ElementsAre("a")));
  Notification created;
  this->store().ExperimentCreated("a", [&](absl::Status status) {
    EXPECT_OK(status);
    created.Notify();
  });
  created.Wait();
  EXPECT_THAT(this->store().PendingExperiments(10), IsOkAndHolds(testing::ElementsAre("b")));
  EXPECT_FALSE(this->Append({TestChunk(5, "a", 100)})->new_experiments);
  EXPECT_THAT(this->store().PendingExperiments(10), IsOkAndHolds(testing::ElementsAre("b")));
}

TYPED_TEST_P(TraceStoreConformance, ProjectsAssessmentsOnce) {
  EXPECT_THAT(this->store().AppliedSequence("fb"), IsOkAndHolds(0));
  EXPECT_THAT(this->Apply({this->Change(1, 1, "a", "q"), this->Change(2, 2, "b", "q"),
                           this->Change(5, 1, "c", "q")}),
              IsOkAndHolds(5));
  EXPECT_THAT(this->WithName("q"), testing::ElementsAre(TestTrace(1), TestTrace(2)));
  EXPECT_EQ(this->store().AssessmentsOf(TestTrace(1), 10)->size(), 2u);
  EXPECT_EQ(this->store().AssessmentsOf(TestTrace(1), 1)->size(), 1u);
  // Already applied: nothing happens.
  EXPECT_THAT(this->Apply({this->Change(2, 2, "b", "q", false)}), IsOkAndHolds(5));
  EXPECT_EQ(this->WithName("q").size(), 2u);
  // Gone, renamed, and several changes of one assessment in one request.
  EXPECT_THAT(this->Apply({this->Change(6, 2, "b", "q", false), this->Change(7, 1, "a", "x"),
                           this->Change(8, 1, "a", "y"), this->Change(9, 3, "d", "y"),
                           this->Change(10, 3, "d", "y", false)}),
              IsOkAndHolds(10));
  EXPECT_THAT(this->WithName("q"), testing::ElementsAre(TestTrace(1)));
  EXPECT_THAT(this->WithName("x"), testing::IsEmpty());
  EXPECT_THAT(this->WithName("y"), testing::ElementsAre(TestTrace(1)));
  EXPECT_THAT(this->store().AppliedSequence("fb"), IsOkAndHolds(10));
  EXPECT_THAT(this->store().AppliedSequence("other"), IsOkAndHolds(0));
}

TYPED_TEST_P(TraceStoreConformance, BoundsTheIndexOfAssessments) {
  ASSERT_OK(this->Apply({this->Change(1, 1, "a", "q"), this->Change(2, 1, "b", "q"),
                         this->Change(3, 2, "c", "q"), this->Change(4, 3, "d", "q")}));
  absl::StatusOr<TracesOfIndex> found = this->store().TracesWithAssessment({"e", false, "q"}, 2);
  ASSERT_OK(found);
  EXPECT_THAT(found->traces, testing::ElementsAre(TestTrace(1), TestTrace(2)));
  EXPECT_FALSE(found->complete);
  EXPECT_TRUE(this->store().TracesWithAssessment({"e", false, "q"}, 3)->complete);
  EXPECT_THAT(this->store().TracesWithAssessment({"f", false, "q"}, 3)->traces, testing::IsEmpty());
  EXPECT_THAT(this->store().TracesWithAssessment({"e", true, "q"}, 3)->traces, testing::IsEmpty());
}

REGISTER_TYPED_TEST_SUITE_P(TraceStoreConformance, KeepsSpansAndAddsUpFacts, NeverChangesABinding,
                            BindsATraceOnceThoughManyTry, ScansByTimeBothWaysFromAnyPlace,
                            HonoursRegistrationInAdvance, PreregistersAllOrNone,
                            RemembersRequestsForADay, ListsExperimentsUntilTheyAreCreated,
                            ProjectsAssessmentsOnce, BoundsTheIndexOfAssessments);

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_TESTING_TRACE_STORE_CONFORMANCE_H_
