#include "services/trace/store/lifecycle_store.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/trace/core/lifecycle/retention_rule.h"
#include "services/trace/store/completion_store.h"
#include "services/trace/testing/lifecycle_fixture.h"

namespace assay::trace {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TraceStoreConformance);

namespace {

using testing::_;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

class LifecycleStoreTest : public LifecycleFixture {};

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
