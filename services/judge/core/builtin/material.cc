#include "services/judge/core/builtin/material.h"

#include <utility>

#include "common/judging/prompt_fence.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/core/chat_text.h"

namespace assay::judge {

namespace {

using json::Node;

bool IsEmpty(const Node& node) {
  return node.is_null() || (node.is_string() && node.text.empty()) ||
         ((node.is_array() || node.is_object()) && node.children.empty());
}

}  // namespace

absl::Status MissingBuiltinInput(std::string_view field, std::string_view what) {
  return InvalidField(field, what, "MISSING_JUDGE_INPUT");
}

std::string JsonBlock(std::string_view name, std::string_view json_text) {
  const absl::StatusOr<std::string> pretty = json::PrettyJson(json_text);
  return judging::FencedBlock(name, pretty.ok() ? *pretty : json_text) + "\n";
}

absl::StatusOr<std::string> RequestBlock(const Subject& subject) {
  if (subject.inputs.has_value()) return JsonBlock("request", RequestOf(*subject.inputs));
  return MissingBuiltinInput("inputs", "are needed by this judge, and no trace brings any");
}

absl::StatusOr<std::string> ResponseBlock(const Subject& subject) {
  if (subject.outputs.has_value()) return JsonBlock("response", ResponseOf(*subject.outputs));
  return MissingBuiltinInput("outputs", "are needed by this judge, and no trace brings any");
}

absl::StatusOr<std::optional<Node>> ExpectationsOf(const Subject& subject) {
  if (!subject.expectations.has_value()) return std::nullopt;
  ASSAY_ASSIGN_OR_RETURN(Node node, json::ParseJson(*subject.expectations));
  if (!node.is_object()) return InvalidField("expectations", "must be a JSON object");
  return node;
}

absl::StatusOr<std::optional<std::string>> ExpectationNamed(const Subject& subject,
                                                            std::string_view name) {
  ASSAY_ASSIGN_OR_RETURN(const std::optional<Node> expectations, ExpectationsOf(subject));
  const Node* found = expectations.has_value() ? expectations->Find(name) : nullptr;
  if (found == nullptr || IsEmpty(*found)) return std::nullopt;
  return found->ToJson();
}

absl::StatusOr<std::string> ExpectedBlocks(const Subject& subject) {
  std::string blocks;
  for (const std::string_view name : {"expected_response", "expected_facts"}) {
    ASSAY_ASSIGN_OR_RETURN(const std::optional<std::string> expected,
                           ExpectationNamed(subject, name));
    if (expected.has_value()) StrAppend(&blocks, JsonBlock(name, *expected));
  }
  if (!blocks.empty()) return blocks;
  return MissingBuiltinInput("expectations",
                             "need `expected_response` or `expected_facts` for this judge; with a "
                             "trace, a person's expectation of that name will do");
}

}  // namespace assay::judge
