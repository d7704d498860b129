#include "services/judge/core/composed_judging.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "common/json/canonical.h"
#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judge {

namespace {

constexpr size_t kShownValueChars = 100;
constexpr size_t kShownReasonChars = 500;
constexpr size_t kMaxNameChars = 250;  // As the feedback service has it.
constexpr size_t kNameHashChars = 8;

// `name` below the place; cut, with a hash that tells it from others, if it is too long.
std::string NameBelow(const std::string& assessment, const std::string& place,
                      const std::string& name) {
  const std::string prefix = StrCat(assessment, "/");
  std::string below = StrCat(prefix, place);
  if (name != assessment) {
    StrAppend(&below, "/", name.starts_with(prefix) ? name.substr(prefix.size()) : name);
  }
  if (json::CountChars(below) <= kMaxNameChars) return below;
  return StrCat(json::TruncateUtf8(below, kMaxNameChars - kNameHashChars - 1), "~",
                json::Sha256Hex(below).substr(0, kNameHashChars));
}

std::string OneLine(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return text;
}

}  // namespace

JudgingSetup NestedSetup(const JudgingSetup& setup, const registry::v1::JudgeDefinition& nested,
                         std::string_view key_suffix) {
  JudgingSetup part = setup.ForPart(
      std::shared_ptr<const registry::v1::JudgeDefinition>(setup.definition, &nested), key_suffix);
  if (!setup.definition->model().empty()) part.default_model = setup.definition->model();
  return part;
}

absl::Status CallErrorOf(absl::Span<const absl::StatusOr<JudgeVerdict>> verdicts) {
  for (const absl::StatusOr<JudgeVerdict>& verdict : verdicts) {
    if (!verdict.ok()) return verdict.status();
  }
  return absl::OkStatus();
}

JudgeVerdict ComposedVerdict(const JudgingSetup& setup, std::string_view source_id,
                             common::v1::Feedback feedback,
                             absl::Span<const absl::StatusOr<JudgeVerdict>> verdicts,
                             AskedHow asked) {
  const bool code = std::all_of(verdicts.begin(), verdicts.end(), [](const auto& verdict) {
    return verdict.ok() && verdict->source.kind() == common::v1::SOURCE_KIND_CODE;
  });
  JudgeVerdict composed;
  composed.source.set_kind(code ? common::v1::SOURCE_KIND_CODE : common::v1::SOURCE_KIND_LLM_JUDGE);
  composed.source.set_id(std::string(source_id));
  composed.feedback = std::move(feedback);
  *composed.feedback.mutable_provenance() = SumProvenance(verdicts, asked);
  composed.feedback.mutable_provenance()->set_judge_revision(setup.judge_revision);
  return composed;
}

void AppendInnerParts(absl::Span<const absl::StatusOr<JudgeVerdict>> verdicts,
                      common::v1::Feedback* feedback) {
  for (size_t i = 0; i < verdicts.size(); ++i) {
    if (!verdicts[i].ok()) continue;
    const std::string name = feedback->parts(static_cast<int>(i)).part();
    for (const common::v1::FeedbackPart& inner : verdicts[i]->feedback.parts()) {
      if (feedback->parts_size() >= kMaxFeedbackParts) return;
      common::v1::FeedbackPart& part = *feedback->add_parts();
      part = inner;
      part.set_part(StrCat(name, "/", inner.part()));
    }
  }
}

void AppendInnerFeedbacks(const JudgingSetup& setup, absl::Span<const std::string> places,
                          absl::Span<const absl::StatusOr<JudgeVerdict>> verdicts,
                          JudgeVerdict* whole) {
  size_t bytes = 0;
  for (const AdditionalFeedback& own : whole->additional) bytes += own.feedback.ByteSizeLong();
  size_t left_out = 0;
  for (size_t i = 0; i < verdicts.size(); ++i) {
    if (!verdicts[i].ok()) continue;
    for (const AdditionalFeedback& inner : verdicts[i]->additional) {
      bytes += inner.feedback.ByteSizeLong();
      if (whole->additional.size() >= kMaxInnerFeedbacks || bytes > kMaxInnerFeedbackBytes) {
        ++left_out;
        continue;
      }
      whole->additional.push_back(inner);
      AdditionalFeedback& kept = whole->additional.back();
      kept.assessment_name = NameBelow(setup.assessment_name, places[i], inner.assessment_name);
    }
  }
  if (left_out > 0) whole->metadata["further_left_out"] = StrCat(left_out);
}

std::string ShownValue(const absl::StatusOr<JudgeVerdict>& verdict) {
  if (!verdict.ok()) return StrCat("no value (", ErrorReason(verdict.status()), ")");
  if (!verdict->feedback.has_value()) {
    return StrCat("no value (", verdict->feedback.error().code(), ")");
  }
  return json::PreviewOf(verdict->feedback.value().json_text(), kShownValueChars);
}

std::string ReasonLine(std::string_view name, const absl::StatusOr<JudgeVerdict>& verdict) {
  std::string reasons;
  if (verdict.ok()) {
    const common::v1::Feedback& feedback = verdict->feedback;
    reasons = feedback.has_value() ? feedback.rationale() : feedback.error().message();
  }
  return StrCat("- ", name, ": ", ShownValue(verdict), reasons.empty() ? "" : ". ",
                OneLine(json::PreviewOf(reasons, kShownReasonChars)));
}

}  // namespace assay::judge
