#include "services/judge/core/judge_tally.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judge {

namespace {

constexpr size_t kMaxErrorChars = 4'096;
constexpr size_t kMaxRawAnswerBytes = 64 * 1024;

}  // namespace

void JudgeTally::Count(const ModelResponse& response, absl::Time now) {
  now_ = now;
  answered_by_ = response.answered_by;
  input_tokens_ += response.input_tokens;
  output_tokens_ += response.output_tokens;
  attempts_ += std::max(response.attempts, response.cache_hit ? 0 : 1);
  cache_hit_ = cache_hit_ || response.cache_hit;
  if (!response.model_uri.empty()) model_uri_ = response.model_uri;
  if (!response.cost_usd.has_value()) cost_usd_.reset();
  if (cost_usd_.has_value()) *cost_usd_ += *response.cost_usd;
}

void JudgeTally::CountFailure(const absl::Status& error, absl::Time now) {
  now_ = now;
  const std::optional<std::string> made = ErrorMetadata(error, "attempts");
  int attempts = 0;
  if (made.has_value() && absl::SimpleAtoi(*made, &attempts) && attempts > 0) attempts_ += attempts;
}

JudgeVerdict JudgeTally::Verdict(const JudgePlan& plan, bool repaired,
                                 common::v1::Feedback feedback) const {
  common::v1::Provenance& provenance = *feedback.mutable_provenance();
  provenance.set_judge_revision(plan.judge_revision);
  provenance.set_model(model_uri_.empty() ? plan.model_uri : model_uri_);
  provenance.set_answered_by(answered_by_);
  provenance.set_prompt_sha256(plan.prompt.sha256);
  provenance.mutable_usage()->set_input_tokens(input_tokens_);
  provenance.mutable_usage()->set_output_tokens(output_tokens_);
  provenance.mutable_usage()->set_model_calls(attempts_);
  provenance.set_attempts(attempts_);
  provenance.set_repaired(repaired);
  provenance.set_cache_hit(cache_hit_);
  if (cost_usd_.has_value() && !answered_by_.empty()) provenance.set_cost_usd(*cost_usd_);
  for (const auto& [name, value] : plan.parameters) {
    (*provenance.mutable_parameters()->mutable_fields())[name].set_number_value(value);
  }
  provenance.set_latency_ms(std::max<int64_t>(absl::ToInt64Milliseconds(now_ - started_), 0));
  for (const std::string& trace : plan.prompt.retrieved_traces) {
    provenance.add_retrieved_traces(trace);
  }
  JudgeVerdict verdict;
  verdict.source.set_kind(common::v1::SOURCE_KIND_LLM_JUDGE);
  verdict.source.set_id(plan.model_uri);
  verdict.feedback = std::move(feedback);
  return verdict;
}

std::string_view ModelErrorCode(const absl::Status& error) {
  const std::string reason = ErrorReason(error);
  for (const std::string_view code :
       {"MODEL_UNREACHABLE", "MODEL_TIMEOUT", "MODEL_REFUSED", "MODEL_QUOTA_EXHAUSTED",
        "MODEL_CONTEXT_OVERFLOW", "MODEL_ANSWER_TOO_LARGE", "BUDGET_EXHAUSTED"}) {
    if (reason == code) return code;
  }
  if (error.code() == absl::StatusCode::kInternal || error.code() == absl::StatusCode::kUnknown) {
    return "MODEL_FAILED";
  }
  return "";
}

common::v1::Feedback ErrorFeedback(std::string_view code, std::string_view message,
                                   std::string_view raw_answer) {
  common::v1::Feedback feedback;
  feedback.set_outcome(common::v1::OUTCOME_ERROR);
  feedback.mutable_error()->set_code(std::string(code));
  feedback.mutable_error()->set_message(json::PreviewOf(message, kMaxErrorChars));
  if (!raw_answer.empty()) {
    feedback.mutable_provenance()->set_raw_answer(
        std::string(json::TruncateUtf8Bytes(json::SanitizeUtf8(raw_answer), kMaxRawAnswerBytes)));
  }
  return feedback;
}

}  // namespace assay::judge
