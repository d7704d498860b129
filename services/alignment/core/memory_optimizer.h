// The optimizer: guidelines distilled from disagreements, each tried and rejected on harm, beside
// remembered cases.
#ifndef ASSAY_SERVICES_ALIGNMENT_CORE_MEMORY_OPTIMIZER_H_
#define ASSAY_SERVICES_ALIGNMENT_CORE_MEMORY_OPTIMIZER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "assay/alignment/v1/alignment_service.pb.h"
#include "assay/registry/v1/judge.pb.h"
#include "services/alignment/core/distillation.h"
#include "services/alignment/core/judge_panel.h"
#include "services/alignment/core/judgement.h"
#include "services/alignment/core/labelled_case.h"
#include "services/alignment/core/paid_calls.h"
#include "services/alignment/core/progress.h"

namespace assay::alignment {

// A guideline goes when trials of it broke more than they fixed by so much that chance would do as
// much in fewer than this share of cases: rejected on harm, not for want of proof, which a noisy
// judge could never give.
inline constexpr double kHarmSignificance = 0.2;
// Traces that a trial judges at most: for the final candidate, and for a fold's.
inline constexpr size_t kFinalTrialTraces = 50;
inline constexpr size_t kFoldTrialTraces = 20;

// One training set and what is made of it.
struct Candidate {
  std::string step;  // "final", "fold-3": the first part of its steps' keys.
  bool is_final = false;
  std::vector<size_t> training;  // Indices of cases.
  std::vector<registry::v1::MemoryGuideline>
      proposals;  // Distilled; none twice, none over the limit.
  std::vector<v1::GuidelineTrial>
      trials;  // Of each distilled guideline; those of `proposals` come first, in order.
  registry::v1::JudgeDefinition definition;
  size_t examples_left_out = 0;
  int without_source = 0;
  int unreadable_answers = 0;
};

// Not thread-safe; made for one job and its thread.
class MemoryOptimizer {
 public:
  // All outlive this. `baseline` has a judgement of `base` for each case.
  MemoryOptimizer(const std::vector<LabelledCase>& cases, const registry::v1::JudgeDefinition& base,
                  const std::vector<Judgement>& baseline, const v1::AlignmentOptions& options,
                  JudgePanel& panel, PaidCalls& calls, Progress& progress);

  // Stage DISTILL: fills in `proposals` and `trials` of each candidate, from the labels of its
  // training set alone.
  absl::Status Distil(std::vector<Candidate>& candidates);

  // Stage ACCEPT: tries the proposals on the training set and fills in `definition`. The final
  // candidate's are tried one by one against the same memory without them. A fold's are tried all
  // together first, and one by one only if together they do harm: that costs a tenth, and differs
  // only where one guideline's harm hides behind another's good.
  absl::Status Accept(Candidate& candidate);

 private:
  struct Call {
    Candidate* candidate;
    size_t batch;
    DistillationBatch records;
    Distilled answer;
    bool unreadable = false;
  };
  void Ask(Call& call, Done<bool> done);
  void Collect(const Call& call);
  bool IsKnown(const Candidate& candidate, const std::string& text) const;
  // Judges the trial's traces with `guidelines` beside the memory.
  absl::StatusOr<std::vector<Judgement>> Try(
      const Candidate& candidate, const std::string& step,
      absl::Span<const registry::v1::MemoryGuideline> guidelines, const std::vector<size_t>& items);
  absl::Status TryEach(Candidate& candidate, const std::vector<size_t>& items,
                       const std::vector<Judgement>& without);
  void Finish(Candidate& candidate) const;

  const std::vector<LabelledCase>& cases_;
  const registry::v1::JudgeDefinition& base_;
  const std::vector<Judgement>& baseline_;
  const v1::AlignmentOptions& options_;
  JudgePanel& panel_;
  PaidCalls& calls_;
  Progress& progress_;
  std::vector<bool> wrong_;  // Of each case: whether the baseline disagrees.
};

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_CORE_MEMORY_OPTIMIZER_H_
