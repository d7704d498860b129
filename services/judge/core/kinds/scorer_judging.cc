#include "services/judge/core/kinds/scorer_judging.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "common/json/json_value.h"
#include "common/json/utf8.h"
#include "common/judging/scorer_definition.h"
#include "common/judging/value_type.h"
#include "common/proto/time.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"
#include "services/judge/core/judge_tally.h"
#include "services/judge/core/scorer_answer.h"

namespace assay::judge {

namespace {

constexpr size_t kMaxNameChars = 250;  // As the feedback service has it.

v1::Scorer ScorerOf(const registry::v1::ScorerJudge& judge) {
  v1::Scorer scorer;
  scorer.set_scorer(judge.scorer());
  scorer.set_address(judge.address());
  scorer.set_tls(judge.tls());
  const double seconds =
      judge.timeout_seconds() > 0 ? judge.timeout_seconds() : judging::kDefaultScorerTimeoutSeconds;
  *scorer.mutable_timeout() = proto::ToDuration(absl::Seconds(seconds));
  scorer.set_max_concurrency(judge.max_concurrency() > 0 ? judge.max_concurrency()
                                                         : judging::kDefaultScorerConcurrency);
  return scorer;
}

v1::ScoreRequest RequestOf(const JudgingSetup& setup) {
  const Subject& subject = *setup.subject;
  v1::ScoreRequest request;
  request.set_scorer(setup.definition->scorer().scorer());
  request.set_parent(setup.experiment);
  if (subject.inputs) *request.mutable_inputs() = json::JsonFromText(*subject.inputs);
  if (subject.outputs) *request.mutable_outputs() = json::JsonFromText(*subject.outputs);
  if (subject.expectations) {
    *request.mutable_expectations() = json::JsonFromText(*subject.expectations);
  }
  request.set_trace(subject.trace_name);
  request.set_session(subject.session_name);
  return request;
}

// Asks once; the port tries a server again that is away for a moment.
class ScorerJudging final : public Judging {
 public:
  explicit ScorerJudging(JudgingSetup setup) : setup_(std::move(setup)) {}

  JudgeStep Next(JudgeEvent event) override {
    if (const auto* started = std::get_if<JudgeStarted>(&event)) {
      started_ = started->now;
      return CallScorer{ScorerOf(setup_.definition->scorer()), RequestOf(setup_)};
    }
    ScorerAnswered& answered = std::get<ScorerAnswered>(event);
    now_ = answered.now;
    if (!answered.response.ok()) return OnError(answered.response.status());
    absl::StatusOr<std::vector<v1::EvaluationResult>> results =
        CheckedScorerAnswer(*std::move(answered.response), Scorer(), /*taken=*/{});
    if (!results.ok()) return OnError(results.status());
    return Conclude(*std::move(results));
  }

 private:
  const std::string& Scorer() const { return setup_.definition->scorer().scorer(); }

  // What a scorer does wrong is the verdict; all else is the caller's.
  JudgeStep OnError(const absl::Status& error) const {
    const std::string reason = ErrorReason(error);
    if (!reason.starts_with("SCORER_")) return JudgeFinished{error};
    return Fail(reason, ToStd(error.message()));
  }

  JudgeFinished Fail(std::string_view code, std::string_view message) const {
    return {VerdictOf(ErrorFeedback(code, message), OwnSource())};
  }

  JudgeStep Conclude(std::vector<v1::EvaluationResult> results) const {
    if (results.empty()) {
      common::v1::Feedback feedback;
      feedback.set_outcome(common::v1::OUTCOME_ABSTAINED);
      return JudgeFinished{VerdictOf(std::move(feedback), OwnSource())};
    }
    if (std::string wrong = TypeViolation(results.front().feedback()); !wrong.empty()) {
      return Fail("SCORER_INVALID_RESPONSE", wrong);
    }
    JudgeVerdict verdict =
        VerdictOf(std::move(*results.front().mutable_feedback()), results.front().source());
    if (results.front().assessment_name() != Scorer()) {
      verdict.metadata["scorer_feedback"] = results.front().assessment_name();
    }
    for (size_t i = 1; i < results.size(); ++i) {
      AdditionalFeedback further;
      further.assessment_name = NameBelow(results[i].assessment_name());
      if (json::CountChars(further.assessment_name) > kMaxNameChars) {
        return Fail("SCORER_INVALID_RESPONSE",
                    StrCat("the name `", further.assessment_name,
                           "` of a further feedback has more than ", kMaxNameChars, " characters"));
      }
      further.feedback = std::move(*results[i].mutable_feedback());
      further.feedback.mutable_provenance()->set_judge_revision(setup_.judge_revision);
      further.source = results[i].source();
      verdict.additional.push_back(std::move(further));
    }
    return JudgeFinished{std::move(verdict)};
  }

  // Below the judge's name, so that it never meets another judge's.
  std::string NameBelow(const std::string& name) const {
    const std::string prefix = StrCat(setup_.assessment_name, "/");
    return name.starts_with(prefix) ? name : StrCat(prefix, name);
  }

  // "" if the value has the type that the judge declares, if it declares one.
  std::string TypeViolation(const common::v1::Feedback& feedback) const {
    if (!setup_.definition->has_value_type() || !feedback.has_value()) return "";
    const common::v1::ValueType& type = setup_.definition->value_type();
    const std::string& value = feedback.value().json_text();
    if (judging::ValidateValue(type, value, "value").ok()) return "";
    return StrCat("the scorer's value is ", json::PreviewOf(value, 200),
                  ", but the judge's type is ",
                  json::PreviewOf(judging::DescribeValueType(type), 1'500));
  }

  common::v1::Source OwnSource() const {
    common::v1::Source source;
    source.set_kind(common::v1::SOURCE_KIND_CODE);
    source.set_id(Scorer());
    return source;
  }

  JudgeVerdict VerdictOf(common::v1::Feedback feedback, common::v1::Source source) const {
    JudgeVerdict verdict;
    common::v1::Provenance& provenance = *feedback.mutable_provenance();
    provenance.set_judge_revision(setup_.judge_revision);
    provenance.set_latency_ms(std::max<int64_t>(absl::ToInt64Milliseconds(now_ - started_), 0));
    verdict.feedback = std::move(feedback);
    verdict.source = std::move(source);
    return verdict;
  }

  const JudgingSetup setup_;
  absl::Time started_;
  absl::Time now_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Judging>> MakeScorerJudging(const JudgingSetup& setup) {
  if (setup.definition == nullptr) return absl::InternalError("a judge without a definition");
  return std::make_unique<ScorerJudging>(setup);
}

}  // namespace assay::judge
