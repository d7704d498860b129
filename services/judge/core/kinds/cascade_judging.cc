#include "services/judge/core/kinds/cascade_judging.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "common/judging/cascade_definition.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/core/composed_judging.h"
#include "services/judge/core/provenance_sum.h"

namespace assay::judge {

namespace {

using common::v1::Feedback;
using registry::v1::CascadeJudge;
using registry::v1::CascadeStage;

// Asks one stage after the other, until one is sure.
class CascadeJudging final : public Judging {
 public:
  CascadeJudging(JudgingSetup setup, std::vector<std::unique_ptr<Judging>> stages)
      : setup_(std::move(setup)), stages_(std::move(stages)) {}

  JudgeStep Next(JudgeEvent event) override {
    if (auto* finished = std::get_if<AllFinished>(&event)) {
      absl::StatusOr<JudgeVerdict>& verdict = finished->verdicts.at(0);
      if (!verdict.ok()) return JudgeFinished{verdict.status()};
      verdicts_.push_back(std::move(verdict));
      if (verdicts_.size() == stages_.size() || IsSure()) return Conclude();
    }
    CallAll next;
    next.judgings.push_back(std::move(stages_[verdicts_.size()]));
    return next;
  }

 private:
  double LeastConfidence(size_t stage) const {
    const CascadeStage& asked = setup_.definition->cascade().stages(static_cast<int>(stage));
    return asked.has_least_confidence() ? asked.least_confidence()
                                        : judging::kDefaultLeastConfidence;
  }

  // Whether the newest verdict counts although there are further stages.
  bool IsSure() const {
    const Feedback& feedback = verdicts_.back()->feedback;
    return feedback.has_value() && feedback.has_confidence() &&
           feedback.confidence().value() >= LeastConfidence(verdicts_.size() - 1);
  }

  std::string Path() const {
    std::string path;
    for (size_t i = 0; i + 1 < verdicts_.size(); ++i) {
      const Feedback& feedback = verdicts_[i]->feedback;
      StrAppend(&path, i == 0 ? "" : "; ", "stage ", i + 1, " gave ", ShownValue(verdicts_[i]));
      if (!feedback.has_value()) continue;
      if (feedback.has_confidence()) {
        absl::StrAppendFormat(&path, " with a confidence of %.2f, less than %.2f",
                              feedback.confidence().value(), LeastConfidence(i));
      } else {
        StrAppend(&path, " without a confidence");
      }
    }
    return path;
  }

  JudgeStep Conclude() const {
    const JudgeVerdict& decided = *verdicts_.back();
    Feedback feedback = decided.feedback;
    feedback.clear_parts();
    for (size_t i = 0; i < verdicts_.size(); ++i) {
      const std::string& id = verdicts_[i]->source.id();
      *feedback.add_parts() =
          PartOf(StrCat("stages[", i, "]", id.empty() ? "" : " ", id), verdicts_[i]);
    }
    AppendInnerParts(verdicts_, &feedback);
    if (const std::string path = Path(); !path.empty()) {
      feedback.set_rationale(StrCat(decided.feedback.rationale(),
                                    decided.feedback.rationale().empty() ? "" : "\n",
                                    "(Escalated: ", path, ".)"));
    }
    JudgeVerdict verdict =
        ComposedVerdict(setup_, "cascade", std::move(feedback), verdicts_, AskedHow::kInTurn);
    // The model whose verdict counts; the parts name the others.
    const common::v1::Provenance& provenance = decided.feedback.provenance();
    verdict.feedback.mutable_provenance()->set_model(provenance.model());
    verdict.feedback.mutable_provenance()->set_answered_by(provenance.answered_by());
    verdict.feedback.mutable_provenance()->set_raw_answer(provenance.raw_answer());
    verdict.metadata = decided.metadata;
    verdict.metadata["stage"] = StrCat(verdicts_.size());
    verdict.additional = decided.additional;
    AppendEarlierFeedbacks(&verdict);
    return JudgeFinished{std::move(verdict)};
  }

  // What the verdict that counts says further keeps its names; the earlier stages' stand below
  // places that none of these names has.
  void AppendEarlierFeedbacks(JudgeVerdict* whole) const {
    const size_t earlier = verdicts_.size() - 1;
    std::vector<std::string> places;
    for (size_t i = 0; i < earlier; ++i) {
      std::string place = StrCat("stages[", i, "]");
      while (IsTaken(StrCat(setup_.assessment_name, "/", place), *whole)) place += "'";
      places.push_back(std::move(place));
    }
    AppendInnerFeedbacks(setup_, places, absl::MakeConstSpan(verdicts_).first(earlier), whole);
  }

  static bool IsTaken(const std::string& name, const JudgeVerdict& verdict) {
    return std::any_of(verdict.additional.begin(), verdict.additional.end(), [&](const auto& one) {
      return one.assessment_name == name || one.assessment_name.starts_with(name + "/");
    });
  }

  const JudgingSetup setup_;
  std::vector<std::unique_ptr<Judging>> stages_;  // Each until it is asked.
  std::vector<absl::StatusOr<JudgeVerdict>> verdicts_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Judging>> MakeCascadeJudging(const JudgingSetup& setup,
                                                            JudgingMaker make_judging) {
  // All are made at once: what is missing is said before any model is paid.
  std::vector<std::unique_ptr<Judging>> stages;
  for (const CascadeStage& stage : setup.definition->cascade().stages()) {
    ASSAY_ASSIGN_OR_RETURN(
        std::unique_ptr<Judging> judging,
        make_judging(NestedSetup(setup, stage.judge(), StrCat("stage", stages.size()))));
    stages.push_back(std::move(judging));
  }
  return std::make_unique<CascadeJudging>(setup, std::move(stages));
}

}  // namespace assay::judge
