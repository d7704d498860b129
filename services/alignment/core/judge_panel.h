// Lets a judge pass over labelled cases.
#ifndef ASSAY_SERVICES_ALIGNMENT_CORE_JUDGE_PANEL_H_
#define ASSAY_SERVICES_ALIGNMENT_CORE_JUDGE_PANEL_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/alignment/core/judgement.h"
#include "services/alignment/core/labelled_case.h"
#include "services/alignment/core/paid_calls.h"
#include "services/alignment/core/progress.h"

namespace assay::alignment {

// Thread-safe; its calls block until the pass is over, and are made from the job's own thread.
class JudgePanel {
 public:
  // All outlive this. Embeddings are made of every case here.
  JudgePanel(const std::vector<LabelledCase>& cases, std::string experiment, std::string judge_id,
             int parallelism, PaidCalls& calls, Progress& progress);

  // One judgement for each of `items`, in their order, recorded under `step`/{trace id}. A
  // judgement without a value is an answer. Errors: CANCELLED, and those that make going on
  // pointless; then no further item is started. The request holds the item, the judge, and nothing
  // of the item's labels.
  absl::StatusOr<std::vector<Judgement>> JudgeAll(const std::string& step,
                                                  const registry::v1::JudgeDefinition& judge,
                                                  const std::vector<size_t>& items);

  const std::vector<std::vector<float>>& embeddings() const { return embeddings_; }

 private:
  judge::v1::JudgeRequest MakeRequest(const registry::v1::JudgeDefinition& judge,
                                      size_t item) const;

  const std::vector<LabelledCase>& cases_;
  const std::string experiment_;
  const std::string judge_id_;
  const int parallelism_;
  PaidCalls& calls_;
  Progress& progress_;
  std::vector<std::vector<float>> embeddings_;
};

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_CORE_JUDGE_PANEL_H_
