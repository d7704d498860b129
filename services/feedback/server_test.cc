// The whole service, seen by a client: what it answers, and what its errors carry.
#include "services/feedback/server.h"

#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "assay/feedback/v1/feedback_service.grpc.pb.h"
#include "common/read_token/read_token.h"
#include "common/rpc/channel.h"
#include "common/rpc/metrics.h"
#include "common/rpc/status_conversion.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "services/feedback/testing/example_assessments.h"
#include "services/feedback/testing/fake_trace_server.h"

namespace assay::feedback {
namespace {

constexpr char kParent[] = "experiments/support";
constexpr auto kHuman = common::v1::SOURCE_KIND_HUMAN;
constexpr auto kJudge = common::v1::SOURCE_KIND_LLM_JUDGE;
using Stub = v1::FeedbackService::Stub;

class FeedbackServerTest : public testing::Test {
 protected:
  FeedbackServerTest() { Start(traces_.address()); }

  void Start(const std::string& trace_address) {
    stub_.reset();
    server_.reset();
    Options options;
    options.serving.data_dir = directory_;
    options.serving.self_ping = false;
    options.serving.grace = absl::ZeroDuration();
    options.trace_address = trace_address;
    options.trace.retry.max_attempts = 1;
    options.outbox.initial_backoff = absl::Milliseconds(1);
    options.outbox.max_backoff = absl::Milliseconds(10);
    server_ = *FeedbackServer::Start(options, &metrics_);
    stub_ = v1::FeedbackService::NewStub(rpc::MakeChannel(server_->address()));
  }

  template <class Request, class Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request) {
    grpc::ClientContext context;
    Response response;
    const grpc::Status status = (stub_.get()->*method)(&context, request, &response);
    if (!status.ok()) return rpc::FromGrpcStatus(status);
    return response;
  }

  static v1::CreateAssessmentRequest CreateRequest(const v1::Assessment& assessment,
                                                   const std::string& request_id = "") {
    v1::CreateAssessmentRequest request;
    request.set_parent(kParent);
    *request.mutable_assessment() = assessment;
    request.set_request_id(request_id);
    return request;
  }
  absl::StatusOr<v1::CreateAssessmentResponse> Create(const v1::Assessment& assessment,
                                                      const std::string& request_id = "") {
    return Call(&Stub::CreateAssessment, CreateRequest(assessment, request_id));
  }
  absl::StatusOr<v1::UpdateAssessmentResponse> Update(const std::string& name,
                                                      const std::string& path,
                                                      const std::string& etag = "") {
    v1::UpdateAssessmentRequest request;
    request.set_name(name);
    request.mutable_update_mask()->add_paths(path);
    request.mutable_assessment()->set_assessment_name("renamed");
    request.set_etag(etag);
    return Call(&Stub::UpdateAssessment, request);
  }
  absl::StatusOr<v1::SearchAssessmentsResponse> Search(const std::string& filter = "",
                                                       int page_size = 0,
                                                       const std::string& page_token = "") {
    v1::SearchAssessmentsRequest request;
    request.set_parent(kParent);
    request.set_filter(filter);
    request.set_page_size(page_size);
    request.set_page_token(page_token);
    request.set_include_invalid(true);
    return Call(&Stub::SearchAssessments, request);
  }
  int Stored() { return Search()->assessments_size(); }

  static std::string FreshDirectory() {
    std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/feedback-XXXXXX";
    return mkdtemp(path.data());
  }

