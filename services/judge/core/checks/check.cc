#include "services/judge/core/checks/check.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "common/embed/embed.h"
#include "common/json/canonical.h"
#include "common/json/safe_json.h"
#include "common/json/utf8.h"
#include "common/judging/json_schema.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/number_text.h"
#include "common/strings/strings.h"
#include "re2/re2.h"
#include "services/judge/core/checks/edit_distance.h"
#include "services/judge/core/checks/text_comparison.h"

namespace assay::judge {

namespace {

using json::Node;
using registry::v1::CodeJudge;

constexpr size_t kShownChars = 100;
constexpr size_t kMaxExpectedTexts = 100;
constexpr size_t kMaxNumberChars = 400;

std::string Shown(std::string_view text) {
  return StrCat("`", json::PreviewOf(text, kShownChars), "`");
}

CheckResult Bool(bool passed, std::string why) {
  return {passed ? "true" : "false", std::move(why)};
}

absl::Status InvalidExpectation(std::string_view why) {
  return InvalidField("expectations", why, "INVALID_JUDGE_INPUT");
}

// A text as it is; all else as JSON in one spelling.
std::string TextOf(const std::string& json_text) {
  const absl::StatusOr<Node> node = json::ParseJson(json_text);
  if (!node.ok()) return json_text;
  if (node->is_string()) return node->text;
  absl::StatusOr<std::string> canonical = json::CanonicalJson(json_text);
  return canonical.ok() ? *std::move(canonical) : json_text;
}

CheckResult Exact(const registry::v1::ExactCheck& check, const std::string& actual,
                  const std::string& expected) {
  const auto normal = [&](const std::string& json_text) {
    std::string text = TextOf(json_text);
    if (check.ignore_white_space()) text = CollapseWhiteSpace(text);
    return check.ignore_case() ? FoldCase(text) : text;
  };
  const std::string found = normal(actual);
  const std::string wanted = normal(expected);
  if (found == wanted) return Bool(true, "The answer is what is expected.");
  return Bool(false, DescribeDifference(wanted, found));
}

absl::StatusOr<std::vector<std::string>> ExpectedTexts(const std::string& expected) {
  const absl::StatusOr<Node> node = json::ParseJson(expected);
  if (!node.ok()) return node.status();
  std::vector<std::string> texts;
  const std::vector<Node> one = {*node};
  for (const Node& item : node->is_array() ? node->children : one) {
    if (!item.is_string() && !item.is_number() && !item.is_bool()) {
      return InvalidExpectation("what is expected must be a text or a list of texts");
    }
    texts.push_back(item.is_string() ? item.text : item.ToJson());
    if (texts.back().empty()) return InvalidExpectation("an expected text is empty");
  }
  if (texts.empty() || texts.size() > kMaxExpectedTexts) {
    return InvalidExpectation("what is expected must hold 1 to 100 texts");
  }
  return texts;
}

std::string Listed(const std::vector<std::string>& texts) {
  constexpr size_t kMostShown = 10;
  std::string list;
  for (size_t i = 0; i < texts.size() && i < kMostShown; ++i) {
    StrAppend(&list, i == 0 ? "" : ", ", Shown(texts[i]));
  }
  if (texts.size() > kMostShown) StrAppend(&list, " and ", texts.size() - kMostShown, " more");
  return list;
}

absl::StatusOr<CheckResult> Contains(const registry::v1::ContainsCheck& check,
                                     const std::string& actual,
                                     const std::optional<std::string>& expected) {
  std::vector<std::string> texts = {check.texts().begin(), check.texts().end()};
  if (texts.empty()) {
    ASSAY_ASSIGN_OR_RETURN(texts, ExpectedTexts(expected.value_or("null")));
  }
  const auto normal = [&](const std::string& text) {
    return check.ignore_case() ? FoldCase(text) : text;
  };
  const std::string found = normal(TextOf(actual));
  std::vector<std::string> there;
  std::vector<std::string> missing;
  for (const std::string& text : texts) {
    (found.find(normal(text)) == std::string::npos ? missing : there).push_back(text);
  }
  if (check.absent()) {
    if (there.empty()) return Bool(true, "None of the texts is there.");
    return Bool(false, StrCat("It contains ", Listed(there), ", which must not be there."));
  }
  if (check.any()) {
    if (!there.empty()) return Bool(true, StrCat("It contains ", Shown(there.front()), "."));
    return Bool(false, StrCat("It contains none of ", Listed(missing), "."));
  }
  if (missing.empty()) return Bool(true, StrCat("It contains ", Listed(there), "."));
  return Bool(false, StrCat("It lacks ", Listed(missing), "."));
}

CheckResult Regex(const registry::v1::RegexCheck& check, const std::string& actual) {
  const RE2 expression(check.pattern(), RE2::Quiet);
  const std::string text = TextOf(actual);
  re2::StringPiece match;
  const auto anchor = check.full_match() ? RE2::ANCHOR_BOTH : RE2::UNANCHORED;
  if (expression.Match(text, 0, text.size(), anchor, &match, 1)) {
    if (check.full_match()) return Bool(true, "The whole text matches.");
    const size_t at = static_cast<size_t>(match.data() - text.data());
    return Bool(true, StrCat("It matches at character ",
                             json::CountChars(std::string_view(text).substr(0, at)) + 1, ": ",
                             Shown(std::string_view(match.data(), match.size())), "."));
  }
  return Bool(false, StrCat(check.full_match() ? "The whole text does not match "
                                               : "No part of the text matches ",
                            Shown(check.pattern()), ": ", Shown(text), "."));
}

std::string Describe(const judging::JsonSchema::Violation& violation) {
  return StrCat("At `", violation.path.empty() ? "/" : violation.path, "`, ", violation.message,
                " (", violation.keyword, ").");
}

// An application that answers with text writes its JSON into it. What the text holds counts; what
// is neither an object nor a list may also be meant as the text that it is.
CheckResult SchemaOfText(const judging::JsonSchema& schema, const Node& text) {
  const absl::StatusOr<Node> written = json::ParseJson(text.text);
  auto violation = written.ok() ? schema.Check(*written) : std::nullopt;
  if (written.ok() && !violation.has_value()) {
    return Bool(true, "What the answer's text holds obeys the schema.");
  }
  if (written.ok() && (written->is_object() || written->is_array())) {
    return Bool(false, Describe(*violation));
  }
  auto as_text = schema.Check(text);
  if (!as_text.has_value() && schema.TakesTexts()) {
    return Bool(true, "The answer's text obeys the schema.");
  }
  if (written.ok()) return Bool(false, Describe(*violation));
  if (as_text.has_value() && as_text->keyword != "type") return Bool(false, Describe(*as_text));
  return Bool(false, StrCat("The answer is no JSON: ", ToStd(written.status().message()), "."));
}

CheckResult Schema(const judging::JsonSchema& schema, const std::string& actual) {
  const absl::StatusOr<Node> given = json::ParseJson(actual);
  if (!given.ok()) return Bool(false, "The answer is no JSON.");
  if (given->is_string()) return SchemaOfText(schema, *given);
  const auto violation = schema.Check(*given);
  if (violation.has_value()) return Bool(false, Describe(*violation));
  return Bool(true, "The answer obeys the schema.");
}

// A JSON number, or a text that is one and nothing else, white space at the ends aside.
std::optional<double> NumberOf(const std::string& json_text) {
  const absl::StatusOr<Node> node = json::ParseJson(json_text);
  if (!node.ok()) return std::nullopt;
  if (node->is_number()) return node->AsDouble();
  if (!node->is_string() || node->text.size() > kMaxNumberChars) return std::nullopt;
  std::string text = CollapseWhiteSpace(node->text);
  if (!text.empty() && text.front() == '+') text.erase(0, 1);
  static const RE2* const number = new RE2(R"(-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)");
  if (!RE2::FullMatch(text, *number)) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

absl::StatusOr<CheckResult> Numeric(const registry::v1::NumericCheck& check,
                                    const std::string& actual, const std::string& expected) {
  constexpr double kDefaultRelative = 1e-9;
  const std::optional<double> wanted = NumberOf(expected);
  if (!wanted.has_value()) return InvalidExpectation("what is expected must be a number");
  const std::optional<double> found = NumberOf(actual);
  if (!found.has_value()) {
    return Bool(false, StrCat("The answer is no number: ", Shown(TextOf(actual)), "."));
  }
  const double off = std::abs(*found - *wanted);
  const double relative =
      check.has_relative_tolerance() ? check.relative_tolerance() : kDefaultRelative;
  const bool near = off <= check.absolute_tolerance() || off <= relative * std::abs(*wanted);
  return Bool(near,
              StrCat(NumberText(*found), " is ", NumberText(off), " off ", NumberText(*wanted),
                     near ? ", within" : ", outside of", " the tolerance."));
}

template <class Check>
CheckResult Graded(const Check& check, double similarity, std::string why) {
  if (!check.has_threshold()) return {NumberText(similarity), std::move(why)};
  StrAppend(&why, similarity >= check.threshold() ? " It reaches" : " It does not reach",
            " the threshold of ", NumberText(check.threshold()), ".");
  return Bool(similarity >= check.threshold(), std::move(why));
}

absl::StatusOr<CheckResult> Edits(const registry::v1::EditDistanceCheck& check,
                                  const std::string& actual, const std::string& expected) {
  const std::u32string found = CodePoints(TextOf(actual));
  const std::u32string wanted = CodePoints(TextOf(expected));
  if (std::max(found.size(), wanted.size()) > kMaxEditDistanceChars) {
    return InvalidField(found.size() > kMaxEditDistanceChars ? "outputs" : "expectations",
                        "is too long to count edits: at most 50,000 characters",
                        "INVALID_JUDGE_INPUT");
  }
  const size_t edits = EditDistance(found, wanted);
  const size_t longer = std::max(found.size(), wanted.size());
  const double similarity =
      longer == 0 ? 1 : 1 - static_cast<double>(edits) / static_cast<double>(longer);
  return Graded(
      check, similarity,
      StrCat("The similarity is ", NumberText(similarity), ": ", edits, " edits between texts of ",
             found.size(), " and ", wanted.size(), " characters."));
}

CheckResult Embeddings(const registry::v1::EmbeddingCheck& check, const std::string& actual,
                       const std::string& expected) {
  const double cosine =
      embed::CosineSimilarity(embed::EmbedText(TextOf(actual)), embed::EmbedText(TextOf(expected)));
  // Equal texts have exactly 1, whatever rounding says.
  const double similarity = TextOf(actual) == TextOf(expected) ? 1 : std::clamp(cosine, 0.0, 1.0);
  return Graded(check, similarity,
                StrCat("The similarity of the embeddings is ", NumberText(similarity), "."));
}

}  // namespace

absl::StatusOr<CheckResult> RunCheck(const CodeJudge& judge, const std::string& actual,
                                     const std::optional<std::string>& expected) {
  const std::string wanted = expected.value_or("null");
  switch (judge.check_case()) {
    case CodeJudge::kExact:
      return Exact(judge.exact(), actual, wanted);
    case CodeJudge::kContains:
      return Contains(judge.contains(), actual, expected);
    case CodeJudge::kRegex:
      return Regex(judge.regex(), actual);
    case CodeJudge::kJsonSchema: {
      ASSAY_ASSIGN_OR_RETURN(const judging::JsonSchema schema,
                             judging::JsonSchema::Compile(judge.json_schema().schema(),
                                                          "definition.code.json_schema.schema"));
      return Schema(schema, actual);
    }
    case CodeJudge::kNumeric:
      return Numeric(judge.numeric(), actual, wanted);
    case CodeJudge::kEditDistance:
      return Edits(judge.edit_distance(), actual, wanted);
    case CodeJudge::kEmbedding:
      return Embeddings(judge.embedding(), actual, wanted);
    case CodeJudge::CHECK_NOT_SET:
      break;
  }
  return InvalidField("definition.code", "needs exactly one check");
}

}  // namespace assay::judge
