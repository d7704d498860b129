#include "services/judge/clients/judgement_spans.h"

#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "common/json/canonical.h"
#include "common/json/json_reader.h"
#include "common/json/utf8.h"
#include "common/names/judge_call_metadata.h"
#include "common/strings/strings.h"
#include "services/judge/clients/chat_role_name.h"

namespace assay::judge {
namespace {

using ::opentelemetry::proto::trace::v1::ResourceSpans;
using ::opentelemetry::proto::trace::v1::Span;
using ::opentelemetry::proto::trace::v1::Status;

// Of one message. A trace records what was asked; its point is not to keep every byte of it.
constexpr size_t kMaxTextBytes = 256 * 1024;

template <class Message>
void AddText(Message* message, std::string_view key, std::string text) {
  if (text.empty()) return;
  auto* attribute = message->add_attributes();
  attribute->set_key(std::string(key));
  attribute->mutable_value()->set_string_value(std::move(text));
}

void AddNumber(Span* span, std::string_view key, int64_t number) {
  auto* attribute = span->add_attributes();
  attribute->set_key(std::string(key));
  attribute->mutable_value()->set_int_value(number);
}

void AddDouble(Span* span, std::string_view key, double number) {
  auto* attribute = span->add_attributes();
  attribute->set_key(std::string(key));
  attribute->mutable_value()->set_double_value(number);
}

void AppendText(std::string_view text, std::string* json) {
  json::AppendJsonString(json::TruncateUtf8Bytes(text, kMaxTextBytes), json);
}

void AppendToolCall(const ModelToolCall& call, std::string* json) {
  json->append(R"(,{"type":"tool_call","id":)");
  json::AppendJsonString(call.id, json);
  json->append(R"(,"name":)");
  json::AppendJsonString(call.name, json);
  json->append(R"(,"arguments":)");
  AppendText(call.arguments, json);
  json->push_back('}');
}

void AppendMessage(std::string_view role, std::string_view text,
                   const std::vector<ModelToolCall>& tool_calls, std::string* json) {
  StrAppend(json, R"({"role":")", role, R"(","parts":[{"type":"text","content":)");
  AppendText(text, json);
  json->push_back('}');
  for (const ModelToolCall& call : tool_calls) AppendToolCall(call, json);
  json->append("]}");
}

std::string InputMessages(const std::vector<ChatMessage>& messages) {
  std::string json = "[";
  for (const ChatMessage& message : messages) {
    if (json.size() > 1) json.push_back(',');
    AppendMessage(RoleName(message.role), message.text, message.tool_calls, &json);
  }
  json.push_back(']');
  return json;
}

std::string OutputMessages(const ModelResponse& response) {
  std::string json = "[";
  AppendMessage("assistant", response.text, response.tool_calls, &json);
  json.push_back(']');
  return json;
}

void SetError(Span* span, std::string_view message) {
  span->mutable_status()->set_code(Status::STATUS_CODE_ERROR);
  span->mutable_status()->set_message(std::string(message));
}

void DescribeCall(const RecordedModelCall& call, Span* span) {
  const size_t colon = call.model_uri.find(":/");
  AddText(span, "gen_ai.operation.name", "chat");
  AddText(span, "gen_ai.provider.name", call.model_uri.substr(0, colon));
  AddText(span, "gen_ai.request.model", call.model_uri);
  for (const auto& [name, value] : call.parameters) {
    AddDouble(span, StrCat("gen_ai.request.", name), value);
  }
  if (call.messages_left_out) {
    AddText(span, "assay.messages_left_out", "true");
  } else {
    AddText(span, "gen_ai.input.messages", InputMessages(call.messages));
  }
  if (!call.response.ok()) {
    SetError(span, ToStd(call.response.status().message()));
    return;
  }
  const ModelResponse& response = *call.response;
  AddText(span, "gen_ai.response.model", response.answered_by);
  AddText(span, "gen_ai.output.messages", OutputMessages(response));
  AddNumber(span, "gen_ai.usage.input_tokens", response.input_tokens);
  AddNumber(span, "gen_ai.usage.output_tokens", response.output_tokens);
  if (response.cost_usd.has_value()) AddDouble(span, "assay.cost.total_usd", *response.cost_usd);
  if (response.cache_hit) AddText(span, "assay.cache_hit", "true");
}

Span* AddSpan(const JudgementTrace& trace, size_t number, ResourceSpans* resource) {
  auto* scope = resource->scope_spans_size() > 0 ? resource->mutable_scope_spans(0)
                                                 : resource->add_scope_spans();
  Span* span = scope->add_spans();
  span->set_trace_id(absl::HexStringToBytes(trace.trace_id));
  const std::string id = json::Sha256Hex(StrCat(trace.trace_id, "/", number)).substr(0, 16);
  span->set_span_id(absl::HexStringToBytes(id));
  span->set_kind(Span::SPAN_KIND_INTERNAL);
  return span;
}

void SetTimes(absl::Time start, absl::Time end, Span* span) {
  span->set_start_time_unix_nano(static_cast<uint64_t>(absl::ToUnixNanos(start)));
  span->set_end_time_unix_nano(static_cast<uint64_t>(absl::ToUnixNanos(end)));
}

void DescribeVerdict(const JudgementTrace& trace, Span* root) {
  root->set_name(StrCat("judge ", trace.assessment_name));
  SetTimes(trace.start, trace.end, root);
  AddText(root, "assay.span_type", "EVALUATOR");
  AddText(root, StrCat("assay.metadata.", names::kJudgeCallMetadata), trace.assessment_name);
  AddText(root, "assay.metadata.assay_judge_revision", trace.judge_revision);
  AddText(root, StrCat("assay.metadata.", names::kJudgedMetadata), trace.judged);
  AddText(root, "gen_ai.evaluation.name", trace.assessment_name);
  AddText(root, "gen_ai.evaluation.explanation", trace.rationale);
  AddText(root, "assay.outputs", trace.value);
  if (trace.calls_left_out > 0) {
    AddNumber(root, "assay.calls_left_out", static_cast<int64_t>(trace.calls_left_out));
  }
  if (!trace.error_code.empty()) {
    AddText(root, "error.type", trace.error_code);
    SetError(root, trace.error_message);
  }
}

}  // namespace

void WriteSpans(const JudgementTrace& trace, ResourceSpans* resource) {
  AddText(resource->mutable_resource(), "service.name", "assay-judge");
  AddText(resource->mutable_resource(), "assay.experiment", trace.experiment);
  auto* complete = resource->mutable_resource()->add_attributes();
  complete->set_key("assay.complete");
  complete->mutable_value()->set_bool_value(true);
  Span* root = AddSpan(trace, 0, resource);
  DescribeVerdict(trace, root);
  resource->mutable_scope_spans(0)->mutable_scope()->set_name("assay.judge");
  if (trace.calls.size() == 1 && trace.calls_left_out == 0) {
    return DescribeCall(trace.calls.front(), root);
  }
  const std::string root_id = root->span_id();
  for (size_t i = 0; i < trace.calls.size(); ++i) {
    const RecordedModelCall& call = trace.calls[i];
    Span* span = AddSpan(trace, i + 1, resource);
    span->set_parent_span_id(root_id);
    span->set_name(StrCat("chat ", call.model_uri));
    AddText(span, "assay.span_type", "CHAT_MODEL");
    SetTimes(call.start, call.end, span);
    DescribeCall(call, span);
  }
}

}  // namespace assay::judge
