// A provider's client over a fake network. For tests.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_WIRE_FIXTURE_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_WIRE_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/clock/fake_clock.h"
#include "common/exec/executor.h"
#include "common/http/testing/fake_http_client.h"
#include "common/json/safe_json.h"
#include "common/status/status_matchers.h"
#include "common/strings/strings.h"
#include "services/judge/clients/provider_client.h"
#include "services/judge/clients/scripted_model_client.h"

namespace assay::judge {

inline constexpr char kVerdictSchema[] =
    R"({"type":"object","properties":{"result":{"type":"boolean"}}})";

class WireTest : public testing::Test {
 protected:
  static ProviderOptions OptionsWithKey(const std::string& prefix) {
    ProviderOptions options = {.uri_prefix = prefix, .base_url = "https://api.test"};
    options.key = std::make_shared<WatchedText>("hush-1234");
    return options;
  }

  void Use(ProviderOptions options, std::unique_ptr<ProviderWire> wire) {
    client_ =
        std::make_unique<ProviderClient>(std::move(options), std::move(wire),
                                         ProviderClient::Dependencies{&http_, &executor_, &clock_});
  }

  absl::StatusOr<ModelResponse> Ask(ModelRequest request) {
    ModelAnswer answer;
    client_->Complete(std::move(request), {}, answer.Taker());
    return *answer;
  }
  absl::StatusOr<ModelResponse> AskWhenAnswered(const ModelRequest& request, int status,
                                                const std::string& body,
                                                std::vector<http::HttpHeader> headers = {}) {
    http_.Enqueue(status, body, std::move(headers));
    return Ask(request);
  }

  // What the last request's body says at `path`.
  std::string Sent(const std::string& path) {
    const std::vector<http::HttpRequest> requests = http_.requests();
    if (requests.empty()) return "no request";
    auto text = json::JsonPathText(requests.back().body, path);
    return text.ok() ? text->value_or("(none)") : text.status().ToString();
  }
  // A header of the last request.
  std::string SentHeader(const std::string& name) {
    const std::vector<http::HttpRequest> requests = http_.requests();
    if (requests.empty()) return "no request";
    const std::string* value = http::FindHeader(requests.back().headers, name);
    return value == nullptr ? "(none)" : *value;
  }

  // A question, the call of a tool and its result.
  static ModelRequest WithTools(const std::string& uri) {
    ModelRequest request = {.model_uri = uri};
    request.messages = {
        {.role = ChatRole::kUser, .text = "How long is it?"},
        {.role = ChatRole::kAssistant,
         .text = "I look.",
         .tool_calls = {{"id-1", "list_spans", R"({"page":1})"}, {"id-2", "get_span", "broken"}}},
        {.role = ChatRole::kTool, .text = "3 spans", .tool_call_id = "id-1"},
        {.role = ChatRole::kTool, .text = "none", .tool_call_id = "id-2"}};
    request.tools = {{"list_spans", "Lists spans.",
                      R"({"type":"object","properties":{"page":{"type":"integer"}}})"}};
    return request;
  }

  InlineExecutor executor_;
  FakeClock clock_;
  http::FakeHttpClient http_{&executor_};
  std::unique_ptr<ProviderClient> client_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_WIRE_FIXTURE_H_
