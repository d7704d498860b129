#include "services/judge/clients/gemini_wire.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "common/json/safe_json.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/clients/gemini_schema.h"
#include "services/judge/clients/json_object.h"
#include "services/judge/clients/wire_json.h"

namespace assay::judge {
namespace {

constexpr int kTopTokens = 5;
constexpr char kSignatureMark = '.';  // In ids, before the signature.

std::string TextPart(const std::string& text) {
  JsonObject part;
  part.String("text", text);
  return std::move(part).Finish();
}

std::string CallPart(const ModelToolCall& call) {
  JsonObject function;
  function.String("name", call.name);
  function.Raw("args", ArgumentsObject(call.arguments));
  JsonObject part;
  part.Raw("functionCall", std::move(function).Finish());
  const size_t mark = call.id.find(kSignatureMark);
  if (mark != std::string::npos) part.String("thoughtSignature", call.id.substr(mark + 1));
  return std::move(part).Finish();
}

std::string ResultPart(const ModelRequest& request, const ChatMessage& message) {
  JsonObject result;
  result.String("result", message.text);
  JsonObject response;
  response.String("name", ToolNameOf(request, message.tool_call_id));
  response.Raw("response", std::move(result).Finish());
  JsonObject part;
  part.Raw("functionResponse", std::move(response).Finish());
  return std::move(part).Finish();
}

std::string Contents(const ModelRequest& request, const std::string& fallback) {
  std::vector<std::string> contents;
  std::vector<std::string> parts;
  bool is_model = false;
  auto close = [&] {
    if (parts.empty()) return;
    JsonObject content;
    content.String("role", is_model ? "model" : "user");
    content.Raw("parts", JsonList(parts));
    contents.push_back(std::move(content).Finish());
    parts.clear();
  };
  for (const ChatMessage& message : request.messages) {
    if (message.role == ChatRole::kSystem) continue;
    if ((message.role == ChatRole::kAssistant) != is_model) close();
    is_model = message.role == ChatRole::kAssistant;
    if (message.role == ChatRole::kTool) {
      parts.push_back(ResultPart(request, message));
      continue;
    }
    if (!message.text.empty()) parts.push_back(TextPart(message.text));
    for (const ModelToolCall& call : message.tool_calls) parts.push_back(CallPart(call));
  }
  close();
  if (contents.empty()) {
    is_model = false;
    parts.push_back(TextPart(fallback));
    close();
  }
  return JsonList(contents);
}

absl::StatusOr<std::string> GenerationConfig(const ModelRequest& request,
                                             const std::optional<std::string>& schema,
                                             bool probabilities) {
  JsonObject config;
  for (const auto& [name, value] : request.parameters) {
    if (name == "max_tokens") {
      config.Number("maxOutputTokens", value);
    } else if (name == "top_p") {
      config.Number("topP", value);
    } else if (name == "temperature" || name == "seed") {
      config.Number(name, value);
    } else {
      return NoSuchParameter("Gemini", name, "temperature, top_p, max_tokens and seed");
    }
  }
  if (schema.has_value()) {
    config.String("responseMimeType", "application/json");
    config.Raw("responseSchema", *schema);
  }
  if (probabilities) {
    config.Raw("responseLogprobs", "true");
    config.Number("logprobs", kTopTokens);
  }
  return std::move(config).Finish();
}

std::string Tools(const ModelRequest& request) {
  std::vector<std::string> declarations;
  for (const ModelTool& tool : request.tools) {
    JsonObject declaration;
    declaration.String("name", tool.name);
    declaration.String("description", tool.description);
    const std::optional<std::string> schema = GeminiSchema(tool.parameters_schema);
    // An object without properties is refused.
    if (schema.has_value() && absl::StrContains(*schema, "\"properties\"")) {
      declaration.Raw("parameters", *schema);
    }
    declarations.push_back(std::move(declaration).Finish());
  }
  JsonObject tools;
  tools.Raw("functionDeclarations", JsonList(declarations));
  return JsonList({std::move(tools).Finish()});
}

// A model as "gemini-x", "models/gemini-x" or "tunedModels/x".
absl::StatusOr<std::string> PathFor(std::string_view model) {
  std::string_view collection = "models";
  for (const std::string_view prefix : {"models", "tunedModels"}) {
    if (!model.starts_with(prefix) || model.substr(prefix.size(), 1) != "/") continue;
    collection = prefix;
    model.remove_prefix(prefix.size() + 1);
    break;
  }
  ASSAY_ASSIGN_OR_RETURN(const std::string segment, PathSegment(model));
  return StrCat("/", collection, "/", segment, ":generateContent");
}

void ReadParts(const ModelRequest& request, const json::Node* parts, ModelResponse* response) {
  if (parts == nullptr || !parts->is_array()) return;
  size_t calls = 0;
  for (const ChatMessage& message : request.messages) calls += message.tool_calls.size();
  for (const json::Node& part : parts->children) {
    const json::Node* thought = part.Find("thought");
    if (thought != nullptr && thought->AsBool().value_or(false)) continue;
    response->text += TextOf(part.Find("text"));
    const json::Node* function = part.Find("functionCall");
    if (function == nullptr) continue;
    ModelToolCall call = {StrCat("call-", ++calls), TextOf(function->Find("name")), "{}"};
    if (const json::Node* arguments = function->Find("args")) call.arguments = arguments->ToJson();
    const std::string signature = TextOf(part.Find("thoughtSignature"));
    if (!signature.empty()) StrAppend(&call.id, std::string(1, kSignatureMark), signature);
    if (!call.name.empty()) response->tool_calls.push_back(std::move(call));
  }
}

std::pair<std::string, double> TokenIn(const json::Node& node) {
  const json::Node* logprob = node.Find("logProbability");
  const double value = logprob == nullptr ? -INFINITY : logprob->AsDouble().value_or(-INFINITY);
  return {TextOf(node.Find("token")), std::exp(std::min(value, 0.0))};
}

void ReadProbabilities(const json::Node& candidate, ModelResponse* response) {
  const json::Node* chosen = Descend(&candidate, {"logprobsResult", "chosenCandidates"});
  const json::Node* top = Descend(&candidate, {"logprobsResult", "topCandidates"});
  if (chosen == nullptr || !chosen->is_array()) return;
  for (size_t i = 0; i < chosen->children.size(); ++i) {
    auto [token, probability] = TokenIn(chosen->children[i]);
    TokenProbability read = {std::move(token), probability, {}};
    if (top != nullptr && i < top->children.size()) {
      const json::Node* others = top->children[i].Find("candidates");
      for (size_t k = 0; others != nullptr && k < others->children.size(); ++k) {
        read.alternatives.push_back(TokenIn(others->children[k]));
      }
    }
    response->token_probabilities.push_back(std::move(read));
  }
}

void ReadUsage(const json::Node* usage, ModelResponse* response) {
  response->input_tokens = CountOf(usage, "promptTokenCount");
  response->cached_input_tokens = CountOf(usage, "cachedContentTokenCount");
  response->reasoning_tokens = CountOf(usage, "thoughtsTokenCount");
  response->output_tokens = CountOf(usage, "candidatesTokenCount") + response->reasoning_tokens;
}

bool IsRefusal(const std::string& finish) {
  static constexpr auto kWords = {"SAFETY", "RECITATION", "BLOCKLIST",   "PROHIBITED_CONTENT",
                                  "SPII",   "LANGUAGE",   "IMAGE_SAFETY"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](const char* word) { return finish == word; });
}

}  // namespace

