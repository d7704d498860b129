#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/clock/timer.h"
#include "common/exec/await.h"
#include "common/exec/executor.h"
#include "common/rpc/channel.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/judge/clients/feedback_client.h"
#include "services/judge/clients/registry_client.h"
#include "services/judge/clients/trace_client.h"

namespace assay::judge {
namespace {

using RevisionPtr = std::shared_ptr<const registry::v1::JudgeRevision>;
namespace otlp = ::opentelemetry::proto::collector::trace::v1;

class Registry final : public registry::v1::JudgeRegistryService::Service {
 public:
  grpc::Status GetJudgeRevision(grpc::ServerContext*,
                                const registry::v1::GetJudgeRevisionRequest* request,
                                registry::v1::GetJudgeRevisionResponse* response) override {
    if (++calls <= failures) return {grpc::StatusCode::UNAVAILABLE, "starting"};
    const bool is_full = request->name().find("/revisions/") != std::string::npos;
    response->mutable_revision()->set_name(
        is_full ? request->name() : "experiments/e/judges/j/revisions/" + std::to_string(latest));
    response->mutable_revision()->mutable_definition()->set_description(std::string(1000, 'x'));
    return grpc::Status::OK;
  }
  std::atomic<int> calls = 0;
  std::atomic<int> failures = 0;
  std::atomic<int> latest = 1;
};

class Traces final : public trace::v1::TraceService::Service {
 public:
  // A trace of six spans of about 1 KB, of which its full view has one.
  grpc::Status GetTrace(grpc::ServerContext*, const trace::v1::GetTraceRequest* request,
                        trace::v1::GetTraceResponse* response) override {
    trace::v1::Trace& trace = *response->mutable_trace();
    trace.set_name(request->name());
    trace.set_span_count(6);
    if (request->view() != trace::v1::TRACE_VIEW_FULL) return grpc::Status::OK;
    trace.set_spans_truncated(true);
    trace.add_spans()->set_span_id("0");
    return grpc::Status::OK;
  }
  grpc::Status ListSpans(grpc::ServerContext*, const trace::v1::ListSpansRequest* request,
                         trace::v1::ListSpansResponse* response) override {
    const int begin = request->page_token().empty() ? 0 : std::stoi(request->page_token());
    for (int i = begin; i < begin + 2; ++i) {
      trace::v1::Span& span = *response->add_spans();
      span.set_span_id(std::to_string(i));
      span.set_span_name(std::string(1'000, 'x'));
    }
    if (begin < 4) response->set_next_page_token(std::to_string(begin + 2));
    return grpc::Status::OK;
  }
};

// Two traces a page, named by their number; six in all.
class Sessions final : public trace::v1::SessionService::Service {
 public:
  grpc::Status ListSessionTraces(grpc::ServerContext*,
                                 const trace::v1::ListSessionTracesRequest* request,
                                 trace::v1::ListSessionTracesResponse* response) override {
    const int begin = request->page_token().empty() ? 0 : std::stoi(request->page_token());
    for (int i = begin; i < begin + 2; ++i) response->add_traces()->set_name(std::to_string(i));
    if (begin < 4) response->set_next_page_token(std::to_string(begin + 2));
    session = request->parent();
    return grpc::Status::OK;
  }
  std::string session;
};

class Otlp final : public otlp::TraceService::Service {
 public:
  grpc::Status Export(grpc::ServerContext*, const otlp::ExportTraceServiceRequest* request,
                      otlp::ExportTraceServiceResponse* response) override {
    last = *request;
    response->mutable_partial_success()->set_rejected_spans(rejected);
    return grpc::Status::OK;
  }
  otlp::ExportTraceServiceRequest last;
  int rejected = 0;
};

class Feedback final : public feedback::v1::FeedbackService::Service {
 public:
  grpc::Status BatchCreateAssessments(
      grpc::ServerContext*, const feedback::v1::BatchCreateAssessmentsRequest* request,
      feedback::v1::BatchCreateAssessmentsResponse* response) override {
    if (!request->keep_existing()) return {grpc::StatusCode::INVALID_ARGUMENT, ""};
    for (int i = 0; i < request->assessments_size() - missing; ++i) {
      response->add_assessments()->set_name(request->assessment_ids(i));
    }
    return grpc::Status::OK;
  }
  int missing = 0;
};

class PeerClientsTest : public testing::Test {
 protected:
  PeerClientsTest() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&registry_service_);
    builder.RegisterService(&otlp_);
    builder.RegisterService(&traces_);
    builder.RegisterService(&sessions_);
    builder.RegisterService(&feedback_service_);
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
    channel_ = rpc::MakeChannel(address_);
    retries_.executor = &executor_;
    retries_.timers = &timers_;
    retries_.policy.initial_backoff = absl::Milliseconds(1);
  }
  ~PeerClientsTest() override {
    server_->Shutdown();
    executor_.Shutdown();
  }

