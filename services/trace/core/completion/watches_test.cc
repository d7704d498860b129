#include "services/trace/core/completion/watches.h"

#include <string>
#include <utility>
#include <vector>

#include "common/status/status_matchers.h"
#include "services/trace/testing/completion_fixture.h"

namespace assay::trace {
namespace {

using Request = v1::WatchTracesRequest;
using Sink = std::shared_ptr<FakeSink<v1::WatchTracesResponse>>;

Request Parent(const std::string& parent = "experiments/e") {
  Request request;
  request.set_parent(parent);
  return request;
}

Request Resume(const std::string& token) {
  Request request = Parent();
  request.set_resume_token(token);
  return request;
}

// What a watcher saw: "1@2" for trace 1 in generation 2, "-1" for a deletion, "<" for an expiry.
std::vector<std::string> Seen(const Sink& sink) {
  std::vector<std::string> seen;
  const auto number = [](const std::string& name) {
    return std::to_string(std::stoi(name.substr(name.size() - 2), nullptr, 16));
  };
  for (const v1::WatchTracesResponse& item : sink->items) {
    EXPECT_FALSE(item.resume_token().empty());
    if (item.has_completed()) {
      EXPECT_TRUE(item.has_event_time());
      seen.push_back(number(item.completed().trace().name()) + "@" +
                     std::to_string(item.completed().generation()));
    } else if (!item.deleted().empty()) {
      seen.push_back("-" + number(item.deleted()));
    } else if (item.has_expired()) {
      seen.push_back("<" + item.expired().experiment());
    }
  }
  return seen;
}

class WatchesTest : public CompletionTest {
 protected:
  void Event(storage::v1::FeedRecord event) {
    event.set_schema_version(1);
    event.set_experiment("e");
    event.set_time_ms(ToUnixMs(clock_.Now()));
    TraceWrite write;
    write.feed.push_back(std::move(event));
    db_->Commit(std::move(write), [](const absl::Status& status) { EXPECT_OK(status); });
    Settle();
  }
};

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(WatchesTest, SendsTheCompletionsThatComeWithTheSpans) {
  const Sink sink = WatchTraces(Parent());
  Append(1, {.complete = true});
  Append(2);
  EXPECT_THAT(Seen(sink), ElementsAre("1@1"));
}

TEST_F(WatchesTest, SendsCompletionsFromNowOn) {
  Append(1);
  ASSERT_OK(Complete(1));
  const Sink sink = WatchTraces(Parent());
  EXPECT_EQ(sink->items.size(), 1u) << "a token comes at once";
  EXPECT_THAT(Seen(sink), IsEmpty());
  Append(2);
  Append(3, {.experiment = "other"});
  Advance(absl::Seconds(31));
  Append(2, {.span = 2, .parent = 1});
  Advance(absl::Seconds(31));
  EXPECT_THAT(Seen(sink), ElementsAre("2@1", "2@2"));
  EXPECT_EQ(sink->items.back().completed().trace().state(), v1::TRACE_STATE_OK);
}

TEST_F(WatchesTest, BeginsWithTheOldestEventIfAsked) {
  for (const uint8_t trace : {1, 2}) Append(trace);
  Append(3, {.experiment = "other"});
  Advance(absl::Minutes(1));
  Request request = Parent();
  request.set_from_beginning(true);
  EXPECT_THAT(Seen(WatchTraces(request)), ElementsAre("1@1", "2@1"));
  request.set_parent("experiments/-");
  EXPECT_THAT(Seen(WatchTraces(request)), ElementsAre("1@1", "2@1", "3@1"));
}

TEST_F(WatchesTest, AWatcherThatWasAwayMissesNothing) {
  const Sink first = WatchTraces(Parent());
  Append(1);
  Advance(absl::Minutes(1));
  ASSERT_THAT(Seen(first), ElementsAre("1@1"));
  const std::string token = first->items.back().resume_token();
  first->Finish(absl::CancelledError());
  Append(1, {.span = 2, .parent = 1});
  Append(2);
  Advance(absl::Hours(12));
  Reopen();
  Append(1, {.span = 3, .parent = 1});
  Advance(absl::Hours(12));
  const Sink again = WatchTraces(Resume(token));
  EXPECT_THAT(Seen(again), ElementsAre("1@2", "2@1", "1@3"));
  EXPECT_EQ(again->items[0].completed().trace().completion_generation(), 3)
      << "the trace is shown as it is now";
}

TEST_F(WatchesTest, FiltersByTheTraceAsItIs) {
  Request request = Parent();
  request.set_filter("state = ERROR");
  const Sink sink = WatchTraces(request);
  Append(1);
  Append(2, {.error = true});
  Advance(absl::Minutes(1));
  EXPECT_THAT(Seen(sink), ElementsAre("2@1"));
  request.set_filter("nonsense = 1");
  EXPECT_THAT(*WatchTraces(request)->status, HasReason("INVALID_FILTER"));
}

TEST_F(WatchesTest, TellsOfDeletionsAndExpiry) {
  Request request = Parent();
  request.set_filter("state = ERROR");
  const Sink sink = WatchTraces(request);
  storage::v1::FeedRecord event;
  event.set_trace_deleted(std::string(TestTrace(7).bytes()));
  Event(event);
  event.set_expired_before_ms(1000);
  Event(event);
  EXPECT_THAT(Seen(sink), ElementsAre("-7", "<experiments/e"));
  event.mutable_trace_completed()->set_trace_id(std::string(TestTrace(8).bytes()));
  Event(event);
  EXPECT_EQ(Seen(sink).size(), 2u) << "a trace that is gone";
}

TEST_F(WatchesTest, ASlowReaderWaitsAndMissesNothing) {
  const Sink slow = WatchTraces(Parent(), /*room=*/3);
  const Sink quick = WatchTraces(Parent());
  for (uint8_t trace = 1; trace <= 150; ++trace) Append(trace);
  Advance(absl::Minutes(1));
  EXPECT_EQ(Seen(quick).size(), 150u);
  EXPECT_EQ(slow->items.size(), 3u);
  Advance(absl::Minutes(1));
  EXPECT_EQ(slow->items.size(), 3u) << "nothing is sent to who does not read";
  slow->room = 1'000'000;
  (*std::exchange(slow->waiting, std::nullopt))();
  Settle();
  EXPECT_EQ(Seen(slow), Seen(quick));
}

TEST_F(WatchesTest, CarriesTheTokenForwardWhenNothingIsSent) {
  options_.watch.max_skipped = 10;
  Reopen();
  const Sink sink = WatchTraces(Parent());
  for (uint8_t trace = 1; trace <= 25; ++trace) Append(trace, {.experiment = "other"});
  for (uint8_t trace = 1; trace <= 25; ++trace) ASSERT_OK(Complete(trace, {}, "other"));
  EXPECT_EQ(sink->items.size(), 3u) << "the first, and two after ten events each";
  const std::string before = sink->items.back().resume_token();
  Advance(absl::Seconds(20));
  EXPECT_EQ(sink->items.size(), 4u);
  EXPECT_NE(sink->items.back().resume_token(), before);
  for (int i = 0; i < 12; ++i) Advance(absl::Seconds(5));
  EXPECT_EQ(sink->items.size(), 8u) << "every 15 seconds";
}

TEST_F(WatchesTest, RefusesTokensOfOtherWatches) {
  const std::string token = WatchTraces(Parent())->items.back().resume_token();
  EXPECT_FALSE(WatchTraces(Resume(token))->Ended());
  Request request = Resume(token);
  request.set_filter("state = OK");
  EXPECT_THAT(*WatchTraces(request)->status, HasReason("INVALID_RESUME_TOKEN"));
  request = Resume(token);
  request.set_parent("experiments/-");
  EXPECT_THAT(*WatchTraces(request)->status, HasReason("INVALID_RESUME_TOKEN"));
  request = Resume(token + "A");
  EXPECT_THAT(*WatchTraces(request)->status, HasReason("INVALID_RESUME_TOKEN"));
  request.set_parent("experiments/Not A Slug");
  EXPECT_THAT(*WatchTraces(request)->status, StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(WatchesTest, OldEventsAreForgottenAndOldTokensRefused) {
  const std::string old = WatchTraces(Parent())->items.back().resume_token();
  Append(1);
  Advance(absl::Minutes(1));
  const Sink open = WatchTraces(Parent());
  const std::string newer = open->items.back().resume_token();
  Advance(absl::Hours(24 * 31));
  EXPECT_EQ(feed_->FirstKept(), 2u);
  EXPECT_FALSE(open->Ended());
  EXPECT_THAT(
      *WatchTraces(Resume(old))->status,
      testing::AllOf(StatusIs(absl::StatusCode::kOutOfRange), HasReason("RESUME_TOKEN_EXPIRED")));
  EXPECT_FALSE(WatchTraces(Resume(newer))->Ended());
  Reopen();
  EXPECT_EQ(feed_->FirstKept(), 2u);
  EXPECT_THAT(*WatchTraces(Resume(old))->status, HasReason("RESUME_TOKEN_EXPIRED"));
  const Sink resumed = WatchTraces(Resume(newer));
  Append(2);
  ASSERT_OK(Complete(2));
  EXPECT_THAT(Seen(resumed), ElementsAre("2@1")) << "places are not given twice";
}

TEST_F(WatchesTest, LimitsOpenWatches) {
  options_.watch.max_watches = 2;
  Reopen();
  CallContext cancelled;
  cancelled.cancel = std::make_shared<CancellationToken>();
  context_ = cancelled;
  const Sink first = WatchTraces(Parent());
  context_ = CallContext();
  const Sink second = WatchTraces(Parent());
  const Sink third = WatchTraces(Parent());
  EXPECT_THAT(*third->status, HasReason("OVERLOADED"));
  cancelled.cancel->Cancel();
  EXPECT_FALSE(WatchTraces(Parent())->Ended()) << "a client that leaves makes room";
  Settle();
  EXPECT_EQ(core_->watch().open_watches(), 2u);
}

}  // namespace
}  // namespace assay::trace
