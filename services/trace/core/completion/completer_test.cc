#include "services/trace/core/completion/completer.h"

#include <string>

#include "common/status/status_matchers.h"
#include "services/trace/testing/completion_fixture.h"

namespace assay::trace {
namespace {

using CompleterTest = CompletionTest;

TEST_F(CompleterTest, CompletesATraceWhenItWasIdleForTheWindow) {
  Append(1);
  Append(2, {.error = true});
  Advance(absl::Seconds(30) - absl::Milliseconds(1));
  EXPECT_EQ(Shown(1).state(), v1::TRACE_STATE_IN_PROGRESS);
  EXPECT_TRUE(Shown(1).root_ended());
  EXPECT_EQ(Generation(1), 0);
  Advance(absl::Seconds(1));
  EXPECT_EQ(Shown(1).state(), v1::TRACE_STATE_OK);
  EXPECT_EQ(Shown(2).state(), v1::TRACE_STATE_ERROR);
  EXPECT_EQ(Generation(1), 1);
  EXPECT_EQ(Shown(1).complete_time().seconds(), absl::ToUnixSeconds(clock_.Now()));
  Advance(absl::Hours(5));
  EXPECT_EQ(Generation(1), 1);
}

TEST_F(CompleterTest, WaitsUntilNoMoreSpansArrive) {
  Append(1);
  for (uint8_t span = 2; span < 12; ++span) {
    Advance(absl::Seconds(29));
    Append(1, {.span = span, .parent = 1});
  }
  EXPECT_EQ(Generation(1), 0);
  Advance(absl::Seconds(29));
  EXPECT_EQ(Generation(1), 0);
  Advance(absl::Seconds(1));
  EXPECT_EQ(Generation(1), 1);
}

TEST_F(CompleterTest, WaitsForTheEndOfTheRoot) {
  Append(1, {.span = 2, .parent = 1});
  Append(2, {.ended = false});
  Advance(absl::Hours(1));
  EXPECT_EQ(Shown(1).state(), v1::TRACE_STATE_IN_PROGRESS);
  EXPECT_EQ(Shown(2).state(), v1::TRACE_STATE_IN_PROGRESS);
  EXPECT_FALSE(Shown(2).root_ended());
  Append(1);
  Append(2);
  Advance(absl::Seconds(30));
  EXPECT_EQ(Shown(1).state(), v1::TRACE_STATE_OK);
  EXPECT_EQ(Shown(2).state(), v1::TRACE_STATE_OK);
}

TEST_F(CompleterTest, LateSpansReopenATraceAndRaiseItsGeneration) {
  Append(1);
  Advance(absl::Seconds(31));
  EXPECT_EQ(Generation(1), 1);
  Append(1, {.span = 2, .parent = 1});
  EXPECT_EQ(Shown(1).state(), v1::TRACE_STATE_IN_PROGRESS);
  EXPECT_EQ(Generation(1), 1);
  Advance(absl::Seconds(31));
  EXPECT_EQ(Shown(1).state(), v1::TRACE_STATE_OK);
  EXPECT_EQ(Generation(1), 2);
}

TEST_F(CompleterTest, ATraceThatItsSenderCallsWholeIsCompleteWithItsSpans) {
  Append(1, {.ended = false, .complete = true});
  EXPECT_EQ(appended_.completed, 1);
  EXPECT_EQ(Shown(1).state(), v1::TRACE_STATE_OK);
  EXPECT_EQ(Generation(1), 1);
  Advance(absl::Hours(1));
  EXPECT_EQ(Generation(1), 1) << "nothing came in between";
  Append(1, {.span = 2, .parent = 1});
  EXPECT_EQ(Shown(1).state(), v1::TRACE_STATE_IN_PROGRESS);
  Append(1);
  Advance(absl::Seconds(31));
  EXPECT_EQ(Generation(1), 2);
  Reopen();
  EXPECT_EQ(Generation(1), 2);
}

TEST_F(CompleterTest, CompletesTheTracesOfARequestAsItLeftThem) {
  AppendTogether({1, 2, 3}, {.session = "s"});
  AppendTogether({4, 5}, {.ended = false});
  Advance(absl::Seconds(31));
  for (const uint8_t trace : {1, 2, 3}) EXPECT_EQ(Generation(trace), 1) << int{trace};
  for (const uint8_t trace : {4, 5}) EXPECT_EQ(Generation(trace), 0) << int{trace};
  AppendTogether({4, 5, 6});
  Advance(absl::Seconds(31));
  for (const uint8_t trace : {4, 5, 6}) EXPECT_EQ(Generation(trace), 1) << int{trace};
}

TEST_F(CompleterTest, WhatARequestSaidOfItsTracesHoldsAsLongAsNothingHappensToThem) {
  AppendTogether({1, 2, 3, 4});
  const uint64_t now_ms = ToUnixMs(clock_.Now());
  const auto unchanged = [&] {
    std::vector<int> found;
    const auto due = store_->TracesDue(0, now_ms + 60'000, 100);
    EXPECT_OK(due);
    for (const DueTraces& entry : *due) {
      for (size_t i = 0; i < entry.states.size(); ++i) {
        if (entry.states[i].has_value()) found.push_back(entry.traces[i].bytes().back());
      }
    }
    return found;
  };
  EXPECT_THAT(unchanged(), testing::ElementsAre(1, 2, 3, 4));
  Append(2, {.span = 2, .parent = 1});
  ASSERT_OK(Complete(3));
  EXPECT_THAT(unchanged(), testing::ElementsAre(1, 4));
  Reopen();
  EXPECT_THAT(unchanged(), testing::IsEmpty()) << "nobody knows what happened before";
  Advance(absl::Seconds(31));
  for (const uint8_t trace : {1, 2, 3, 4}) EXPECT_EQ(Generation(trace), 1) << int{trace};
}

TEST_F(CompleterTest, SpansThatComeLaterKeepATraceOfARequestOpen) {
  AppendTogether({1, 2});
  Advance(absl::Seconds(20));
  AppendTogether({2, 3}, {.span = 2, .parent = 1});
  Advance(absl::Seconds(15));
  EXPECT_EQ(Generation(1), 1);
  EXPECT_EQ(Generation(2), 0) << "its second span came 15 seconds ago";
  Advance(absl::Seconds(20));
  EXPECT_EQ(Generation(2), 1);
  EXPECT_EQ(Generation(3), 0) << "without a root";
}

TEST_F(CompleterTest, WhatConcernsOthersIsLeftToTheCompleter) {
  Append(1);
  Append(1, {.span = 2, .parent = 1, .complete = true});
  EXPECT_EQ(appended_.completed, 0);
  EXPECT_THAT(appended_.to_complete, testing::ElementsAre(TestTrace(1)));
  Append(2, {.session = "s", .complete = true});
  EXPECT_THAT(appended_.to_complete, testing::ElementsAre(TestTrace(2)));
  EXPECT_EQ(Generation(2), 0);
}

TEST_F(CompleterTest, CompletesAtOnceWhenAClientSaysSo) {
  Append(1, {.ended = false});
  Append(2, {.span = 2, .parent = 1});
  Append(3, {.span = 2, .parent = 1, .error = true});
  for (const uint8_t trace : {1, 2, 3}) ASSERT_OK(Complete(trace));
  EXPECT_EQ(Shown(1).state(), v1::TRACE_STATE_OK);
  EXPECT_EQ(Shown(2).state(), v1::TRACE_STATE_OK);
  EXPECT_EQ(Shown(3).state(), v1::TRACE_STATE_ERROR) << "without a root, any error counts";
  ASSERT_OK(Complete(1));
  Advance(absl::Minutes(1));
  EXPECT_EQ(Generation(1), 1) << "nothing came in between";
  Append(1);
  EXPECT_EQ(Shown(1).state(), v1::TRACE_STATE_IN_PROGRESS);
  ASSERT_OK(Complete(1, {}, "-"));
  EXPECT_EQ(Generation(1), 2);
}

TEST_F(CompleterTest, RefusesToCompleteWhatIsNotThere) {
  EXPECT_THAT(Complete(1), StatusIs(absl::StatusCode::kNotFound));
  absl::Status registered;
  traces_->Preregister({TestTrace(1)}, {"e", ""}, false, {},
                       [&](absl::StatusOr<AppendResult> answer) { registered = answer.status(); });
  Settle();
  ASSERT_OK(registered);
  EXPECT_THAT(Complete(1), HasReason("TRACE_HAS_NO_SPANS"));
  Append(1);
  EXPECT_THAT(Complete(1, {}, "other"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_OK(Complete(1));
}

TEST_F(CompleterTest, ARequestIdHasItsEffectOnce) {
  const RequestKey key{"p", "m", "id", std::string(32, 'a')};
  const RequestKey other{"p", "m", "id", std::string(32, 'b')};
  Append(1);
  ASSERT_OK(Complete(1, key));
  Append(1, {.span = 2, .parent = 1});
  ASSERT_OK(Complete(1, key));
  EXPECT_EQ(Generation(1), 1);
  EXPECT_THAT(Complete(1, other), HasReason("REQUEST_ID_REUSED"));
  clock_.Advance(absl::Hours(25));
  ASSERT_OK(Complete(1, other));
  EXPECT_EQ(Generation(1), 2);
}

TEST_F(CompleterTest, CompletesAfterARestart) {
  Append(1);
  Advance(absl::Seconds(10));
  Reopen();
  EXPECT_EQ(Generation(1), 0);
  Advance(absl::Seconds(20));
  EXPECT_EQ(Generation(1), 1);
  Append(1, {.span = 2, .parent = 1});
  Reopen();
  Advance(absl::Hours(10));
  EXPECT_EQ(Generation(1), 2);
}

TEST_F(CompleterTest, AWiderWindowHoldsForWhatWasDueEarlier) {
  Append(1);
  options_.completer.idle_window = absl::Seconds(100);
  Reopen();
  Advance(absl::Seconds(99));
  EXPECT_EQ(Generation(1), 0);
  Advance(absl::Seconds(1));
  EXPECT_EQ(Generation(1), 1);
}

TEST_F(CompleterTest, WorksOffABacklogInSteps) {
  options_.completer.batch = 7;
  Reopen();
  for (uint8_t trace = 1; trace <= 100; ++trace) Append(trace);
  clock_.Advance(absl::Hours(3));
  EXPECT_GT(executor_.RunAll(), 100u / 7);
  for (uint8_t trace = 1; trace <= 100; ++trace) EXPECT_EQ(Generation(trace), 1) << int{trace};
}

TEST_F(CompleterTest, TriesAgainWhenTheStoreIsBusy) {
  Append(1);
  db_->FailWritesWith(absl::UnavailableError("busy"));
  Advance(absl::Seconds(31));
  EXPECT_THAT(Complete(1), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(Generation(1), 0);
  db_->FailWritesWith(absl::OkStatus());
  Advance(absl::Seconds(1));
  EXPECT_EQ(Generation(1), 1);
}

TEST_F(CompleterTest, AnswersWhatWaitsWhenItStops) {
  Append(1);
  absl::Status result;
  core_->completer().Complete("e", TestTrace(1), {}, [&](absl::Status status) { result = status; });
  core_->completer().Complete("e", TestTrace(1), {}, [&](absl::Status status) { result = status; });
  core_->completer().Stop();
  Settle();
  EXPECT_FALSE(result.ok());
  EXPECT_THAT(Complete(1), StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace assay::trace
