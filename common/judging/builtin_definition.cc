#include "common/judging/builtin_definition.h"

#include <algorithm>
#include <string>
#include <utility>

#include "common/json/utf8.h"
#include "common/judging/field_path.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judging {

namespace {

using common::v1::ValueType;
using registry::v1::BuiltinJudge;
using registry::v1::JudgeDefinition;

constexpr BuiltinTraits kBuiltins[] = {
    {"relevance_to_query", "RelevanceToQuery", BuiltinScope::kAnswer},
    {"correctness", "Correctness", BuiltinScope::kAnswer},
    {"completeness", "Completeness", BuiltinScope::kAnswer},
    {"fluency", "Fluency", BuiltinScope::kAnswer},
    {"equivalence", "Equivalence", BuiltinScope::kAnswer},
    {"safety", "Safety", BuiltinScope::kAnswer},
    {"summarization", "Summarization", BuiltinScope::kAnswer},
    {"retrieval_relevance", "RetrievalRelevance", BuiltinScope::kTrace},
    {"retrieval_sufficiency", "RetrievalSufficiency", BuiltinScope::kTrace},
    {"retrieval_groundedness", "RetrievalGroundedness", BuiltinScope::kTrace},
    {"tool_call_efficiency", "ToolCallEfficiency", BuiltinScope::kTrace},
    {"tool_call_correctness", "ToolCallCorrectness", BuiltinScope::kTrace},
    {"conversation_completeness", "ConversationCompleteness", BuiltinScope::kSession},
    {"conversational_safety", "ConversationalSafety", BuiltinScope::kSession},
    {"conversational_tool_call_efficiency", "ConversationalToolCallEfficiency",
     BuiltinScope::kSession},
    {"conversational_role_adherence", "ConversationalRoleAdherence", BuiltinScope::kSession},
    {"user_frustration", "UserFrustration", BuiltinScope::kSession},
    {"knowledge_retention", "KnowledgeRetention", BuiltinScope::kSession},
};

constexpr std::string_view kRetention = "knowledge_retention";

std::string Names() {
  std::string names;
  for (const BuiltinTraits& builtin : kBuiltins) {
    StrAppend(&names, names.empty() ? "" : ", ", builtin.name);
  }
  return names;
}

bool SameType(const ValueType& a, const ValueType& b) {
  const auto& x = a.category_type().categories();
  const auto& y = b.category_type().categories();
  return a.has_category_type() && !a.nullable() && x.size() == y.size() &&
         std::equal(x.begin(), x.end(), y.begin());
}

// A judge of one turn must look at a conversation, once, and say yes or no.
absl::Status CheckLastTurnJudge(const JudgeDefinition& judge, std::string_view field) {
  switch (judge.kind_case()) {
    case JudgeDefinition::kInstructions: {
      ValueType yes_no;
      yes_no.mutable_category_type()->add_categories("yes");
      yes_no.mutable_category_type()->add_categories("no");
      if (SameType(judge.value_type(), yes_no)) return absl::OkStatus();
      return InvalidField(StrCat(field, ".value_type"), "must be the categories `yes`, `no`",
                          "INVALID_VALUE_TYPE");
    }
    case JudgeDefinition::kGuidelines:
      if (judge.guidelines().conversation()) return absl::OkStatus();
      return InvalidField(StrCat(field, ".guidelines.conversation"), "must be set");
    case JudgeDefinition::kBuiltin: {
      const BuiltinTraits* builtin = FindBuiltinJudge(judge.builtin().builtin());
      if (builtin != nullptr && builtin->scope == BuiltinScope::kSession &&
          builtin->name != kRetention && builtin->name != "user_frustration") {
        return absl::OkStatus();
      }
      return InvalidField(StrCat(field, ".builtin.builtin"),
                          "must be a judge of conversations whose value is `yes` or `no`, and not "
                          "knowledge_retention itself");
    }
    default:
      return InvalidField(field,
                          "must be of the kind instructions, guidelines or builtin: a judge that "
                          "puts one question about a conversation");
  }
}

}  // namespace

absl::Span<const BuiltinTraits> BuiltinJudges() { return kBuiltins; }

const BuiltinTraits* FindBuiltinJudge(std::string_view name) {
  for (const BuiltinTraits& builtin : kBuiltins) {
    if (name == builtin.name || name == builtin.alias) return &builtin;
  }
  return nullptr;
}

bool BuiltinReadsTrace(const JudgeDefinition& definition) {
  if (!definition.has_builtin()) return false;
  const BuiltinTraits* builtin = FindBuiltinJudge(definition.builtin().builtin());
  if (builtin == nullptr) return false;
  return builtin->scope != BuiltinScope::kAnswer || builtin->name == "correctness" ||
         builtin->name == "equivalence";
}

absl::Status ValidateBuiltinJudge(const JudgeDefinition& definition, std::string_view field) {
  const BuiltinJudge& judge = definition.builtin();
  const std::string path = FieldPath(field, "builtin");
  const BuiltinTraits* builtin = FindBuiltinJudge(judge.builtin());
  if (builtin == nullptr) {
    return InvalidField(
        StrCat(path, ".builtin"),
        StrCat("is `", json::PreviewOf(judge.builtin(), 60), "`; there are ", Names()),
        "UNKNOWN_BUILTIN_JUDGE");
  }
  if (builtin->name != "tool_call_correctness") {
    for (const auto& [set, name] :
         {std::pair(judge.should_exact_match(), "should_exact_match"),
          std::pair(judge.should_consider_ordering(), "should_consider_ordering")}) {
      if (set) return InvalidField(StrCat(path, ".", name), "is for tool_call_correctness only");
    }
  }
  if (judge.has_last_turn_judge()) {
    const std::string part = StrCat(path, ".last_turn_judge");
    if (builtin->name != kRetention) {
      return InvalidField(part, "is for knowledge_retention only");
    }
    if (absl::Status status = CheckLastTurnJudge(judge.last_turn_judge(), part); !status.ok()) {
      return status;
    }
  }
  if (definition.has_value_type() && !SameType(definition.value_type(), BuiltinValueType(judge))) {
    return InvalidField(FieldPath(field, "value_type"),
                        "of a built-in judge is its own; leave it out", "INVALID_VALUE_TYPE");
  }
  return absl::OkStatus();
}

ValueType BuiltinValueType(const BuiltinJudge& judge) {
  ValueType type;
  const BuiltinTraits* builtin = FindBuiltinJudge(judge.builtin());
  auto& categories = *type.mutable_category_type();
  if (builtin != nullptr && builtin->name == "user_frustration") {
    for (const char* category : {"none", "resolved", "unresolved"}) {
      categories.add_categories(category);
    }
    categories.set_ordered(true);
    return type;
  }
  categories.add_categories("yes");
  categories.add_categories("no");
  return type;
}

}  // namespace assay::judging