absl::StatusOr<WireRequest> GeminiWire::Write(const ModelRequest& request, const std::string& model,
                                              const WireFeatures& features) const {
  WireRequest wire;
  ASSAY_ASSIGN_OR_RETURN(wire.path, PathFor(model));
  std::optional<std::string> schema;
  if (features.structured && request.tools.empty() && !request.response_schema.empty()) {
    schema = GeminiSchema(request.response_schema);
  }
  const bool in_words = !request.response_schema.empty() && !schema.has_value();
  ASSAY_ASSIGN_OR_RETURN(
      const std::string config,
      GenerationConfig(request, schema, request.token_probabilities && features.probabilities));
  const std::string system =
      SystemText(request, in_words ? SchemaInWords(request.response_schema) : "");
  JsonObject body;
  body.Raw("contents", Contents(request, SystemText(request, "")));
  if (!system.empty()) {
    JsonObject instruction;
    instruction.Raw("parts", JsonList({TextPart(system)}));
    body.Raw("systemInstruction", std::move(instruction).Finish());
  }
  if (config != "{}") body.Raw("generationConfig", config);
  if (!request.tools.empty()) body.Raw("tools", Tools(request));
  wire.body = std::move(body).Finish();
  return wire;
}

absl::StatusOr<ModelResponse> GeminiWire::Read(const ModelRequest& request,
                                               const std::string& model,
                                               const std::string& body) const {
  const absl::StatusOr<json::Node> root = json::ParseJson(body);
  if (!root.ok()) return UnreadableAnswer(uri_prefix_, "what is no JSON");
  const std::string block = TextOf(Descend(&*root, {"promptFeedback", "blockReason"}));
  if (!block.empty()) {
    return RefusedAnswer(uri_prefix_, StrCat("the provider blocks the prompt: ", block));
  }
  const json::Node* candidates = root->Find("candidates");
  if (candidates == nullptr || !candidates->is_array() || candidates->children.empty()) {
    return UnreadableAnswer(uri_prefix_, "no candidates");
  }
  const json::Node& candidate = candidates->children.front();
  const std::string finish = TextOf(candidate.Find("finishReason"));
  if (IsRefusal(finish)) {
    return RefusedAnswer(uri_prefix_, StrCat("the provider's filter refuses: ", finish));
  }
  ModelResponse response;
  ReadParts(request, Descend(&candidate, {"content", "parts"}), &response);
  response.truncated = finish == "MAX_TOKENS";
  if (response.text.empty() && response.tool_calls.empty() && !response.truncated) {
    return UnreadableAnswer(uri_prefix_, "neither text nor a tool call");
  }
  response.answered_by = TextOf(root->Find("modelVersion"));
  if (response.answered_by.empty()) response.answered_by = model;
  ReadProbabilities(candidate, &response);
  ReadUsage(root->Find("usageMetadata"), &response);
  return response;
}

RefusedFeature GeminiWire::RefusedBy(int, const ProviderError& error) const {
  const std::string lower = absl::AsciiStrToLower(error.message);
  if (absl::StrContains(lower, "logprobs")) return RefusedFeature::kProbabilities;
  for (const char* word :
       {"json mode", "response_mime_type", "responsemimetype", "response mime type"}) {
    if (absl::StrContains(lower, word)) return RefusedFeature::kStructured;
  }
  for (const char* word : {"response_schema", "responseschema", "schema"}) {
    if (absl::StrContains(lower, word)) return RefusedFeature::kSchema;
  }
  return RefusedFeature::kNone;
}

}  // namespace assay::judge
