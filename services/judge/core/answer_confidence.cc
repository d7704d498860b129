#include "services/judge/core/answer_confidence.h"

#include <string>
#include <utility>
#include <variant>

#include "common/json/canonical.h"
#include "common/json/safe_json.h"
#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"
#include "services/judge/core/token_confidence.h"

namespace assay::judge {

namespace {

using common::v1::ConfidenceMethod;

constexpr std::string_view kContract =
    "Beside these, the object has a last field \"confidence\": a number from 0 to 1, how probable "
    "you find it that your result is right. 0.5 means that another result is as likely.\n";

json::Node* Member(json::Node* node, std::string_view name) {
  for (json::Node& child : node->children) {
    if (child.key == name) return &child;
  }
  return nullptr;
}

// The schema of the answer with a required `confidence` at the end of its fields.
std::string WithConfidence(const std::string& schema) {
  absl::StatusOr<json::Node> root = json::ParseJson(schema);
  absl::StatusOr<json::Node> number =
      json::ParseJson(R"({"type":"number","minimum":0,"maximum":1})");
  if (!root.ok() || !number.ok()) return schema;
  json::Node* properties = Member(&*root, "properties");
  json::Node* required = Member(&*root, "required");
  if (properties == nullptr || required == nullptr) return schema;
  number->key = "confidence";
  properties->children.push_back(*std::move(number));
  json::Node name;
  name.kind = json::Node::Kind::kString;
  name.text = "confidence";
  required->children.push_back(std::move(name));
  return root->ToJson();
}

// nullopt if there is none from 0 to 1.
std::optional<double> StatedIn(std::string_view answer) {
  const auto found = FindAnswerObject(json::SanitizeUtf8(answer));
  const auto* object = std::get_if<json::Node>(&found);
  const json::Node* stated = object == nullptr ? nullptr : object->Find("confidence");
  if (stated == nullptr || !stated->is_number()) return std::nullopt;
  const std::optional<double> value = stated->AsDouble();
  return value.has_value() && *value >= 0 && *value <= 1 ? value : std::nullopt;
}

}  // namespace

ConfidenceMethod AnswerConfidenceMethod(const JudgingSetup& setup) {
  const ConfidenceMethod method = setup.definition->confidence().method();
  return method == common::v1::CONFIDENCE_METHOD_VOTE_SHARE
             ? common::v1::CONFIDENCE_METHOD_UNSPECIFIED
             : method;
}

absl::Status CheckConfidenceSupport(ConfidenceMethod method, const JudgingSetup& setup,
                                    std::string_view model_uri) {
  if (method != common::v1::CONFIDENCE_METHOD_TOKEN_PROBABILITY ||
      (setup.traits && setup.traits(model_uri).token_probabilities)) {
    return absl::OkStatus();
  }
  return PreconditionFailed("TOKEN_PROBABILITIES_UNSUPPORTED", "definition.confidence.method",
                            StrCat("The model `", model_uri,
                                   "` gives no probabilities of its tokens; use VOTE_SHARE or "
                                   "STATED, or another model."));
}

void AskForConfidence(ConfidenceMethod method, RenderedPrompt* prompt) {
  if (method != common::v1::CONFIDENCE_METHOD_STATED || prompt->messages.empty()) return;
  prompt->schema = WithConfidence(prompt->schema);
  prompt->messages.front().text += kContract;
  prompt->contract += kContract;
  prompt->sha256 = json::Sha256Hex(StrCat(prompt->sha256, "\n", kContract));
}

std::optional<AnswerViolation> AddConfidence(ConfidenceMethod method, const RenderedPrompt& prompt,
                                             const ModelResponse& response,
                                             common::v1::Feedback* feedback) {
  std::optional<double> value;
  if (method == common::v1::CONFIDENCE_METHOD_STATED) {
    value = StatedIn(response.text);
    if (!value.has_value()) {
      return AnswerViolation{"ANSWER_UNREADABLE",
                             "it has no \"confidence\" that is a number from 0 to 1"};
    }
  } else if (method == common::v1::CONFIDENCE_METHOD_TOKEN_PROBABILITY) {
    value = TokenConfidence(prompt.value_type, response.text, response.token_probabilities);
  }
  if (!value.has_value()) return std::nullopt;
  feedback->mutable_confidence()->set_value(*value);
  feedback->mutable_confidence()->set_method(method);
  return std::nullopt;
}

}  // namespace assay::judge
