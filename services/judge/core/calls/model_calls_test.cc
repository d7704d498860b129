#include "services/judge/core/calls/model_calls.h"

#include <functional>
#include <optional>
#include <string>

#include "common/clock/fake_clock.h"
#include "common/exec/executor.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/judge/testing/fake_model_client.h"
#include "services/judge/testing/in_memory_answers.h"

namespace assay::judge {
namespace {

class ModelCallsTest : public testing::Test {
 protected:
  ModelCallsTest() {
    models_.SetResponder([](const ModelRequest&) { return FakeModelClient::TextResponse("hi"); });
  }

  static v1::CompleteRequest Request() {
    v1::CompleteRequest request;
    common::v1::Message& message = *request.add_messages();
    message.set_role(common::v1::ROLE_USER);
    message.add_parts()->set_text("hello ");
    message.add_parts()->set_text("there");
    return request;
  }

  absl::StatusOr<v1::CompleteResponse> Complete(const v1::CompleteRequest& request) {
    std::optional<absl::StatusOr<v1::CompleteResponse>> answer;
    calls_.Complete({}, request, [&](absl::StatusOr<v1::CompleteResponse> response) {
      answer = std::move(response);
    });
    executor_.RunAll();
    return answer.value_or(absl::InternalError("no answer"));
  }

  FakeClock clock_;
  ManualExecutor executor_;
  InMemoryAnswers answers_{executor_, clock_};
  FakeModelClient models_{&executor_};
  RecordedCalls recorded_{answers_.store};
  ModelCalls calls_{models_, recorded_, "fake:/default"};
};

TEST_F(ModelCallsTest, AsksTheDefaultModelWithTheWholeConversation) {
  v1::CompleteRequest request = Request();
  request.set_max_output_tokens(100);
  request.set_temperature(0.5);
  ASSAY_ASSERT_OK_AND_ASSIGN(const v1::CompleteResponse response, Complete(request));
  EXPECT_EQ(response.text(), "hi");
  EXPECT_EQ(response.answered_by(), "fake-1");
  EXPECT_EQ(response.usage().input_tokens(), 10);
  const ModelRequest asked = models_.requests().at(0);
  EXPECT_EQ(asked.model_uri, "fake:/default");
  EXPECT_EQ(asked.messages.at(0).text, "hello there");
  EXPECT_EQ(asked.parameters.at("max_tokens"), 100);
  EXPECT_EQ(asked.parameters.at("temperature"), 0.5);
  EXPECT_FALSE(asked.idempotency_key.empty());
}

TEST_F(ModelCallsTest, ARecordedAnswerIsNotPaidAgain) {
  v1::CompleteRequest request = Request();
  request.set_request_id("r1");
  ASSERT_THAT(Complete(request), IsOk());
  ASSERT_THAT(Complete(request), IsOk());
  EXPECT_EQ(models_.requests().size(), 1u);
  request.set_model("fake:/other");
  EXPECT_THAT(Complete(request), HasReason("REQUEST_ID_REUSED"));
}

TEST_F(ModelCallsTest, AModelsErrorIsTheCallsErrorAndIsNotRecorded) {
  models_.AddResponse(MakeError(absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE", "away"));
  v1::CompleteRequest request = Request();
  request.set_request_id("r1");
  EXPECT_THAT(Complete(request), HasReason("MODEL_UNREACHABLE"));
  EXPECT_THAT(Complete(request), IsOk());
}

TEST_F(ModelCallsTest, RefusesBadRequestsAndNamesTheField) {
  const struct {
    const char* field;
    std::function<void(v1::CompleteRequest*)> change;
  } cases[] = {
      {"messages", [](auto* r) { r->clear_messages(); }},
      {"messages[0].role", [](auto* r) { r->mutable_messages(0)->clear_role(); }},
      {"messages[0].role",
       [](auto* r) { r->mutable_messages(0)->set_role(common::v1::ROLE_TOOL); }},
      {"messages[0].parts",
       [](auto* r) { r->mutable_messages(0)->add_parts()->mutable_image()->set_uri("x"); }},
      {"messages",
       [](auto* r) { r->mutable_messages(0)->add_parts()->set_text(std::string(4 << 20, 'x')); }},
      {"model", [](auto* r) { r->set_model("gpt"); }},
      {"response_schema", [](auto* r) { r->set_response_schema("{"); }},
      {"max_output_tokens", [](auto* r) { r->set_max_output_tokens(-1); }},
      {"temperature", [](auto* r) { r->set_temperature(2.5); }},
  };
  for (const auto& one : cases) {
    v1::CompleteRequest request = Request();
    one.change(&request);
    const auto answer = Complete(request);
    EXPECT_THAT(answer, StatusIs(absl::StatusCode::kInvalidArgument)) << one.field;
    const auto violations = FieldViolations(answer.status());
    ASSERT_FALSE(violations.empty()) << one.field;
    EXPECT_EQ(violations[0].field, one.field);
  }
  EXPECT_TRUE(models_.requests().empty());
}

}  // namespace
}  // namespace assay::judge
