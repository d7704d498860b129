#include "services/judge/core/kinds/pairwise_judging.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "common/json/canonical.h"
#include "common/json/json_value.h"
#include "common/judging/value_type.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/core/composed_judging.h"
#include "services/judge/core/judge_machine.h"
#include "services/judge/core/judge_plan.h"
#include "services/judge/core/kinds/pairwise_prompt.h"
#include "services/judge/core/provenance_sum.h"

namespace assay::judge {

namespace {

using common::v1::Feedback;

constexpr std::string_view kFirst = "first";
constexpr std::string_view kSecond = "second";

// Whose answer a value of the model means.
std::string Unblinded(std::string_view value, bool swapped) {
  if (value == kTie) return std::string(kTie);
  return std::string((value == kAnswerA) == swapped ? kSecond : kFirst);
}

class PairwiseJudging final : public Judging {
 public:
  // `swapped` says of each question whether the first answer is `answer_b` in it.
  PairwiseJudging(JudgingSetup setup, std::vector<std::unique_ptr<Judging>> questions,
                  std::vector<bool> swapped)
      : setup_(std::move(setup)), questions_(std::move(questions)), swapped_(std::move(swapped)) {}

  JudgeStep Next(JudgeEvent event) override {
    if (std::holds_alternative<JudgeStarted>(event)) return CallAll{std::move(questions_)};
    return Conclude(std::get<AllFinished>(event).verdicts);
  }

 private:
  using Verdicts = std::vector<absl::StatusOr<JudgeVerdict>>;

  std::string NameOf(size_t question) const {
    return swapped_[question] ? "the first answer as answer_b" : "the first answer as answer_a";
  }

  JudgeStep Conclude(Verdicts& verdicts) const {
    if (absl::Status error = CallErrorOf(verdicts); !error.ok()) return JudgeFinished{error};
    for (size_t i = 0; i < verdicts.size(); ++i) {
      Feedback& one = verdicts[i]->feedback;
      if (!one.has_value()) continue;
      const std::string value = Unblinded(judging::ValueKey(one.value().json_text()), swapped_[i]);
      *one.mutable_value() = json::JsonFromString(value);
    }
    bool conflict = false;
    Feedback feedback = Together(verdicts, &conflict);
    for (size_t i = 0; i < verdicts.size(); ++i) {
      *feedback.add_parts() = PartOf(NameOf(i), verdicts[i]);
    }
    const std::string raw_answer = RawAnswer(verdicts);
    JudgeVerdict verdict = ComposedVerdict(setup_, verdicts.front()->source.id(),
                                           std::move(feedback), verdicts, AskedHow::kAtTheSameTime);
    verdict.feedback.mutable_provenance()->set_raw_answer(raw_answer);
    if (conflict) verdict.metadata["conflict"] = "true";
    return JudgeFinished{std::move(verdict)};
  }

  static std::string RawAnswer(const Verdicts& verdicts) {
    for (const auto& verdict : verdicts) {
      if (!verdict->feedback.provenance().raw_answer().empty()) {
        return verdict->feedback.provenance().raw_answer();
      }
    }
    return "";
  }

  Feedback Together(const Verdicts& verdicts, bool* conflict) const {
    Feedback feedback;
    for (const auto& verdict : verdicts) {
      if (verdict->feedback.has_value()) continue;
      feedback.set_outcome(verdict->feedback.outcome());
      *feedback.mutable_error() = verdict->feedback.error();
      return feedback;
    }
    const Feedback& one = verdicts.front()->feedback;
    const Feedback& other = verdicts.back()->feedback;
    feedback.set_outcome(common::v1::OUTCOME_VALUE);
    *conflict = one.value().json_text() != other.value().json_text();
    if (*conflict) {
      *feedback.mutable_value() = json::JsonFromString(kTie);
      feedback.set_rationale("The two orders of the answers led to different verdicts:");
      for (size_t i = 0; i < verdicts.size(); ++i) {
        StrAppend(feedback.mutable_rationale(), "\n", ReasonLine(NameOf(i), verdicts[i]));
      }
      return feedback;
    }
    *feedback.mutable_value() = one.value();
    feedback.set_rationale(StrCat(one.rationale(), one.rationale().empty() ? "" : "\n", "(With ",
                                  NameOf(0),
                                  verdicts.size() > 1 ? "; the other order agrees.)" : ".)"));
    if (one.has_confidence() && other.has_confidence()) {
      *feedback.mutable_confidence() = one.confidence();
      feedback.mutable_confidence()->set_value(
          (one.confidence().value() + other.confidence().value()) / 2);
    }
    return feedback;
  }

  const JudgingSetup setup_;
  std::vector<std::unique_ptr<Judging>> questions_;  // Until they are asked.
  const std::vector<bool> swapped_;
};

// One order for each subject, the same whenever it is judged, and over many subjects either as
// often as the other.
bool IsSwapped(const Comparison& comparison) {
  const std::string hash =
      json::Sha256Hex(StrCat(comparison.request, "\n", comparison.first, "\n", comparison.second));
  return hash.front() >= '8';
}

}  // namespace

absl::StatusOr<std::unique_ptr<Judging>> MakePairwiseJudging(const JudgingSetup& setup,
                                                             JudgingMaker) {
  const registry::v1::PairwiseJudge& judge = setup.definition->pairwise();
  ASSAY_ASSIGN_OR_RETURN(const Comparison comparison, ReadComparison(judge, *setup.subject));
  std::vector<bool> swapped = {false, true};
  if (judge.single_order()) swapped = {IsSwapped(comparison)};
  std::vector<std::unique_ptr<Judging>> questions;
  for (const bool swap : swapped) {
    ASSAY_ASSIGN_OR_RETURN(JudgePlan plan,
                           PlanOf(setup.ForPart(setup.definition, swap ? "second" : "first")));
    plan.prompt = PairwisePrompt(judge, comparison, swap, *setup.subject);
    questions.push_back(std::make_unique<JudgeMachine>(std::move(plan)));
  }
  return std::make_unique<PairwiseJudging>(setup, std::move(questions), std::move(swapped));
}

}  // namespace assay::judge
