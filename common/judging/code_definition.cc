#include "common/judging/code_definition.h"

#include <cmath>
#include <string>

#include "common/json/utf8.h"
#include "common/judging/json_schema.h"
#include "common/judging/judge_path.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "re2/re2.h"

namespace assay::judging {

namespace {

using registry::v1::CodeJudge;

constexpr int kMaxTexts = 100;
constexpr size_t kMaxTextBytes = 64 * 1024;
constexpr size_t kMaxPatternChars = 4'096;
constexpr std::string_view kEmbedder = "local:/hashed-ngrams";

absl::Status ValidateContains(const registry::v1::ContainsCheck& check, const std::string& field) {
  if (check.texts_size() > kMaxTexts) {
    return InvalidField(StrCat(field, ".texts"), "has more than 100 texts");
  }
  for (int i = 0; i < check.texts_size(); ++i) {
    const std::string& text = check.texts(i);
    if (text.empty() || text.size() > kMaxTextBytes) {
      return InvalidField(StrCat(field, ".texts[", i, "]"), "must have 1 byte to 64 KiB");
    }
  }
  if (check.any() && check.absent()) {
    return InvalidField(StrCat(field, ".any"), "contradicts absent: none of them may be there");
  }
  return absl::OkStatus();
}

absl::Status ValidateRegex(const registry::v1::RegexCheck& check, const std::string& field) {
  const std::string path = StrCat(field, ".pattern");
  if (check.pattern().empty() || json::CountChars(check.pattern()) > kMaxPatternChars) {
    return InvalidField(path, "must have 1 to 4,096 characters", "INVALID_REGEX");
  }
  const RE2 expression(check.pattern(), RE2::Quiet);
  if (expression.ok()) return absl::OkStatus();
  return InvalidField(
      path, StrCat("is no expression in RE2's syntax: ", json::PreviewOf(expression.error(), 300)),
      "INVALID_REGEX");
}

absl::Status ValidateNumeric(const registry::v1::NumericCheck& check, const std::string& field) {
  const auto valid = [](double tolerance) { return std::isfinite(tolerance) && tolerance >= 0; };
  if (!valid(check.absolute_tolerance())) {
    return InvalidField(StrCat(field, ".absolute_tolerance"), "must be a number of at least 0");
  }
  if (check.has_relative_tolerance() && !valid(check.relative_tolerance())) {
    return InvalidField(StrCat(field, ".relative_tolerance"), "must be a number of at least 0");
  }
  return absl::OkStatus();
}

template <class Check>
absl::Status ValidateThreshold(const Check& check, const std::string& field) {
  if (!check.has_threshold() || (check.threshold() >= 0 && check.threshold() <= 1)) {
    return absl::OkStatus();
  }
  return InvalidField(StrCat(field, ".threshold"), "must be from 0 to 1");
}

absl::Status ValidateCheck(const CodeJudge& judge, std::string_view field) {
  const std::string path = StrCat(field, ".", CodeCheckName(judge));
  switch (judge.check_case()) {
    case CodeJudge::kExact:
      return absl::OkStatus();
    case CodeJudge::kContains:
      return ValidateContains(judge.contains(), path);
    case CodeJudge::kRegex:
      return ValidateRegex(judge.regex(), path);
    case CodeJudge::kJsonSchema:
      return JsonSchema::Compile(judge.json_schema().schema(), StrCat(path, ".schema")).status();
    case CodeJudge::kNumeric:
      return ValidateNumeric(judge.numeric(), path);
    case CodeJudge::kEditDistance:
      return ValidateThreshold(judge.edit_distance(), path);
    case CodeJudge::kEmbedding:
      if (!judge.embedding().embedding_model().empty() &&
          judge.embedding().embedding_model() != kEmbedder) {
        return InvalidField(StrCat(path, ".embedding_model"),
                            StrCat("must be `", kEmbedder, "` or empty"));
      }
      return ValidateThreshold(judge.embedding(), path);
    case CodeJudge::CHECK_NOT_SET:
      break;
  }
  return InvalidField(field,
                      "needs exactly one check: exact, contains, regex, json_schema, numeric, "
                      "edit_distance or embedding");
}

bool ExpectsSomething(const CodeJudge& judge) {
  return !(judge.has_regex() || judge.has_json_schema() || judge.contains().texts_size() > 0);
}

}  // namespace

absl::Status ValidateCodeJudge(const CodeJudge& judge, std::string_view field) {
  ASSAY_RETURN_IF_ERROR(ValidateCheck(judge, field));
  if (!judge.actual().empty()) {
    ASSAY_RETURN_IF_ERROR(ParseJudgePath(judge.actual(), StrCat(field, ".actual")).status());
  }
  if (judge.expected().empty()) return absl::OkStatus();
  const std::string expected = StrCat(field, ".expected");
  if (!ExpectsSomething(judge)) {
    return InvalidField(expected, "must be empty: this check says itself what it looks for");
  }
  return ParseJudgePath(judge.expected(), expected).status();
}

common::v1::ValueType CodeValueType(const CodeJudge& judge) {
  common::v1::ValueType type;
  const bool graded = (judge.has_edit_distance() && !judge.edit_distance().has_threshold()) ||
                      (judge.has_embedding() && !judge.embedding().has_threshold());
  if (graded) {
    type.mutable_number_type()->set_minimum(0);
    type.mutable_number_type()->set_maximum(1);
  } else {
    type.mutable_bool_type();
  }
  return type;
}

std::string_view CodeCheckName(const CodeJudge& judge) {
  switch (judge.check_case()) {
    case CodeJudge::kExact:
      return "exact";
    case CodeJudge::kContains:
      return "contains";
    case CodeJudge::kRegex:
      return "regex";
    case CodeJudge::kJsonSchema:
      return "json_schema";
    case CodeJudge::kNumeric:
      return "numeric";
    case CodeJudge::kEditDistance:
      return "edit_distance";
    case CodeJudge::kEmbedding:
      return "embedding";
    case CodeJudge::CHECK_NOT_SET:
      break;
  }
  return "";
}

}  // namespace assay::judging
