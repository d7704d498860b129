#include <string>
#include <vector>

#include "common/status/status_matchers.h"
#include "services/trace/testing/completion_fixture.h"

namespace assay::trace {
namespace {

constexpr char kName[] = "experiments/e/sessions/s%2F1";

class SessionsTest : public CompletionTest {
 protected:
  // A complete trace of session s/1 after this.
  void AppendComplete(uint8_t trace, const std::string& session = "s/1") {
    Append(trace, {.session = session, .start_seconds = 100u + trace});
    ASSERT_OK(Complete(trace));
  }

  absl::StatusOr<v1::Session> Get(const std::string& name = kName) {
    v1::GetSessionRequest request;
    request.set_name(name);
    absl::StatusOr<v1::GetSessionResponse> response = absl::UnknownError("not done");
    core_->sessions().Get(context_, request, [&](auto answer) { response = std::move(answer); });
    Settle();
    if (!response.ok()) return response.status();
    return response->session();
  }
  v1::SessionState State() { return Get()->state(); }

  absl::StatusOr<v1::ListSessionsResponse> List(const std::string& filter = "", int page_size = 0,
                                                const std::string& token = "") {
    v1::ListSessionsRequest request;
    request.set_parent("experiments/e");
    request.set_filter(filter);
    request.set_page_size(page_size);
    request.set_page_token(token);
    absl::StatusOr<v1::ListSessionsResponse> response = absl::UnknownError("not done");
    core_->sessions().List(context_, request, [&](auto answer) { response = std::move(answer); });
    Settle();
    return response;
  }
  static std::vector<std::string> Ids(const v1::ListSessionsResponse& response) {
    std::vector<std::string> ids;
    for (const v1::Session& session : response.sessions()) ids.push_back(session.session());
    return ids;
  }

