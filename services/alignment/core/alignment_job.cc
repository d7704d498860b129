#include "services/alignment/core/alignment_job.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/judging/judge_definition.h"
#include "common/names/resource_name.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/alignment/core/folds.h"
#include "services/alignment/core/judge_panel.h"
#include "services/alignment/core/memory.h"
#include "services/alignment/core/memory_optimizer.h"
#include "services/alignment/core/report.h"

namespace assay::alignment {
namespace {

// Those that were tried come first, at most 100 of them.
constexpr int kMaxReportedGuidelines = 200;
constexpr std::string_view kStandInPrefix = "offline:/";

// OK if a pass can be counted on.
absl::Status CheckPass(const std::vector<Judgement>& judgements) {
  size_t away = 0;
  size_t failed = 0;
  std::map<std::string, size_t> codes;
  const Judgement* example = nullptr;
  for (const Judgement& judgement : judgements) {
    if (judgement.has_value) continue;
    ++failed;
    away += judgement.ModelWasAway() ? 1 : 0;
    ++codes[judgement.error_code];
    if (example == nullptr || codes[judgement.error_code] > codes[example->error_code]) {
      example = &judgement;
    }
  }
  const double all = static_cast<double>(judgements.size());
  if (failed < judgements.size() && static_cast<double>(away) <= kMaxModelAwayShare * all) {
    return absl::OkStatus();
  }
  if (example == nullptr) return absl::OkStatus();
  return MakeError(absl::StatusCode::kFailedPrecondition, example->error_code,
                   StrCat(failed, " of ", judgements.size(),
                          " judgements came to no value, so nothing can be measured; one of them: ",
                          example->error_message));
}

class Job {
 public:
  Job(const v1::Alignment& alignment, const AlignmentInput& input, PaidCalls& calls,
      ProgressListener& listener)
      : alignment_(alignment), input_(input), calls_(calls), progress_(listener) {}

  absl::StatusOr<AlignmentResult> Run() {
    ASSAY_ASSIGN_OR_RETURN(const names::JudgeName judge, names::JudgeName::Parse(input_.judge));
    base_ = WithoutMemoryOf(input_.cases, input_.base, &memory_left_out_);
    JudgePanel panel(input_.cases, names::ExperimentName{judge.experiment}.ToString(), judge.judge,
                     alignment_.options().parallelism(), calls_, progress_);
    fold_of_ = AssignFolds(input_.cases, alignment_.options().folds(), seed());
    ASSAY_RETURN_IF_ERROR(Baseline(panel));
    MakeCandidates();
    MemoryOptimizer optimizer(input_.cases, base_, baseline_, alignment_.options(), panel, calls_,
                              progress_);
    ASSAY_RETURN_IF_ERROR(optimizer.Distil(candidates_));
    progress_.Begin(v1::ALIGNMENT_STAGE_ACCEPT, 0);
    for (Candidate& candidate : candidates_) ASSAY_RETURN_IF_ERROR(optimizer.Accept(candidate));
    ASSAY_RETURN_IF_ERROR(Measure(panel));
    return Finish();
  }

 private:
  uint64_t seed() const { return static_cast<uint64_t>(alignment_.options().seed()); }

  absl::Status Baseline(JudgePanel& panel) {
    std::vector<size_t> all(input_.cases.size());
    std::iota(all.begin(), all.end(), 0);
    progress_.Begin(v1::ALIGNMENT_STAGE_BASELINE, static_cast<int64_t>(all.size()));
    ASSAY_ASSIGN_OR_RETURN(baseline_, panel.JudgeAll("baseline", base_, all));
    return CheckPass(baseline_);
  }

  // One for each fold, made without it, and the final one.
  void MakeCandidates() {
    const int folds = 1 + *std::max_element(fold_of_.begin(), fold_of_.end());
    for (int fold = 0; fold <= folds; ++fold) {
      Candidate candidate;
      candidate.is_final = fold == folds;
      candidate.step = candidate.is_final ? "final" : StrCat("fold-", fold);
      candidate.training = CasesOutside(fold_of_, fold);
      candidates_.push_back(std::move(candidate));
    }
  }

