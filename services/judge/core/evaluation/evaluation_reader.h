// Evaluations as they are answered: the record, what its rows add up to, and what troubles it now.
#ifndef ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_READER_H_
#define ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_READER_H_

#include "absl/status/statusor.h"
#include "assay/judge/v1/evaluation_service.pb.h"
#include "common/names/resource_name.h"
#include "services/judge/core/evaluation/evaluation_store.h"
#include "services/judge/core/evaluation/evaluation_troubles.h"

namespace assay::judge {

// Thread-safe. Both outlive it. Blocks on storage.
class EvaluationReader {
 public:
  EvaluationReader(const EvaluationStore& store, const EvaluationTroubles& troubles)
      : store_(store), troubles_(troubles) {}

  // NOT_FOUND if there is none.
  absl::StatusOr<v1::Evaluation> Read(const names::EvaluationName& name) const;
  absl::StatusOr<storage::v1::EvaluationRecord> Require(const names::EvaluationName& name) const;
  absl::StatusOr<v1::Evaluation> Complete(const storage::v1::EvaluationRecord& record) const;

 private:
  const EvaluationStore& store_;
  const EvaluationTroubles& troubles_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_READER_H_