  absl::StatusOr<v1::ListSessionTracesResponse> Traces(int page_size = 0,
                                                       const std::string& token = "") {
    v1::ListSessionTracesRequest request;
    request.set_parent(kName);
    request.set_page_size(page_size);
    request.set_page_token(token);
    absl::StatusOr<v1::ListSessionTracesResponse> response = absl::UnknownError("not done");
    core_->sessions().ListTraces(context_, request,
                                 [&](auto answer) { response = std::move(answer); });
    Settle();
    return response;
  }
};

using testing::ElementsAre;

TEST_F(SessionsTest, CompletesAfterItsOwnWindow) {
  EXPECT_THAT(Get(), StatusIs(absl::StatusCode::kNotFound));
  AppendComplete(1);
  EXPECT_EQ(State(), v1::SESSION_STATE_IN_PROGRESS);
  Advance(absl::Seconds(200));
  AppendComplete(2);
  Advance(absl::Seconds(299));
  EXPECT_EQ(State(), v1::SESSION_STATE_IN_PROGRESS);
  Advance(absl::Seconds(1) + absl::Milliseconds(999));
  const v1::Session session = *Get();
  EXPECT_EQ(session.state(), v1::SESSION_STATE_COMPLETE);
  EXPECT_EQ(session.name(), kName);
  EXPECT_EQ(session.session(), "s/1");
  EXPECT_EQ(session.completion_generation(), 1);
  EXPECT_EQ(session.trace_count(), 2);
  EXPECT_EQ(session.start_time().seconds(), 101);
  EXPECT_EQ(session.end_time().seconds(), 103);
}

TEST_F(SessionsTest, LaterTracesReopenIt) {
  AppendComplete(1);
  Advance(absl::Seconds(301));
  EXPECT_EQ(State(), v1::SESSION_STATE_COMPLETE);
  Append(2, {.session = "s/1"});
  EXPECT_EQ(State(), v1::SESSION_STATE_IN_PROGRESS);
  Advance(absl::Seconds(31));
  Reopen();
  EXPECT_EQ(State(), v1::SESSION_STATE_IN_PROGRESS);
  Advance(absl::Seconds(301));
  EXPECT_EQ(State(), v1::SESSION_STATE_COMPLETE);
  EXPECT_EQ(Get()->completion_generation(), 2);
}

TEST_F(SessionsTest, ATraceInProgressHoldsItOpenButNotForEver) {
  AppendComplete(1);
  Append(2, {.ended = false, .session = "s/1"});
  for (int i = 0; i < 11; ++i) Advance(absl::Minutes(5));
  EXPECT_EQ(State(), v1::SESSION_STATE_IN_PROGRESS);
  EXPECT_EQ(Get()->completion_generation(), 0);
  Advance(absl::Minutes(10));
  EXPECT_EQ(State(), v1::SESSION_STATE_COMPLETE);
}

TEST_F(SessionsTest, ATraceThatGoesOnLongAfterTheOthersHoldsItOpen) {
  AppendComplete(1);
  Append(2, {.ended = false, .session = "s/1"});
  Advance(absl::Minutes(20));
  Append(2, {.span = 2, .parent = 1});
  Advance(absl::Minutes(50));
  EXPECT_EQ(Get()->completion_generation(), 0) << "its last span came less than an hour ago";
  Append(2, {.span = 1});
  Advance(absl::Seconds(31));
  EXPECT_EQ(Shown(2).state(), v1::TRACE_STATE_OK);
  Advance(absl::Seconds(301));
  EXPECT_EQ(Get()->completion_generation(), 1);
  EXPECT_EQ(State(), v1::SESSION_STATE_COMPLETE);
}

TEST_F(SessionsTest, ATraceFromBeforeARestartHoldsItOpen) {
  AppendComplete(1);
  Append(2, {.ended = false, .session = "s/1"});
  Advance(absl::Minutes(1));
  Reopen();
  for (int i = 0; i < 11; ++i) Advance(absl::Minutes(5));
  EXPECT_EQ(Get()->completion_generation(), 0);
  Advance(absl::Minutes(10));
  EXPECT_EQ(Get()->completion_generation(), 1);
}

TEST_F(SessionsTest, ASessionWithoutAnOpenTraceIsCompleteWithoutReadingItsTraces) {
  AppendComplete(1);
  Advance(absl::Seconds(200));
  EXPECT_TRUE(
      sessions_->MayBeOpen(OpenSessions::KeyOf(*store_->NumberOf("e"), "s/1"), clock_.Now()));
  Advance(absl::Seconds(99));
  EXPECT_FALSE(
      sessions_->MayBeOpen(OpenSessions::KeyOf(*store_->NumberOf("e"), "s/1"), clock_.Now()));
  Advance(absl::Seconds(2));
  EXPECT_EQ(Get()->completion_generation(), 1);
}

TEST_F(SessionsTest, SaysIfItsIdIsOnlyABeginning) {
  AppendComplete(1);
  EXPECT_FALSE(Get()->session_truncated());
  TraceChunk chunk = TestChunk(2, "e", 100);
  chunk.facts.set_session("s/1");
  chunk.facts.add_terms(MakeTerm("session", "s/1"));
  chunk.facts.set_truncated(kFactsTruncatedSession);
  std::vector<TraceChunk> chunks;
  chunks.push_back(std::move(chunk));
  traces_->AppendSpans(std::move(chunks), false, [](const absl::StatusOr<AppendResult>&) {});
  Settle();
  EXPECT_TRUE(Get()->session_truncated());
  EXPECT_TRUE(List()->sessions(0).session_truncated());
  EXPECT_THAT(Shown(2).truncated_parts(), ElementsAre(v1::TRACE_PART_SESSION));
}

TEST_F(SessionsTest, ListsTheMostRecentlyActiveFirst) {
  for (const uint8_t trace : {1, 2, 3}) {
    AppendComplete(trace, "s" + std::to_string(trace));
    Advance(absl::Seconds(100));
  }
  AppendComplete(4, "s1");
  EXPECT_THAT(Ids(*List()), ElementsAre("s1", "s3", "s2"));
  const v1::ListSessionsResponse page = *List("", 2);
  EXPECT_THAT(Ids(page), ElementsAre("s1", "s3"));
  EXPECT_THAT(Ids(*List("", 2, page.next_page_token())), ElementsAre("s2"));
  EXPECT_EQ(List("", 2, page.next_page_token())->next_page_token(), "");
  Advance(absl::Seconds(150));
  EXPECT_THAT(Ids(*List("state = COMPLETE")), ElementsAre("s2"));
  EXPECT_THAT(Ids(*List("session = \"s3\"")), ElementsAre("s3"));
  EXPECT_THAT(Ids(*List("last_activity_time < \"2025-01-01T00:02:00Z\"")), ElementsAre("s2"));
  EXPECT_THAT(List("traces = 1"), HasReason("INVALID_FILTER"));
  EXPECT_THAT(List("", 0, "nonsense"), HasReason("INVALID_PAGE_TOKEN"));
}

TEST_F(SessionsTest, PagesThroughItsTracesByStart) {
  for (const uint8_t trace : {3, 1, 2}) AppendComplete(trace);
  AppendComplete(4, "other");
  Append(5, {.session = "s/1", .start_seconds = 50});
  const v1::ListSessionTracesResponse page = *Traces(3);
  ASSERT_EQ(page.traces_size(), 3);
  EXPECT_EQ(page.traces(0).start_time().seconds(), 50);
  EXPECT_EQ(page.traces(1).start_time().seconds(), 101);
  EXPECT_EQ(page.traces(2).start_time().seconds(), 102);
  const v1::ListSessionTracesResponse rest = *Traces(3, page.next_page_token());
  ASSERT_EQ(rest.traces_size(), 1);
  EXPECT_EQ(rest.traces(0).start_time().seconds(), 103);
  EXPECT_EQ(rest.next_page_token(), "");
}

TEST_F(SessionsTest, WatchersSeeEachGeneration) {
  v1::WatchSessionsRequest request;
  request.set_parent("experiments/e");
  auto sink = std::make_shared<FakeSink<v1::WatchSessionsResponse>>();
  core_->watches().WatchSessions(context_, request, sink);
  Settle();
  AppendComplete(1);
  Advance(absl::Minutes(6));
  AppendComplete(2);
  Advance(absl::Minutes(6));
  std::vector<int64_t> generations;
  for (const v1::WatchSessionsResponse& item : sink->items) {
    if (item.has_session()) generations.push_back(item.generation());
  }
  EXPECT_THAT(generations, ElementsAre(1, 2));
  request.set_resume_token(sink->items.front().resume_token());
  auto again = std::make_shared<FakeSink<v1::WatchSessionsResponse>>();
  core_->watches().WatchSessions(context_, request, again);
  Settle();
  ASSERT_EQ(again->items.size(), 2u);
  EXPECT_EQ(again->items[0].session().completion_generation(), 2);
}

}  // namespace
}  // namespace assay::trace
