#include "services/trace/store/lifecycle_store.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/clock/fake_clock.h"
#include "common/exec/executor.h"
#include "common/otlp/wire_cursor.h"
#include "common/rocks/ordered_code.h"
#include "common/rocks/scan.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/trace/core/index_terms.h"
#include "services/trace/core/lifecycle/retention_rule.h"
#include "services/trace/store/completion_store.h"
#include "services/trace/store/index_scan.h"
#include "services/trace/testing/memory_trace_store.h"
#include "services/trace/testing/trace_store_conformance.h"

namespace assay::trace {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TraceStoreConformance);

namespace {

using testing::_;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

// On one thread: everything has happened when a call returns.
class LifecycleStoreTest : public testing::Test {
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

RequestKey Key(const std::string& id, const std::string& body = "body") {
  return {"local", "method", id, body};
}

TEST_F(LifecycleStoreTest, SetsAndRemovesTagsWithTheirIndex) {
  ASSERT_OK(Append(1));
  ASSERT_OK(UpdateTags(1, {.set = {{"env", "test"}, {"team", "a"}}}));
  EXPECT_THAT(TagsOf(1), UnorderedElementsAre(Pair("env", "test"), Pair("team", "a")));
  EXPECT_THAT(TracesTagged("env", "test"), ElementsAre(Trace(1)));
  ASSERT_OK(UpdateTags(1, {.set = {{"env", "production"}}, .remove = {"team", "never"}}));
  EXPECT_THAT(TagsOf(1), ElementsAre(Pair("env", "production")));
  EXPECT_THAT(TracesTagged("env", "test"), IsEmpty());
  EXPECT_THAT(TracesTagged("team", "a"), IsEmpty());
  EXPECT_THAT(TracesTagged("env", "production"), ElementsAre(Trace(1)));
}

TEST_F(LifecycleStoreTest, KeepsTagsOfATraceWhoseSpansComeLater) {
  std::optional<absl::StatusOr<AppendResult>> registered;
  traces_.Preregister({Trace(1)}, {.experiment = "e"}, true, {},
                      [&](absl::StatusOr<AppendResult> result) { registered = result; });
  executor_.RunAll();
  ASSERT_OK(*registered);
  ASSERT_OK(UpdateTags(1, {.set = {{"env", "test"}}}));
  EXPECT_THAT(TracesTagged("env", "test"), IsEmpty());
  ASSERT_OK(Append(1));
  EXPECT_THAT(TagsOf(1), ElementsAre(Pair("env", "test")));
  EXPECT_THAT(TracesTagged("env", "test"), ElementsAre(Trace(1)));
}

TEST_F(LifecycleStoreTest, RefusesTagsBeyondTheBoundAndOfUnknownTraces) {
  ASSERT_OK(Append(1));
  TagChange many;
  for (int i = 0; i < 100; ++i) many.set["t" + std::to_string(i)] = "v";
  ASSERT_OK(UpdateTags(1, many));
  EXPECT_THAT(UpdateTags(1, {.set = {{"one more", "v"}}}), HasReason("TOO_MANY_TAGS"));
  EXPECT_OK(UpdateTags(1, {.set = {{"one more", "v"}}, .remove = {"t0"}}));
  EXPECT_THAT(UpdateTags(2, {.set = {{"a", "b"}}}), StatusIs(absl::StatusCode::kNotFound, _));
  EXPECT_THAT(UpdateTags(1, {.set = {{"a", "b"}}}, {}, "other"),
              StatusIs(absl::StatusCode::kNotFound, _));
}

TEST_F(LifecycleStoreTest, TagsOnceForARepeatedRequest) {
  ASSERT_OK(Append(1));
  ASSERT_OK(UpdateTags(1, {.set = {{"a", "1"}}}, Key("r")));
  ASSERT_OK(UpdateTags(1, {.set = {{"a", "2"}}}));
  ASSERT_OK(UpdateTags(1, {.set = {{"a", "1"}}}, Key("r")));
  EXPECT_THAT(TagsOf(1), ElementsAre(Pair("a", "2")));
  EXPECT_THAT(UpdateTags(1, {.set = {{"a", "1"}}}, Key("r", "other body")),
              HasReason("REQUEST_ID_REUSED"));
}

TEST_F(LifecycleStoreTest, DeletesEverythingOfATrace) {
  ASSERT_OK(Append(1));
  ASSERT_OK(Append(1));
  ASSERT_OK(UpdateTags(1, {.set = {{"env", "test"}}}));
  ASSERT_OK(Assess(1, 1));
  EXPECT_THAT(Delete({Trace(1), Trace(2)}), IsOkAndHolds("1"));
  EXPECT_FALSE(Exists(1));
  for (const keys::Family family :
       {keys::kChunks, keys::kDirectory, keys::kIndex, keys::kAssessments}) {
    EXPECT_THAT(Keys(family), IsEmpty()) << family;
  }
  EXPECT_THAT(Keys(keys::kTraces), ElementsAre(keys::Binding(Trace(1))));
  ASSAY_ASSERT_OK_AND_ASSIGN(ExperimentState state, lives_.ReadExperiment("e"));
  EXPECT_EQ(BytesBeyond(state, 0), 0);
  const auto events = Feed();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].experiment(), "e");
  EXPECT_EQ(events[0].trace_deleted(), Trace(1).bytes());
  EXPECT_EQ(lives_.ReclaimableBytes(), 2000);
}

