#include "services/judge/core/composed_judging.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judge {

namespace {

constexpr size_t kShownValueChars = 100;
constexpr size_t kShownReasonChars = 500;

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
