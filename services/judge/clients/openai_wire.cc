#include "services/judge/clients/openai_wire.h"

#include <cmath>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "common/json/safe_json.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/clients/chat_role_name.h"
#include "services/judge/clients/json_object.h"
#include "services/judge/clients/wire_json.h"

namespace assay::judge {
namespace {

constexpr int kTopTokens = 5;

std::string ToolCalls(const ChatMessage& message) {
  std::vector<std::string> calls;
  for (const ModelToolCall& call : message.tool_calls) {
    JsonObject function;
    function.String("name", call.name);
    function.String("arguments", call.arguments);
    JsonObject entry;
    entry.String("id", call.id);
    entry.String("type", "function");
    entry.Raw("function", std::move(function).Finish());
    calls.push_back(std::move(entry).Finish());
  }
  return JsonList(calls);
}

std::string Message(const ChatMessage& message) {
  JsonObject object;
  object.String("role", RoleName(message.role));
  if (message.role == ChatRole::kTool) object.String("tool_call_id", message.tool_call_id);
  if (message.tool_calls.empty()) {
    object.String("content", message.text);
    return std::move(object).Finish();
  }
  if (message.text.empty()) {
    object.Raw("content", "null");
  } else {
    object.String("content", message.text);
  }
  object.Raw("tool_calls", ToolCalls(message));
  return std::move(object).Finish();
}

std::string Messages(const ModelRequest& request, bool spell_out_schema) {
  std::vector<std::string> messages;
  if (spell_out_schema) {
    messages.push_back(Message({ChatRole::kSystem, SchemaInWords(request.response_schema)}));
  }
  for (const ChatMessage& message : request.messages) messages.push_back(Message(message));
  return JsonList(messages);
}

// OpenAI takes letters, digits, _ and -, up to 64.
std::string SchemaName(const std::string& name) {
  std::string clean = name.substr(0, 64);
  for (char& c : clean) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-') c = '_';
  }
  return clean.empty() ? "answer" : clean;
}

std::string ResponseFormat(const ModelRequest& request) {
  JsonObject schema;
  schema.String("name", SchemaName(request.schema_name));
  schema.Raw("strict", "true");
  schema.Raw("schema", request.response_schema);
  JsonObject format;
  format.String("type", "json_schema");
  format.Raw("json_schema", std::move(schema).Finish());
  return std::move(format).Finish();
}

std::string Tools(const ModelRequest& request) {
  std::vector<std::string> tools;
  for (const ModelTool& tool : request.tools) {
    JsonObject function;
    function.String("name", tool.name);
    function.String("description", tool.description);
    function.Raw("parameters", tool.parameters_schema);
    JsonObject entry;
    entry.String("type", "function");
    entry.Raw("function", std::move(function).Finish());
    tools.push_back(std::move(entry).Finish());
  }
  return JsonList(tools);
}

// A text, or a list of parts of which some are texts; null if it is neither.
std::optional<std::string> ContentText(const json::Node* content) {
  if (content == nullptr || content->is_null()) return "";
  if (content->is_string()) return content->text;
  if (!content->is_array()) return std::nullopt;
  std::string text;
  for (const json::Node& part : content->children) {
    if (TextOf(part.Find("type")) == "text") text += TextOf(part.Find("text"));
  }
  return text;
}

void ReadToolCalls(const json::Node* calls, ModelResponse* response) {
  if (calls == nullptr || !calls->is_array()) return;
  for (const json::Node& call : calls->children) {
    ModelToolCall read = {TextOf(call.Find("id")), TextOf(Descend(&call, {"function", "name"})),
                          ""};
    const json::Node* arguments = Descend(&call, {"function", "arguments"});
    // Some servers send the object itself.
    if (arguments != nullptr) {
      read.arguments = arguments->is_string() ? arguments->text : arguments->ToJson();
    }
    if (read.id.empty()) read.id = StrCat("call-", response->tool_calls.size());
    if (!read.name.empty()) response->tool_calls.push_back(std::move(read));
  }
}

double ProbabilityOf(const json::Node& token) {
  const json::Node* logprob = token.Find("logprob");
  const double value = logprob == nullptr ? -INFINITY : logprob->AsDouble().value_or(-INFINITY);
  return std::exp(std::min(value, 0.0));
}

void ReadProbabilities(const json::Node& choice, ModelResponse* response) {
  const json::Node* tokens = Descend(&choice, {"logprobs", "content"});
  if (tokens == nullptr || !tokens->is_array()) return;
  for (const json::Node& token : tokens->children) {
    TokenProbability read = {TextOf(token.Find("token")), ProbabilityOf(token), {}};
    const json::Node* top = token.Find("top_logprobs");
    if (top != nullptr && top->is_array()) {
      for (const json::Node& other : top->children) {
        read.alternatives.emplace_back(TextOf(other.Find("token")), ProbabilityOf(other));
      }
    }
    response->token_probabilities.push_back(std::move(read));
  }
}

void ReadUsage(const json::Node* usage, ModelResponse* response) {
  response->input_tokens = CountOf(usage, "prompt_tokens");
  response->output_tokens = CountOf(usage, "completion_tokens");
  response->cached_input_tokens =
      std::max(CountOf(Descend(usage, {"prompt_tokens_details"}), "cached_tokens"),
               CountOf(usage, "prompt_cache_hit_tokens"));
  response->reasoning_tokens =
      CountOf(Descend(usage, {"completion_tokens_details"}), "reasoning_tokens");
}

}  // namespace