TEST_F(LifecycleStoreTest, DeletesTracesFromTheGroupsOfTheIndex) {
  ASSERT_OK(AppendTogether({1, 2, 3}));
  ASSERT_OK(UpdateTags(1, {.set = {{"env", "test"}}}));
  ASSERT_OK(UpdateTags(2, {.set = {{"env", "test"}}}));
  EXPECT_THAT(TracesTagged("env", "test"), ElementsAre(Trace(1), Trace(2)));
  ASSERT_OK(UpdateTags(2, {.remove = {"env"}}));
  EXPECT_THAT(TracesTagged("env", "test"), ElementsAre(Trace(1)));
  EXPECT_THAT(Delete({Trace(1)}), IsOkAndHolds("1"));
  EXPECT_THAT(TracesTagged("env", "test"), IsEmpty());
  EXPECT_THAT(TracesByTime(), ElementsAre(Trace(2), Trace(3)));
  EXPECT_THAT(Delete({Trace(2), Trace(3)}), IsOkAndHolds("2"));
  EXPECT_THAT(TracesByTime(), IsEmpty());
  ASSERT_OK(lives_.ReclaimSpace());
  EXPECT_THAT(Keys(keys::kIndex), IsEmpty());
}

TEST_F(LifecycleStoreTest, WhatADeletedTraceWasDueForIsKnownNoMore) {
  ASSERT_OK(AppendTogether({1, 2, 3}));
  ASSERT_OK(Delete({Trace(2)}));
  RocksCompletionStore completions(db_);
  ASSAY_ASSERT_OK_AND_ASSIGN(const auto due, completions.TracesDue(0, db_.NowMs() + 60'000, 10));
  ASSERT_EQ(due.size(), 1u);
  ASSERT_THAT(due[0].traces, ElementsAre(Trace(1), Trace(2), Trace(3)));
  EXPECT_TRUE(due[0].states[0].has_value());
  EXPECT_FALSE(due[0].states[1].has_value());
  ASSERT_OK(Purge());
  ASSAY_ASSERT_OK_AND_ASSIGN(const auto gone, completions.TracesDue(0, db_.NowMs() + 60'000, 10));
  for (const auto& state : gone[0].states) EXPECT_FALSE(state.has_value());
}

TEST_F(LifecycleStoreTest, GroupsOfTheIndexExpireWithTheirTraces) {
  ASSERT_OK(AppendTogether({1, 2, 3}));
  ASSERT_OK(Purge());
  EXPECT_THAT(TracesByTime(), IsEmpty());
  ASSERT_OK(AppendTogether({2, 4}));
  EXPECT_THAT(TracesByTime(), ElementsAre(Trace(2), Trace(4)));
  const size_t before = Keys(keys::kIndex).size();
  CompactAll();
  EXPECT_EQ(Keys(keys::kIndex).size(), before / 2);
  EXPECT_THAT(TracesByTime(), ElementsAre(Trace(2), Trace(4)));
}

TEST_F(LifecycleStoreTest, LeavesTracesOfOtherExperimentsAlone) {
  ASSERT_OK(Append(1, "other"));
  EXPECT_THAT(Delete({Trace(1)}), IsOkAndHolds("0"));
  EXPECT_TRUE(Exists(1));
}

TEST_F(LifecycleStoreTest, RefusesSpansOfADeletedTraceForADay) {
  ASSERT_OK(Append(1));
  ASSERT_OK(Delete({Trace(1)}));
  clock_.Advance(absl::Hours(23));
  ASSAY_ASSERT_OK_AND_ASSIGN(AppendResult late, Append(1));
  EXPECT_THAT(late.refused, ElementsAre(Pair(kRefusedDeleted, 1)));
  EXPECT_FALSE(Exists(1));
  EXPECT_THAT(Delete({Trace(1)}), IsOkAndHolds("0"));
  clock_.Advance(absl::Hours(2));
  ASSERT_OK(Append(1));
  ASSERT_TRUE(Exists(1));
  EXPECT_EQ(SpanCount((*traces_.GetTrace(Trace(1)))->facts), 1);
}

TEST_F(LifecycleStoreTest, AssessmentsOfADeletedTraceFindNoPlace) {
  ASSERT_OK(Append(1));
  ASSERT_OK(Delete({Trace(1)}));
  ASSERT_OK(Assess(1, 1));
  EXPECT_THAT(Keys(keys::kAssessments), IsEmpty());
  EXPECT_THAT(traces_.AppliedSequence("feedback"), IsOkAndHolds(1));
}

TEST_F(LifecycleStoreTest, DeletesManyInSeveralSteps) {
  std::vector<TraceId> traces;
  for (int i = 1; i <= 250; ++i) {
    ASSERT_OK(Append(i));
    traces.push_back(Trace(i));
  }
  ASSERT_OK(Append(300));
  EXPECT_THAT(Delete(traces, Key("r")), IsOkAndHolds("250"));
  EXPECT_EQ(Keys(keys::kChunks).size(), 1u);
  EXPECT_EQ(Feed().size(), 250u);
  ASSERT_OK(Append(301));
  EXPECT_THAT(Delete({Trace(301)}, Key("r")), IsOkAndHolds("250"));
  EXPECT_TRUE(Exists(301));
  EXPECT_THAT(lives_.FindAnswer(Key("r")), IsOkAndHolds(testing::Optional(testing::Eq("250"))));
  EXPECT_THAT(Delete(traces, Key("r", "other body")), HasReason("REQUEST_ID_REUSED"));
}

TEST_F(LifecycleStoreTest, DeletesTheJudgementsOfATrace_AndTheirs) {
  for (const int number : {1, 2}) ASSERT_OK(Append(number));
  ASSERT_OK(AppendJudgement(11, Name(1)));
  ASSERT_OK(AppendJudgement(12, Name(1)));
  ASSERT_OK(AppendJudgement(13, Name(2)));
  ASSERT_OK(AppendJudgement(21, Name(11)));
  ASSERT_OK(AppendJudgement(31, Name(21)));
  EXPECT_THAT(Delete({Trace(1)}, Key("r")), IsOkAndHolds("1+4"));
  for (const int gone : {1, 11, 12, 21, 31}) EXPECT_FALSE(Exists(gone)) << gone;
  for (const int there : {2, 13}) EXPECT_TRUE(Exists(there)) << there;
  std::vector<TraceId> told;
  for (const auto& event : Feed()) told.push_back(*TraceId::FromBytes(event.trace_deleted()));
  EXPECT_THAT(told, UnorderedElementsAre(Trace(1), Trace(11), Trace(12), Trace(21), Trace(31)));
  EXPECT_EQ(told.back(), Trace(1)) << "after its judgements";
  EXPECT_THAT(Delete({Trace(1)}, Key("r")), IsOkAndHolds("1+4"));
  EXPECT_THAT(Delete({Trace(2), Trace(13)}), IsOkAndHolds("2")) << "both were asked for";
  EXPECT_THAT(Keys(keys::kIndex), IsEmpty());
}

TEST_F(LifecycleStoreTest, DeletesManyJudgementsInSeveralSteps) {
  ASSERT_OK(Append(1));
  for (int i = 2; i <= 350; ++i) ASSERT_OK(AppendJudgement(i, Name(1)));
  EXPECT_THAT(Delete({Trace(1)}), IsOkAndHolds("1+349"));
  EXPECT_THAT(Keys(keys::kIndex), IsEmpty());
}

TEST_F(LifecycleStoreTest, DeletesALongChainAndARingOfJudgements) {
  ASSERT_OK(Append(1));
  for (int i = 2; i <= 100; ++i) ASSERT_OK(AppendJudgement(i, Name(i - 1)));
  EXPECT_THAT(Delete({Trace(1)}), StatusIs(absl::StatusCode::kOk));
  for (int i = 1; i <= 100; ++i) EXPECT_FALSE(Exists(i)) << i;
  ASSERT_OK(AppendJudgement(201, Name(203)));
  ASSERT_OK(AppendJudgement(202, Name(201)));
  ASSERT_OK(AppendJudgement(203, Name(202)));
  EXPECT_THAT(Delete({Trace(202)}), IsOkAndHolds("1+2"));
  EXPECT_THAT(Keys(keys::kIndex), IsEmpty());
}

TEST_F(LifecycleStoreTest, DeletesTheJudgementsOfATracesSession) {
  TraceChunk chunk = TestChunk(1, "e", 100);
  chunk.trace = Trace(1);
  chunk.facts.set_session("s/1");
  ASSERT_OK(AppendTo(traces_, std::move(chunk)));
  ASSERT_OK(AppendJudgement(11, "experiments/e/sessions/s%2F1"));
  ASSERT_OK(AppendJudgement(12, "experiments/e/sessions/s2"));
  EXPECT_THAT(Delete({Trace(1)}, {}, "other"), IsOkAndHolds("0")) << "not a trace of it";
  EXPECT_TRUE(Exists(11));
  EXPECT_THAT(Delete({Trace(1)}), IsOkAndHolds("1+1"));
  EXPECT_FALSE(Exists(11));
  EXPECT_TRUE(Exists(12));
}

TEST_F(LifecycleStoreTest, KeepsWhatOnlySoundsLikeAJudgement) {
  ASSERT_OK(Append(1));
  TraceChunk chunk = Judgement(11, Name(1));
  chunk.facts.mutable_metadata()->erase("assay_judge_call");
  ASSERT_OK(AppendTo(traces_, std::move(chunk)));
  ASSERT_OK(AppendJudgement(12, Name(1), "other"));
  EXPECT_THAT(Delete({Trace(1)}), IsOkAndHolds("1"));
  EXPECT_TRUE(Exists(11));
  EXPECT_TRUE(Exists(12)) << "of another experiment";
}

TEST_F(LifecycleStoreTest, RefusesAJudgementThatComesAfterItsTraceIsDeleted) {
  ASSERT_OK(Append(1));
  ASSERT_OK(Delete({Trace(1)}));
  const absl::StatusOr<AppendResult> late = AppendJudgement(11, Name(1));
  ASSERT_OK(late);
  EXPECT_THAT(late->refused, ElementsAre(Pair(kRefusedJudgement, 1)));
  EXPECT_FALSE(Exists(11));
  // Of a trace that was never there nothing is known.
  ASSERT_OK(AppendJudgement(12, Name(2)));
  EXPECT_TRUE(Exists(12));
}

TEST_F(LifecycleStoreTest, AJudgementThatComesWhileItsTraceIsDeletedGoesToo) {
  ASSERT_OK(Append(1));
  // Prepared in turns, committed in turns: the executor runs what each of them left to do.
  std::optional<absl::StatusOr<std::string>> deleted;
  std::optional<absl::StatusOr<AppendResult>> appended;
  for (int first = 0; first < 2; ++first) {
    if (first == 0) {
      lives_.DeleteTraces(
          "e", {Trace(1)}, {}, [](const DeletedTraces&) { return ""; },
          [&](absl::StatusOr<std::string> given) { deleted = std::move(given); });
    }
    std::vector<TraceChunk> chunks;
    chunks.push_back(Judgement(11 + first, Name(1)));
    traces_.AppendSpans(std::move(chunks), false,
                        [&](absl::StatusOr<AppendResult> given) { appended = std::move(given); });
  }
  executor_.RunAll();
  ASSERT_TRUE(deleted.has_value() && appended.has_value());
  EXPECT_OK(*deleted);
  for (const int gone : {1, 11, 12}) EXPECT_FALSE(Exists(gone)) << gone;
}

TEST_F(LifecycleStoreTest, ARaisedHorizonHidesAtOnceAndForGood) {
  ASSERT_OK(Append(1));
  ASSERT_OK(Assess(1, 1));
  ASSERT_OK(Append(2, "other"));
  EXPECT_THAT(Purge(), IsOkAndHolds(""));
  EXPECT_FALSE(Exists(1));
  EXPECT_TRUE(Exists(2));
  int found = 0;
  ASSERT_OK(traces_.ScanTraces({.experiment = "e"}, [&](const TracePosition&) { return ++found; }));
  ASSERT_OK(traces_.ReadChunks(Trace(1), [&](uint64_t, std::string_view) { return ++found; }));
  EXPECT_EQ(found, 0);
  EXPECT_THAT(traces_.TracesWithAssessment({"e", false, "quality"}, 10)->traces, IsEmpty());
  EXPECT_THAT(*traces_.AssessmentsOf(Trace(1), 10), IsEmpty());
  // In the same millisecond: bound at the horizon, so it stays.
  ASSERT_OK(Append(3));
  EXPECT_TRUE(Exists(3));
  // The id is free: a new trace that has nothing of the one before.
  ASSERT_OK(Append(1));
  ASSERT_TRUE(Exists(1));
  EXPECT_EQ(SpanCount((*traces_.GetTrace(Trace(1)))->facts), 1);
  ASSERT_OK(traces_.ReadChunks(Trace(1), [&](uint64_t, std::string_view) { return ++found; }));
  EXPECT_EQ(found, 1);
}

TEST_F(LifecycleStoreTest, TellsWatchersOfAHorizonOnlyIfItTakesTraces) {
  ASSERT_OK(Purge("empty"));
  EXPECT_THAT(Feed(), IsEmpty());
  ASSERT_OK(Append(1));
  const uint64_t now_ms = db_.NowMs();
  ASSERT_OK(Purge());
  ASSERT_OK(Change({.horizon_ms = 5}));  // Lower: nothing happens.
  const auto events = Feed();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].experiment(), "e");
  EXPECT_EQ(events[0].expired_before_ms(), now_ms + 1);
  ASSAY_ASSERT_OK_AND_ASSIGN(ExperimentState state, lives_.ReadExperiment("e"));
  EXPECT_EQ(state.horizon_ms, now_ms + 1);
  EXPECT_THAT(state.usage, IsEmpty());
}

TEST_F(LifecycleStoreTest, CountsByTheHourAndKeepsTheRule) {
  ASSERT_OK(Append(1));
  clock_.Advance(absl::Hours(1));
  ASSERT_OK(Append(2));
  ASSERT_OK(Append(3));
  const RetentionRule rule{.max_age_ms = 3'600'000, .max_bytes = 1 << 20};
  EXPECT_THAT(Change({.rule = rule, .answer = "done"}, Key("r")), IsOkAndHolds("done"));
  ASSAY_ASSERT_OK_AND_ASSIGN(ExperimentState state, lives_.ReadExperiment("e"));
  EXPECT_EQ(state.rule, rule);
  EXPECT_EQ(state.version, 1);
  ASSERT_EQ(state.usage.size(), 2u);
  EXPECT_EQ(state.usage[0].bytes, 1000);
  EXPECT_EQ(state.usage[1].bytes, 2000);
  EXPECT_EQ(state.usage[1].hour, state.usage[0].hour + 1);
  // Repeated: no second version.
  EXPECT_THAT(Change({.rule = rule, .answer = "again"}, Key("r")), IsOkAndHolds("done"));
  EXPECT_EQ(lives_.ReadExperiment("e")->version, 1);
}

TEST_F(LifecycleStoreTest, CompactionsLeaveOutWhatIsGoneBlobsToo) {
  constexpr size_t kLarge = 200'000;
  for (int i = 1; i <= 5; ++i) {
    ASSERT_OK(Append(i, "e", kLarge));
    ASSERT_OK(UpdateTags(i, {.set = {{"env", "test"}}}));
  }
  ASSERT_OK(Assess(1, 1));
  ASSERT_OK(Append(10, "stays", kLarge));
  CompactAll();
  ASSERT_GT(FileBytes(".blob"), 6 * kLarge);
  ASSERT_OK(Purge());
  ASSERT_OK(lives_.ReclaimSpace());
  CompactAll();
  EXPECT_LT(FileBytes(".blob"), 2 * kLarge);
  EXPECT_GT(FileBytes(".blob"), kLarge);
  EXPECT_LT(FileBytes(".sst"), kLarge);
  EXPECT_EQ(Keys(keys::kChunks).size(), 1u);
  EXPECT_EQ(Keys(keys::kDirectory).size(), 1u);
  EXPECT_EQ(Keys(keys::kTraces).size(), 2u);
  EXPECT_EQ(Keys(keys::kAssessments).size(), 0u);
  const std::optional<uint32_t> number = db_.FindNumber("e");
  EXPECT_THAT(Keys(keys::kIndex, keys::TimePrefix(*number)), IsEmpty());
  EXPECT_THAT(TracesTagged("env", "test"), IsEmpty());
  EXPECT_THAT(Keys(keys::kIndex, keys::ByNamePrefix({"e", false, "quality"})), IsEmpty());
  EXPECT_TRUE(Exists(10));
  size_t bytes = 0;
  ASSERT_OK(traces_.ReadChunks(Trace(10), [&](uint64_t, std::string_view otlp) {
    bytes += otlp.size();
    return true;
  }));
  EXPECT_GT(bytes, kLarge);
}

TEST_F(LifecycleStoreTest, BringsBackTheSpaceOfDeletedTraces) {
  constexpr size_t kLarge = 200'000;
  std::vector<TraceId> deleted;
  for (int i = 1; i <= 6; ++i) {
    ASSERT_OK(Append(i, "e", kLarge));
    if (i % 2 == 0) deleted.push_back(Trace(i));
  }
  CompactAll();
  ASSERT_OK(Delete(deleted));
  ASSERT_OK(lives_.ReclaimSpace());
  EXPECT_LT(FileBytes(".blob"), 4 * kLarge);
  EXPECT_EQ(lives_.ReclaimableBytes(), 0);
  EXPECT_TRUE(Exists(1));
}

TEST_F(LifecycleStoreTest, MarksOfDeletionGoAfterADay) {
  ASSERT_OK(Append(1));
  ASSERT_OK(Delete({Trace(1)}));
  clock_.Advance(absl::Hours(23));
  CompactAll();
  EXPECT_EQ(Keys(keys::kTraces).size(), 1u);
  clock_.Advance(absl::Hours(2));
  CompactAll();
  EXPECT_THAT(Keys(keys::kTraces), IsEmpty());
}

TEST_F(LifecycleStoreTest, FactsThatWereNeverMergedGoToo) {
  ASSERT_OK(Append(1));
  ASSERT_OK(db_.db().CompactFamily(keys::kTraces));
  ASSERT_OK(Append(1));
  ASSERT_OK(UpdateTags(1, {.set = {{"a", "b"}}}));
  ASSERT_OK(Purge());
  ASSERT_OK(db_.db().CompactFamily(keys::kTraces));
  EXPECT_THAT(Keys(keys::kTraces), IsEmpty());
}

TEST_F(LifecycleStoreTest, HorizonsOutliveTheProcess) {
  rocks::MemoryFiles files;
  {
    MemoryTraceDb db(executor_, clock_, &files);
    RocksTraceStore traces(db);
    RocksLifecycleStore lives(db);
    ASSERT_OK(AppendTo(traces, TestChunk(1, "e", 100)));
    std::optional<absl::Status> changed;
    lives.ChangeExperiment(
        "e",
        [&](const ExperimentState&) -> absl::StatusOr<ExperimentChange> {
          return ExperimentChange{.horizon_ms = db.NowMs() + 1};
        },
        {}, [&](absl::StatusOr<std::string> done) { changed = done.status(); });
    executor_.RunAll();
    ASSERT_OK(*changed);
  }
  MemoryTraceDb db(executor_, clock_, &files);
  RocksTraceStore traces(db);
  EXPECT_FALSE((*traces.GetTrace(TestTrace(1))).has_value());
}

TEST_F(LifecycleStoreTest, TellsWhatATraceStoreThatIsFullSays) {
  ASSERT_OK(Append(1));
  db_.FailWritesWith(absl::UnavailableError("full"));
  EXPECT_THAT(Delete({Trace(1)}, Key("r")), StatusIs(absl::StatusCode::kUnavailable, _));
  EXPECT_THAT(Purge(), StatusIs(absl::StatusCode::kUnavailable, _));
  db_.FailWritesWith(absl::OkStatus());
  EXPECT_TRUE(Exists(1));
  EXPECT_THAT(Delete({Trace(1)}, Key("r")), IsOkAndHolds("1"));
}

}  // namespace
}  // namespace assay::trace
