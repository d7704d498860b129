#include "services/judge/core/provenance_sum.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "absl/strings/str_join.h"
#include "common/json/canonical.h"
#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judge {

namespace {

using common::v1::Provenance;

constexpr size_t kMaxPartChars = 4'096;

bool AskedAModel(const Provenance& part) {
  return !part.model().empty() || part.usage().model_calls() > 0;
}

bool PaidForTokens(const Provenance& part) {
  return part.usage().input_tokens() + part.usage().output_tokens() > 0;
}

// What `text` gives if it gives the same for all parts; "" otherwise.
template <class Text>
std::string SharedText(const std::vector<const Provenance*>& parts, Text text) {
  for (const Provenance* part : parts) {
    if (text(*part) != text(*parts.front())) return "";
  }
  return parts.empty() ? "" : text(*parts.front());
}

std::string PromptHash(const std::vector<const Provenance*>& parts) {
  std::vector<std::string> hashes;
  for (const Provenance* part : parts) {
    if (!part->prompt_sha256().empty()) hashes.push_back(part->prompt_sha256());
  }
  if (hashes.empty()) return "";
  const bool one = std::all_of(hashes.begin(), hashes.end(),
                               [&](const std::string& hash) { return hash == hashes.front(); });
  return one ? hashes.front() : json::Sha256Hex(absl::StrJoin(hashes, "\n"));
}

void AddCounts(const Provenance& part, Provenance* sum) {
  common::v1::Usage& usage = *sum->mutable_usage();
  usage.set_input_tokens(usage.input_tokens() + part.usage().input_tokens());
  usage.set_output_tokens(usage.output_tokens() + part.usage().output_tokens());
  usage.set_model_calls(usage.model_calls() + part.usage().model_calls());
  sum->set_attempts(sum->attempts() + part.attempts());
  sum->set_repaired(sum->repaired() || part.repaired());
}

void AddLatency(const Provenance& part, AskedHow asked, Provenance* sum) {
  sum->set_latency_ms(asked == AskedHow::kInTurn ? sum->latency_ms() + part.latency_ms()
                                                 : std::max(sum->latency_ms(), part.latency_ms()));
}

std::optional<double> Cost(const std::vector<const Provenance*>& parts) {
  std::optional<double> cost;
  for (const Provenance* part : parts) {
    if (part->has_cost_usd()) {
      cost = cost.value_or(0) + part->cost_usd();
    } else if (PaidForTokens(*part)) {
      return std::nullopt;
    }
  }
  return cost;
}

}  // namespace

Provenance SumProvenance(const std::vector<const Provenance*>& parts, AskedHow asked) {
  std::vector<const Provenance*> models;
  for (const Provenance* part : parts) {
    if (part != nullptr && AskedAModel(*part)) models.push_back(part);
  }
  Provenance sum;
  sum.set_model(SharedText(models, [](const Provenance& part) { return part.model(); }));
  sum.set_answered_by(
      SharedText(models, [](const Provenance& part) { return part.answered_by(); }));
  sum.set_prompt_sha256(PromptHash(models));
  const auto parameters = [](const Provenance& part) {
    return part.parameters().SerializeAsString();
  };
  if (!models.empty() && models.front()->has_parameters() &&
      !SharedText(models, parameters).empty()) {
    *sum.mutable_parameters() = models.front()->parameters();
  }
  if (const std::optional<double> cost = Cost(models)) sum.set_cost_usd(*cost);
  for (const Provenance* part : parts) {
    if (part != nullptr) AddLatency(*part, asked, &sum);
  }
  bool all_cached = !models.empty();
  std::set<std::string> traces;
  for (const Provenance* part : models) {
    AddCounts(*part, &sum);
    all_cached = all_cached && part->cache_hit();
    for (const std::string& trace : part->retrieved_traces()) {
      if (traces.insert(trace).second) sum.add_retrieved_traces(trace);
    }
  }
  sum.set_cache_hit(all_cached);
  return sum;
}

Provenance SumProvenance(absl::Span<const absl::StatusOr<JudgeVerdict>> verdicts, AskedHow asked) {
  std::vector<const Provenance*> parts;
  for (const absl::StatusOr<JudgeVerdict>& verdict : verdicts) {
    if (verdict.ok() && verdict->feedback.has_provenance()) {
      parts.push_back(&verdict->feedback.provenance());
    }
  }
  return SumProvenance(parts, asked);
}

common::v1::FeedbackPart PartOf(std::string_view name,
                                const absl::StatusOr<JudgeVerdict>& verdict) {
  common::v1::FeedbackPart part;
  part.set_part(std::string(name));
  if (!verdict.ok()) {
    const std::string reason = ErrorReason(verdict.status());
    part.mutable_error()->set_code(reason.empty() ? "JUDGE_FAILED" : reason);
    part.mutable_error()->set_message(
        json::PreviewOf(ToStd(verdict.status().message()), kMaxPartChars));
    return part;
  }
  const common::v1::Feedback& feedback = verdict->feedback;
  if (feedback.has_value()) *part.mutable_value() = feedback.value();
  if (feedback.has_error()) *part.mutable_error() = feedback.error();
  if (feedback.has_confidence()) *part.mutable_confidence() = feedback.confidence();
  part.set_rationale(json::PreviewOf(feedback.rationale(), kMaxPartChars));
  part.set_model(feedback.provenance().model());
  return part;
}

}  // namespace assay::judge
