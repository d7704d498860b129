// gRPC adapter of evaluations.
#ifndef ASSAY_SERVICES_JUDGE_RPC_EVALUATION_SERVICE_H_
#define ASSAY_SERVICES_JUDGE_RPC_EVALUATION_SERVICE_H_

#include "assay/judge/v1/evaluation_service.grpc.pb.h"
#include "common/rpc/runtime.h"
#include "services/judge/core/evaluation/evaluation_watch.h"
#include "services/judge/core/evaluation/evaluations.h"

namespace assay::judge {

// Thread-safe. What it is given outlives it.
class EvaluationService final : public v1::EvaluationService::CallbackService {
 public:
  EvaluationService(Evaluations& evaluations, EvaluationWatch& watch, rpc::Runtime& runtime)
      : evaluations_(evaluations), watch_(watch), runtime_(runtime) {}

  grpc::ServerUnaryReactor* CreateEvaluation(grpc::CallbackServerContext* context,
                                             const v1::CreateEvaluationRequest* request,
                                             v1::CreateEvaluationResponse* response) override;
  grpc::ServerUnaryReactor* AppendEvaluationRows(
      grpc::CallbackServerContext* context, const v1::AppendEvaluationRowsRequest* request,
      v1::AppendEvaluationRowsResponse* response) override;
  grpc::ServerUnaryReactor* GetEvaluation(grpc::CallbackServerContext* context,
                                          const v1::GetEvaluationRequest* request,
                                          v1::GetEvaluationResponse* response) override;
  grpc::ServerUnaryReactor* ListEvaluations(grpc::CallbackServerContext* context,
                                            const v1::ListEvaluationsRequest* request,
                                            v1::ListEvaluationsResponse* response) override;
  grpc::ServerUnaryReactor* ListEvaluationRows(grpc::CallbackServerContext* context,
                                               const v1::ListEvaluationRowsRequest* request,
                                               v1::ListEvaluationRowsResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchEvaluationResponse>* WatchEvaluation(
      grpc::CallbackServerContext* context, const v1::WatchEvaluationRequest* request) override;
  grpc::ServerUnaryReactor* CancelEvaluation(grpc::CallbackServerContext* context,
                                             const v1::CancelEvaluationRequest* request,
                                             v1::CancelEvaluationResponse* response) override;

 private:
  Evaluations& evaluations_;
  EvaluationWatch& watch_;
  rpc::Runtime& runtime_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_RPC_EVALUATION_SERVICE_H_
