#include "services/judge/core/verdict.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "absl/strings/ascii.h"
#include "common/json/json_reader.h"
#include "common/json/safe_json.h"
#include "common/json/utf8.h"
#include "common/judging/judge_definition.h"
#include "common/judging/value_type.h"
#include "common/strings/strings.h"

namespace assay::judge {

namespace {

using common::v1::ValueType;

constexpr int kMaxObjectsTried = 32;

// The balanced object that begins at `begin`, with raw control characters inside strings escaped,
// as models write them; empty if it never ends.
std::string BalancedObject(std::string_view text, size_t begin) {
  std::string object;
  int depth = 0;
  bool in_string = false;
  for (size_t i = begin; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\' && i + 1 < text.size()) {
        object += c;
        object += text[++i];
        continue;
      }
      if (static_cast<unsigned char>(c) < 0x20) {
        object += c == '\n' ? "\\n" : " ";
        continue;
      }
      if (c == '"') in_string = false;
      object += c;
      continue;
    }
    object += c;
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return object;
  }
  return "";
}

std::string Folded(std::string_view text) {
  std::string folded = absl::AsciiStrToLower(ToAbsl(text));
  absl::StripAsciiWhitespace(&folded);
  while (!folded.empty() && (folded.back() == '.' || folded.back() == '!')) folded.pop_back();
  return folded;
}

// The category that `result` spells, but for case and outer white space; nullopt if it is none, or
// two.
std::optional<std::string> Category(const ValueType& type, const json::Node& result) {
  if (!type.has_category_type() || !result.is_string()) return std::nullopt;
  std::optional<std::string> found;
  for (const std::string& category : type.category_type().categories()) {
    if (category == result.text) return json::JsonString(category);
    if (Folded(category) != Folded(result.text)) continue;
    if (found.has_value()) return std::nullopt;
    found = json::JsonString(category);
  }
  return found;
}

std::string ResultText(const ValueType& type, bool yes_or_no, const json::Node& result) {
  if (yes_or_no) {
    if (std::optional<std::string> word = YesOrNoWord(result)) return *std::move(word);
  }
  if (std::optional<std::string> category = Category(type, result)) return *std::move(category);
  return result.ToJson();
}

std::string RationaleText(const json::Node& answer) {
  const json::Node* rationale = answer.Find("rationale");
  if (rationale == nullptr || rationale->is_null()) return "";
  const std::string text = rationale->is_string() ? rationale->text : rationale->ToJson();
  return std::string(json::TruncateUtf8Bytes(text, judging::kMaxTextBytes));
}

}  // namespace

std::variant<json::Node, std::string> FindAnswerObject(std::string_view answer) {
  std::string why = "it holds no JSON object";
  size_t begin = answer.find('{');
  for (int tried = 0; begin != std::string_view::npos && tried < kMaxObjectsTried; ++tried) {
    const std::string object = BalancedObject(answer, begin);
    if (!object.empty()) {
      absl::StatusOr<json::Node> node = json::ParseJson(object);
      if (node.ok() && node->Find("result") != nullptr) return *std::move(node);
      why = node.ok() ? "its JSON object has no field \"result\"" : "its JSON cannot be read";
    } else if (tried == 0) {
      why = "its JSON object has no end";
    }
    begin = answer.find('{', begin + 1);
  }
  return why;
}

std::optional<std::string> YesOrNoWord(const json::Node& result) {
  static constexpr std::string_view kYes[] = {"yes",    "true",    "pass",    "passed",
                                              "passes", "correct", "1",       "met",
                                              "ok",     "y",       "adheres", "compliant"};
  static constexpr std::string_view kNo[] = {"no",    "false",     "fail",     "failed",
                                             "fails", "incorrect", "0",        "not met",
                                             "n",     "violated",  "violates", "noncompliant"};
  const std::string word = Folded(result.is_string() ? result.text : result.ToJson());
  if (std::find(std::begin(kYes), std::end(kYes), word) != std::end(kYes)) return "\"yes\"";
  if (std::find(std::begin(kNo), std::end(kNo), word) != std::end(kNo)) return "\"no\"";
  return std::nullopt;
}

std::variant<Verdict, AnswerViolation> ReadVerdict(const ValueType& type, bool yes_or_no,
                                                   std::string_view answer, bool truncated) {
  if (answer.size() > kMaxAnswerBytes) {
    return AnswerViolation{"ANSWER_UNREADABLE", "it has more than 1 MiB"};
  }
  const std::string text = json::SanitizeUtf8(answer);
  auto found = FindAnswerObject(text);
  if (const auto* why = std::get_if<std::string>(&found)) {
    if (truncated) {
      return AnswerViolation{"ANSWER_TRUNCATED",
                             "it was cut off by the token limit; be much shorter"};
    }
    return AnswerViolation{"ANSWER_UNREADABLE", *why};
  }
  const json::Node& object = std::get<json::Node>(found);
  const json::Node* result = object.Find("result");
  Verdict verdict{ResultText(type, yes_or_no, *result), RationaleText(object)};
  if (!judging::ValidateValue(type, verdict.result, "result").ok()) {
    return AnswerViolation{
        "VALUE_OUTSIDE_TYPE",
        StrCat("its \"result\" is ", json::PreviewOf(result->ToJson(), 200), ", but allowed is ",
               json::PreviewOf(judging::DescribeValueType(type), 1500))};
  }
  return verdict;
}

}  // namespace assay::judge