  static absl::StatusOr<RevisionPtr> Get(RegistryClient& client, const std::string& name) {
    return Await<RevisionPtr>(
        [&](Done<RevisionPtr> done) { client.GetRevision(name, {}, std::move(done)); });
  }

  Registry registry_service_;
  Otlp otlp_;
  Traces traces_;
  Sessions sessions_;
  Feedback feedback_service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  std::shared_ptr<grpc::Channel> channel_;
  ThreadPool executor_{"test", 2};
  ThreadTimerQueue timers_;
  rpc::RetryEnvironment retries_;
};

TEST_F(PeerClientsTest, RevisionsAreKeptAndAliasesAskedFor) {
  RegistryClient client(channel_, address_, retries_);
  ASSERT_THAT(Get(client, "experiments/e/judges/j@production"), IsOk());
  ASSERT_THAT(Get(client, "experiments/e/judges/j/revisions/1"), IsOk());
  EXPECT_EQ(registry_service_.calls, 1);
  registry_service_.latest = 2;
  EXPECT_EQ((*Get(client, "experiments/e/judges/j@production"))->name(),
            "experiments/e/judges/j/revisions/2");
  EXPECT_EQ(registry_service_.calls, 2);
}

TEST_F(PeerClientsTest, TheRevisionUsedLongestAgoIsForgotten) {
  RegistryClient client(channel_, address_, retries_, /*cache_bytes=*/2'500);
  const std::string name = "experiments/e/judges/j/revisions/";
  ASSERT_THAT(Get(client, name + "1"), IsOk());
  ASSERT_THAT(Get(client, name + "2"), IsOk());
  ASSERT_THAT(Get(client, name + "1"), IsOk());
  ASSERT_THAT(Get(client, name + "3"), IsOk());
  EXPECT_EQ(registry_service_.calls, 3);
  ASSERT_THAT(Get(client, name + "1"), IsOk());
  EXPECT_EQ(registry_service_.calls, 3);
  ASSERT_THAT(Get(client, name + "2"), IsOk());
  EXPECT_EQ(registry_service_.calls, 4);
}

TEST_F(PeerClientsTest, AnAwayPeerIsAskedAgain) {
  registry_service_.failures = 2;
  RegistryClient client(channel_, address_, retries_);
  EXPECT_THAT(Get(client, "experiments/e/judges/j"), IsOk());
  EXPECT_EQ(registry_service_.calls, 3);
}

TEST_F(PeerClientsTest, WritesCompleteTracesUnderTheirExperimentAndEvaluation) {
  TraceClient client({channel_, address_, channel_, address_}, retries_);
  OneSpanTrace trace;
  trace.experiment = "experiments/e";
  trace.evaluation = "experiments/e/evaluations/v";
  trace.trace_id = std::string(32, 'a');
  trace.span_id = std::string(16, 'b');
  trace.span_name = "predict";
  trace.inputs = "{\"q\":1}";
  trace.error_message = "too slow";
  trace.start_time = absl::FromUnixNanos(1'800'000'000'000'000'007);
  trace.end_time = trace.start_time + absl::Seconds(1);
  OneSpanTrace second = trace;
  second.trace_id = std::string(32, 'c');
  OneSpanTrace other = trace;
  other.evaluation = "experiments/e/evaluations/w";
  auto write = [&] {
    return Await<int>([&](Done<int> done) {
             client.WriteTraces({trace, second, other}, {},
                                [done = std::move(done)](absl::Status status) mutable {
                                  if (!status.ok()) return std::move(done)(status);
                                  std::move(done)(1);
                                });
           })
        .status();
  };
  ASSERT_THAT(write(), IsOk());
  ASSERT_EQ(otlp_.last.resource_spans_size(), 2) << "one for each evaluation";
  const auto& resource = otlp_.last.resource_spans(0);
  EXPECT_EQ(resource.resource().attributes(1).key(), "assay.experiment");
  EXPECT_EQ(resource.resource().attributes(2).value().string_value(), trace.evaluation);
  EXPECT_EQ(resource.resource().attributes(3).key(), "assay.complete");
  EXPECT_TRUE(resource.resource().attributes(3).value().bool_value());
  EXPECT_EQ(resource.scope_spans(0).spans_size(), 2);
  const auto& span = resource.scope_spans(0).spans(0);
  EXPECT_EQ(absl::BytesToHexString(span.trace_id()), trace.trace_id);
  EXPECT_EQ(absl::BytesToHexString(span.span_id()), trace.span_id);
  EXPECT_TRUE(span.parent_span_id().empty());
  EXPECT_EQ(span.start_time_unix_nano(), 1'800'000'000'000'000'007u);
  ASSERT_EQ(span.attributes_size(), 1);
  EXPECT_EQ(span.attributes(0).key(), "assay.inputs");
  EXPECT_EQ(span.status().message(), "too slow");
  otlp_.rejected = 1;
  EXPECT_THAT(write(), HasReason("SPAN_REJECTED"));
}

TEST_F(PeerClientsTest, LoadsALargeTracePageByPageUpToTheBound) {
  using TracePtr = std::shared_ptr<const trace::v1::Trace>;
  for (const auto& [bytes, spans] : {std::pair<int64_t, int>{1 << 20, 6}, {3'000, 4}, {1, 2}}) {
    TraceClient client({channel_, address_, channel_, address_}, retries_, bytes);
    const auto trace = Await<TracePtr>([&](Done<TracePtr> done) {
      client.GetTrace("experiments/e/traces/t", /*full=*/true, {}, std::move(done));
    });
    ASSERT_THAT(trace, IsOk());
    ASSERT_EQ((*trace)->spans_size(), spans);
    EXPECT_EQ((*trace)->spans(1).span_id(), "1");
    EXPECT_EQ((*trace)->spans_truncated(), spans < 6);
  }
}

TEST_F(PeerClientsTest, ReadsASessionPageByPageUpToTheBound) {
  using TracePtrs = std::vector<std::shared_ptr<const trace::v1::Trace>>;
  TraceClient client({channel_, address_, channel_, address_}, retries_);
  for (const auto& [most, expected] : {std::pair<int, size_t>{100, 6}, {3, 3}, {2, 2}}) {
    const auto listed = Await<TracePtrs>([&, most = most](Done<TracePtrs> done) {
      client.ListSessionTraces("experiments/e/sessions/s", most, {}, std::move(done));
    });
    ASSERT_THAT(listed, IsOk());
    ASSERT_EQ(listed->size(), expected);
    EXPECT_EQ(listed->back()->name(), std::to_string(expected - 1));
    EXPECT_EQ(sessions_.session, "experiments/e/sessions/s");
  }
}

TEST_F(PeerClientsTest, AnswersWithTheNamesOfWhatWasLogged) {
  FeedbackClient client(channel_, address_, retries_);
  auto log = [&] {
    return Await<std::vector<std::string>>([&](Done<std::vector<std::string>> done) {
      client.LogAssessments("experiments/e", std::vector<feedback::v1::Assessment>(2), {"e0", "e1"},
                            {}, std::move(done));
    });
  };
  EXPECT_THAT(log(), IsOkAndHolds(testing::ElementsAre("e0", "e1")));
  feedback_service_.missing = 1;
  EXPECT_THAT(log(), StatusIs(absl::StatusCode::kInternal));
}

}  // namespace
}  // namespace assay::judge
