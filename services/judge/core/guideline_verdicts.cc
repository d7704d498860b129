#include "services/judge/core/guideline_verdicts.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "common/json/json_reader.h"
#include "common/json/json_value.h"
#include "common/json/safe_json.h"
#include "common/json/utf8.h"
#include "common/judging/value_type.h"
#include "common/strings/strings.h"

namespace assay::judge {

namespace {

using common::v1::FeedbackPart;

constexpr size_t kMaxRationaleChars = 4'096;

AnswerViolation Unreadable(std::string message) {
  return AnswerViolation{"ANSWER_UNREADABLE", std::move(message)};
}

// The number of the guideline that an entry is about, from 0; -1 if it is none.
int64_t GuidelineOf(const json::Node& entry, int count) {
  const json::Node* number = entry.Find("guideline");
  if (number == nullptr) return -1;
  const int64_t index = number->AsInt64().value_or(0);
  return index >= 1 && index <= count ? index - 1 : -1;
}

std::optional<AnswerViolation> ReadEntry(const json::Node& entry, int count,
                                         std::vector<FeedbackPart>* parts) {
  const int64_t index = GuidelineOf(entry, count);
  if (index < 0) {
    return Unreadable(StrCat("an entry of \"", kGuidelineVerdictsField,
                             "\" has no \"guideline\" from 1 to ", count));
  }
  FeedbackPart& part = (*parts)[static_cast<size_t>(index)];
  if (part.has_value()) {
    return Unreadable(
        StrCat("\"", kGuidelineVerdictsField, "\" has guideline ", index + 1, " twice"));
  }
  const json::Node* result = entry.Find("result");
  const std::optional<std::string> word = result == nullptr ? std::nullopt : YesOrNoWord(*result);
  if (!word.has_value()) {
    return AnswerViolation{"VALUE_OUTSIDE_TYPE", StrCat("the \"result\" of guideline ", index + 1,
                                                        " is neither \"yes\" nor \"no\"")};
  }
  *part.mutable_value() = json::JsonFromText(*word);
  const json::Node* rationale = entry.Find("rationale");
  if (rationale != nullptr && rationale->is_string()) {
    part.set_rationale(json::PreviewOf(rationale->text, kMaxRationaleChars));
  }
  return std::nullopt;
}

}  // namespace

std::string GuidelineVerdictsSchema(const common::v1::ValueType& type) {
  return StrCat(
      R"({"type":"object","properties":{")", kGuidelineVerdictsField,
      R"(":{"type":"array","items":{"type":"object","properties":{"guideline":{"type":"integer"},)"
      R"("rationale":{"type":"string"},"result":{"type":"string","enum":["yes","no"]}},)"
      R"("required":["guideline","rationale","result"],"additionalProperties":false}},)"
      R"("rationale":{"type":"string"},"result":)",
      judging::JsonSchemaFor(type), R"(},"required":[")", kGuidelineVerdictsField,
      R"(","rationale","result"],"additionalProperties":false})");
}

std::string DescribeGuidelineVerdicts(int count) {
  return StrCat("a list with one entry for each of the ", count,
                " guidelines, in their order. An entry has the fields \"guideline\" (its number, "
                "from 1), \"rationale\" (your reasons, in one sentence) and \"result\" (\"yes\" if "
                "it is met, else \"no\")");
}

std::variant<std::vector<FeedbackPart>, AnswerViolation> ReadGuidelineVerdicts(
    std::string_view answer, int count, std::string_view result) {
  const auto found = FindAnswerObject(json::SanitizeUtf8(answer));
  const json::Node* object = std::get_if<json::Node>(&found);
  const json::Node* entries = object == nullptr ? nullptr : object->Find(kGuidelineVerdictsField);
  if (entries == nullptr || !entries->is_array()) {
    return Unreadable(StrCat("it has no list \"", kGuidelineVerdictsField, "\""));
  }
  std::vector<FeedbackPart> parts(static_cast<size_t>(count));
  for (const json::Node& entry : entries->children) {
    if (auto violation = ReadEntry(entry, count, &parts)) return *std::move(violation);
  }
  bool all_met = true;
  for (int i = 0; i < count; ++i) {
    FeedbackPart& part = parts[static_cast<size_t>(i)];
    if (!part.has_value()) {
      return Unreadable(
          StrCat("\"", kGuidelineVerdictsField, "\" has no entry for guideline ", i + 1));
    }
    part.set_part(StrCat("guidelines[", i, "]"));
    all_met = all_met && part.value().json_text() == "\"yes\"";
  }
  if (all_met != (result == "\"yes\"")) {
    return AnswerViolation{
        "ANSWER_INCONSISTENT",
        StrCat("its \"result\" is ", result, ", but by \"", kGuidelineVerdictsField, "\" ",
               all_met ? "all guidelines are met" : "not all are met")};
  }
  return parts;
}

}  // namespace assay::judge