  absl::Status Measure(JudgePanel& panel) {
    const size_t count = input_.cases.size();
    progress_.Begin(v1::ALIGNMENT_STAGE_MEASURE, static_cast<int64_t>(2 * count));
    held_out_.resize(count);
    for (size_t fold = 0; fold + 1 < candidates_.size(); ++fold) {
      const std::vector<size_t> items = CasesOf(fold_of_, static_cast<int>(fold));
      ASSAY_ASSIGN_OR_RETURN(std::vector<Judgement> judgements,
                             panel.JudgeAll(candidates_[fold].step + "/held-out",
                                            candidates_[fold].definition, items));
      for (size_t i = 0; i < items.size(); ++i) held_out_[items[i]] = std::move(judgements[i]);
    }
    ASSAY_RETURN_IF_ERROR(CheckPass(held_out_));
    const Candidate& last = candidates_.back();
    ASSAY_ASSIGN_OR_RETURN(seen_, panel.JudgeAll("final/seen", last.definition, last.training));
    return absl::OkStatus();
  }

  AlignmentResult Finish() {
    AlignmentResult result;
    Candidate& last = candidates_.back();
    result.report = MakeReport({input_.cases, fold_of_, baseline_, held_out_, seen_},
                               judging::EffectiveValueType(base_), seed());
    for (v1::GuidelineTrial& trial : last.trials)
      *result.report.add_guidelines() = std::move(trial);
    *result.report.mutable_usage() = calls_.usage();
    AddWarnings(last, result.report);
    result.candidate = std::move(last.definition);
    return result;
  }

  void AddWarnings(const Candidate& last, v1::AlignmentReport& report) const {
    std::set<std::string> models;
    for (const Judgement& judgement : baseline_) {
      if (!judgement.answered_by.empty()) models.insert(judgement.answered_by);
    }
    if (base_.model().starts_with(kStandInPrefix)) {
      report.add_warnings(
          StrCat("The judge's model, ", base_.model(),
                 ", is a built-in stand-in that decides by words, no language model: these figures "
                 "say nothing about one."));
    }
    if (alignment_.options().reflection_model() != base_.model() &&
        alignment_.options().reflection_model().starts_with(kStandInPrefix)) {
      report.add_warnings(
          "The guidelines were distilled by a built-in stand-in, no language model.");
    }
    if (models.size() > 1)
      report.add_warnings("Several models answered for the judge during the measurement.");
    if (memory_left_out_ > 0) {
      report.add_warnings(
          StrCat(memory_left_out_,
                 " guidelines and examples that the judge had learned from these very traces were "
                 "left out, before and after: `before` is the judge without them."));
    }
    if (last.examples_left_out > 0) {
      report.add_warnings(
          StrCat("The candidate remembers ", last.training.size() - last.examples_left_out, " of ",
                 last.training.size(), " cases: a judge holds at most ", kMaxMemoryBytes,
                 " bytes of them. Cases that it got wrong came first."));
    }
    if (last.trials.size() > static_cast<size_t>(kMaxReportedGuidelines)) {
      report.add_warnings(StrCat("`guidelines` lists the first ", kMaxReportedGuidelines, " of ",
                                 last.trials.size(), "; all that were kept are among them."));
    }
    if (last.without_source > 0) {
      report.add_warnings(
          StrCat(last.without_source,
                 " distilled guidelines named no trace they came from and were left out."));
    }
    if (last.unreadable_answers > 0) {
      report.add_warnings(StrCat(
          last.unreadable_answers,
          " answers of the reflection model could not be read, also when asked again: there are "
          "no guidelines from them."));
    }
  }

  const v1::Alignment& alignment_;
  const AlignmentInput& input_;
  PaidCalls& calls_;
  Progress progress_;
  registry::v1::JudgeDefinition base_;
  int memory_left_out_ = 0;
  std::vector<int> fold_of_;
  std::vector<Judgement> baseline_, held_out_, seen_;
  std::vector<Candidate> candidates_;
};

}  // namespace

absl::StatusOr<AlignmentResult> RunAlignment(const v1::Alignment& alignment,
                                             const AlignmentInput& input, PaidCalls& calls,
                                             ProgressListener& listener) {
  return Job(alignment, input, calls, listener).Run();
}

}  // namespace assay::alignment
