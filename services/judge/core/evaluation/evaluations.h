// The evaluations that clients create, feed with rows, look at and cancel.
#ifndef ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATIONS_H_
#define ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATIONS_H_

#include <functional>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "assay/judge/v1/evaluation_service.pb.h"
#include "common/clock/clock.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"
#include "services/judge/core/calls/judge_resolver.h"
#include "services/judge/core/evaluation/evaluation_jobs.h"
#include "services/judge/core/evaluation/evaluation_reader.h"
#include "services/judge/core/evaluation/evaluation_spec.h"
#include "services/judge/core/evaluation/evaluation_store.h"

namespace assay::judge {

struct EvaluationRules {
  AddressRule address;
  // Whether a model (its URI, or "" for the default) can be asked at all; errors as ModelClient.
  std::function<absl::Status(std::string_view model_uri)> model;
};

// Each method does what the RPC of that name in assay.judge.v1.EvaluationService promises.
// Thread-safe. What it is given outlives it and its calls. Blocks on storage; `done` is called
// exactly once, inline only for requests that are refused at once.
class Evaluations {
 public:
  Evaluations(EvaluationStore& store, const JudgeResolver& resolver, const EvaluationReader& reader,
              EvaluationJobs& jobs, Clock& clock, EvaluationRules rules)
      : store_(store),
        resolver_(resolver),
        reader_(reader),
        jobs_(jobs),
        clock_(clock),
        rules_(std::move(rules)) {}

  void Create(const CallContext& context, const v1::CreateEvaluationRequest& request,
              Done<v1::CreateEvaluationResponse> done);
  void AppendRows(const CallContext& context, const v1::AppendEvaluationRowsRequest& request,
                  Done<v1::AppendEvaluationRowsResponse> done);
  absl::StatusOr<v1::GetEvaluationResponse> Get(const v1::GetEvaluationRequest& request) const;
  absl::StatusOr<v1::ListEvaluationsResponse> List(const v1::ListEvaluationsRequest& request) const;
  absl::StatusOr<v1::ListEvaluationRowsResponse> ListRows(
      const v1::ListEvaluationRowsRequest& request) const;
  void Cancel(const CallContext& context, const v1::CancelEvaluationRequest& request,
              Done<v1::CancelEvaluationResponse> done);

 private:
  struct Creation;  // One evaluation on its way.
  void ResolveNext(std::shared_ptr<Creation> creation, int index);
  void TakeJudge(const std::shared_ptr<Creation>& creation, int index,
                 absl::StatusOr<ResolvedJudge> judge);
  void Insert(std::shared_ptr<Creation> creation);

  EvaluationStore& store_;
  const JudgeResolver& resolver_;
  const EvaluationReader& reader_;
  EvaluationJobs& jobs_;
  Clock& clock_;
  const EvaluationRules rules_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATIONS_H_