absl::StatusOr<std::string> OpenAiWire::PathFor(const std::string& model) const {
  if (options_.place == Place::kPlain) return "/chat/completions";
  ASSAY_ASSIGN_OR_RETURN(const std::string segment, PathSegment(model));
  if (options_.place == Place::kDatabricks) {
    return StrCat("/serving-endpoints/", segment, "/invocations");
  }
  return StrCat("/openai/deployments/", segment,
                "/chat/completions?api-version=", options_.api_version);
}

absl::StatusOr<WireRequest> OpenAiWire::Write(const ModelRequest& request, const std::string& model,
                                              const WireFeatures& features) const {
  WireRequest wire;
  ASSAY_ASSIGN_OR_RETURN(wire.path, PathFor(model));
  const bool has_schema = !request.response_schema.empty();
  JsonObject body;
  if (options_.place == Place::kPlain) body.String("model", model);
  body.Raw("messages", Messages(request, has_schema && !features.structured));
  if (has_schema && features.structured) body.Raw("response_format", ResponseFormat(request));
  if (!request.tools.empty()) body.Raw("tools", Tools(request));
  if (request.token_probabilities && features.probabilities) {
    body.Raw("logprobs", "true");
    body.Number("top_logprobs", kTopTokens);
  }
  const bool newer_name = options_.max_completion_tokens == features.usual_max_tokens_name;
  for (const auto& [name, value] : request.parameters) {
    body.Number(name == "max_tokens" && newer_name ? "max_completion_tokens" : name, value);
  }
  wire.body = std::move(body).Finish();
  return wire;
}

absl::StatusOr<ModelResponse> OpenAiWire::Read(const ModelRequest& request,
                                               const std::string& model,
                                               const std::string& body) const {
  const std::string& provider = options_.uri_prefix;
  const absl::StatusOr<json::Node> root = json::ParseJson(body);
  if (!root.ok()) return UnreadableAnswer(provider, "what is no JSON");
  const json::Node* choices = root->Find("choices");
  if (choices == nullptr || !choices->is_array() || choices->children.empty()) {
    return UnreadableAnswer(provider, "no choices");
  }
  const json::Node& choice = choices->children.front();
  const json::Node* message = choice.Find("message");
  const std::string finish = TextOf(choice.Find("finish_reason"));
  if (message == nullptr) return UnreadableAnswer(provider, "no message");
  if (const std::string refusal = TextOf(message->Find("refusal")); !refusal.empty()) {
    return RefusedAnswer(provider, StrCat("the model refuses: ", refusal));
  }
  if (finish == "content_filter") {
    return RefusedAnswer(provider, "the provider's content filter refuses");
  }
  ModelResponse response;
  ReadToolCalls(message->Find("tool_calls"), &response);
  const std::optional<std::string> text = ContentText(message->Find("content"));
  const bool is_silent = !text.has_value() || message->Find("content") == nullptr ||
                         message->Find("content")->is_null();
  response.truncated = finish == "length";
  if (is_silent && response.tool_calls.empty() && !response.truncated) {
    return UnreadableAnswer(provider, "a message without text");
  }
  response.text = text.value_or("");
  response.answered_by = TextOf(root->Find("model"));
  if (response.answered_by.empty()) response.answered_by = model;
  ReadProbabilities(choice, &response);
  ReadUsage(root->Find("usage"), &response);
  return response;
}

http::HttpHeader OpenAiWire::KeyHeader(const std::string& key) const {
  if (options_.place == Place::kAzure) return {"api-key", key};
  return ProviderWire::KeyHeader(key);
}

RefusedFeature OpenAiWire::RefusedBy(int, const ProviderError& error) const {
  // The model wrote something else than was asked for, and the provider does not show it.
  if (error.code == "json_validate_failed") return RefusedFeature::kSchema;
  const std::string lower = absl::AsciiStrToLower(StrCat(error.message, " ", error.param));
  if (absl::StrContains(lower, "max_completion_tokens")) return RefusedFeature::kMaxTokensName;
  if (absl::StrContains(lower, "logprobs")) return RefusedFeature::kProbabilities;
  for (const char* word : {"response_format", "json_schema", "structured output"}) {
    if (!absl::StrContains(lower, word)) continue;
    return absl::StrContains(lower, "invalid schema") ? RefusedFeature::kSchema
                                                      : RefusedFeature::kStructured;
  }
  return RefusedFeature::kNone;
}

}  // namespace assay::judge