  FakeTraceServer traces_;
  rpc::Metrics metrics_;
  const std::string directory_ = FreshDirectory();
  std::unique_ptr<FeedbackServer> server_;
  std::unique_ptr<Stub> stub_;
};

TEST_F(FeedbackServerTest, AVerdictAndALabelMeetInTheListAndInTheProjection) {
  v1::BatchCreateAssessmentsRequest batch;
  batch.set_parent(kParent);
  *batch.add_assessments() = ExampleFeedback(1, kJudge);
  *batch.add_assessments() = ExampleFeedback(2, kJudge);
  ASSERT_THAT(Call(&Stub::BatchCreateAssessments, batch), IsOk());
  const v1::CreateAssessmentResponse label = *Create(ExampleFeedback(2, kHuman, "\"poor\""));

  v1::ListAssessedTracesRequest list;
  list.set_parent(kParent);
  list.set_assessment_name("support_quality");
  list.add_source_kinds(kHuman);
  list.add_source_kinds(kJudge);
  const v1::ListAssessedTracesResponse both = *Call(&Stub::ListAssessedTraces, list);
  ASSERT_EQ(both.traces_size(), 1);
  EXPECT_EQ(both.traces(0).trace(), TraceNameOf(2));
  EXPECT_EQ(both.traces(0).assessments_size(), 2);

  traces_.WaitUntilApplied(DecodeReadToken(label.read_token())->sequence);
  EXPECT_EQ(traces_.projection().size(), 3u);
  EXPECT_EQ(traces_.projection().at(label.assessment().name()).digest().value().json_text(),
            "\"poor\"");
}

TEST_F(FeedbackServerTest, EverythingIsThereAfterARestart) {
  const v1::Assessment created = Create(ExampleFeedback(1, kHuman), "r1")->assessment();
  Start(traces_.address());
  v1::GetAssessmentRequest get;
  get.set_name(created.name());
  EXPECT_EQ(Call(&Stub::GetAssessment, get)->assessment().etag(), created.etag());
  EXPECT_EQ(Create(ExampleFeedback(1, kHuman), "r1")->assessment().name(), created.name());
  EXPECT_EQ(Stored(), 1);
}

TEST_F(FeedbackServerTest, OverridingAndDeletingReachTheProjection) {
  const v1::Assessment verdict = Create(ExampleFeedback(1, kJudge))->assessment();
  v1::OverrideFeedbackRequest override_request;
  override_request.set_name(verdict.name());
  override_request.mutable_source()->set_kind(kHuman);
  override_request.mutable_feedback()->mutable_value()->set_json_text("\"poor\"");
  const v1::OverrideFeedbackResponse overridden = *Call(&Stub::OverrideFeedback, override_request);
  traces_.WaitUntilApplied(DecodeReadToken(overridden.read_token())->sequence);
  EXPECT_FALSE(traces_.projection().at(verdict.name()).valid());
  EXPECT_TRUE(traces_.projection().at(overridden.assessment().name()).valid());

  v1::DeleteAssessmentRequest delete_request;
  delete_request.set_name(overridden.assessment().name());
  const v1::DeleteAssessmentResponse deleted = *Call(&Stub::DeleteAssessment, delete_request);
  traces_.WaitUntilApplied(DecodeReadToken(deleted.read_token())->sequence);
  EXPECT_TRUE(traces_.projection().at(verdict.name()).valid());
  EXPECT_FALSE(traces_.projection().at(overridden.assessment().name()).valid());
}

TEST_F(FeedbackServerTest, AMissingFieldIsNamedAndNothingIsStored) {
  v1::Assessment assessment = ExampleFeedback(1, kHuman);
  assessment.clear_source();
  EXPECT_THAT(Create(assessment), HasReason("INVALID_FIELD"));
  EXPECT_THAT(Create(assessment), HasFieldViolation("assessment.source.kind"));
  EXPECT_THAT(Create(v1::Assessment()), HasFieldViolation("assessment.target.trace"));
  EXPECT_EQ(Stored(), 0);
}

TEST_F(FeedbackServerTest, ABatchWithABadEntryNamesItAndStoresNothing) {
  v1::BatchCreateAssessmentsRequest batch;
  batch.set_parent(kParent);
  *batch.add_assessments() = ExampleFeedback(1, kHuman);
  *batch.add_assessments() = ExampleFeedback(1, kHuman, "{oops");
  const auto response = Call(&Stub::BatchCreateAssessments, batch);
  EXPECT_THAT(response, HasReason("INVALID_JSON"));
  EXPECT_THAT(response, HasFieldViolation("assessments[1].feedback.value"));
  EXPECT_EQ(Stored(), 0);
}

TEST_F(FeedbackServerTest, ABadNameSaysWhichPattern) {
  v1::GetAssessmentRequest get;
  get.set_name("experiments/support/assessments");
  const auto response = Call(&Stub::GetAssessment, get);
  EXPECT_THAT(response, HasReason("INVALID_NAME"));
  EXPECT_THAT(response, HasFieldViolation("name"));
  v1::CreateAssessmentRequest create = CreateRequest(ExampleFeedback(1, kHuman));
  create.set_parent("Support");
  EXPECT_THAT(Call(&Stub::CreateAssessment, create), HasFieldViolation("parent"));
}

TEST_F(FeedbackServerTest, AnUnknownTraceIsNotFoundAndNothingIsStored) {
  traces_.Remove(TraceNameOf(3));
  const auto response = Create(ExampleFeedback(3, kHuman));
  EXPECT_THAT(response, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(response, HasReason("RESOURCE_NOT_FOUND"));
  EXPECT_EQ(ErrorMetadata(response.status(), "field"), "assessment.target.trace");
  EXPECT_EQ(Stored(), 0);
}

TEST_F(FeedbackServerTest, AnUnreachableTraceServiceIsUnavailable) {
  Start("127.0.0.1:1");
  const auto response = Create(ExampleFeedback(1, kHuman));
  EXPECT_THAT(response, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(response, HasReason("PEER_UNREACHABLE"));
  EXPECT_EQ(Stored(), 0);
}

TEST_F(FeedbackServerTest, AStaleEtagAborts) {
  const v1::Assessment created = Create(ExampleFeedback(1, kHuman))->assessment();
  ASSERT_THAT(Update(created.name(), "assessment_name", created.etag()), IsOk());
  const auto stale = Update(created.name(), "assessment_name", created.etag());
  EXPECT_THAT(stale, StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(stale, HasReason("ETAG_MISMATCH"));
}

TEST_F(FeedbackServerTest, ARepeatedRequestIdGetsTheSameAnswerAndAnotherBodyIsRefused) {
  const v1::CreateAssessmentResponse first = *Create(ExampleFeedback(1, kHuman), "r1");
  const v1::CreateAssessmentResponse second = *Create(ExampleFeedback(1, kHuman), "r1");
  EXPECT_EQ(second.SerializeAsString(), first.SerializeAsString());
  const auto other = Create(ExampleFeedback(2, kHuman), "r1");
  EXPECT_THAT(other, HasReason("REQUEST_ID_REUSED"));
  EXPECT_THAT(other, HasFieldViolation("request_id"));
  EXPECT_EQ(Stored(), 1);
}

TEST_F(FeedbackServerTest, AWrongPageTokenIsRefused) {
  ASSERT_THAT(Create(ExampleFeedback(1, kHuman)), IsOk());
  ASSERT_THAT(Create(ExampleFeedback(2, kHuman)), IsOk());
  const std::string token = Search("", 1)->next_page_token();
  EXPECT_EQ(Search("", 1, token)->assessments_size(), 1);
  EXPECT_THAT(Search("kind = FEEDBACK", 1, token), HasReason("INVALID_PAGE_TOKEN"));
  EXPECT_THAT(Search("", 1, "junk"), HasFieldViolation("page_token"));
}

TEST_F(FeedbackServerTest, ABadFilterNamesTheColumn) {
  const auto response = Search("source = HUMAN AND");
  EXPECT_THAT(response, HasReason("INVALID_FILTER"));
  EXPECT_TRUE(ErrorMetadata(response.status(), "column").has_value());
  const auto unknown = Search("source = HUMAN AND colour = 1");
  EXPECT_EQ(ErrorMetadata(unknown.status(), "column"), "20");
}

TEST_F(FeedbackServerTest, AnImmutableFieldIsRefusedAndNothingChanges) {
  const v1::Assessment created = Create(ExampleFeedback(1, kHuman))->assessment();
  EXPECT_THAT(Update(created.name(), "source"), HasReason("IMMUTABLE_FIELD"));
  EXPECT_THAT(Update(created.name(), "colour"), HasReason("UNKNOWN_FIELD"));
  EXPECT_THAT(Update(created.name(), "expectation.value"), HasReason("IMMUTABLE_FIELD"));
  EXPECT_EQ(Search()->assessments(0).etag(), created.etag());
}

TEST_F(FeedbackServerTest, OverridingTwiceOrAnExpectationIsRefused) {
  v1::OverrideFeedbackRequest request;
  request.set_name(Create(ExampleFeedback(1, kJudge))->assessment().name());
  request.mutable_source()->set_kind(kHuman);
  request.mutable_feedback()->mutable_value()->set_json_text("1");
  ASSERT_THAT(Call(&Stub::OverrideFeedback, request), IsOk());
  EXPECT_THAT(Call(&Stub::OverrideFeedback, request), HasReason("ALREADY_OVERRIDDEN"));
  request.set_name(Create(ExampleExpectation(1))->assessment().name());
  EXPECT_THAT(Call(&Stub::OverrideFeedback, request), HasReason("NOT_A_FEEDBACK"));
}

}  // namespace
}  // namespace assay::feedback
