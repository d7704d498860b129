// gRPC adapter of usage and budgets.
#ifndef ASSAY_SERVICES_JUDGE_RPC_USAGE_SERVICE_H_
#define ASSAY_SERVICES_JUDGE_RPC_USAGE_SERVICE_H_

#include "assay/judge/v1/usage_service.grpc.pb.h"
#include "common/rpc/runtime.h"
#include "services/judge/core/usage/usage_calls.h"

namespace assay::judge {

// Thread-safe. What it is given outlives it.
class UsageService final : public v1::UsageService::CallbackService {
 public:
  UsageService(UsageCalls& usage, rpc::Runtime& runtime) : usage_(usage), runtime_(runtime) {}

  grpc::ServerUnaryReactor* QueryUsage(grpc::CallbackServerContext* context,
                                       const v1::QueryUsageRequest* request,
                                       v1::QueryUsageResponse* response) override;
  grpc::ServerUnaryReactor* SetBudget(grpc::CallbackServerContext* context,
                                      const v1::SetBudgetRequest* request,
                                      v1::SetBudgetResponse* response) override;
  grpc::ServerUnaryReactor* GetBudget(grpc::CallbackServerContext* context,
                                      const v1::GetBudgetRequest* request,
                                      v1::GetBudgetResponse* response) override;
  grpc::ServerUnaryReactor* ListBudgets(grpc::CallbackServerContext* context,
                                        const v1::ListBudgetsRequest* request,
                                        v1::ListBudgetsResponse* response) override;
  grpc::ServerUnaryReactor* DeleteBudget(grpc::CallbackServerContext* context,
                                         const v1::DeleteBudgetRequest* request,
                                         v1::DeleteBudgetResponse* response) override;

 private:
  UsageCalls& usage_;
  rpc::Runtime& runtime_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_RPC_USAGE_SERVICE_H_
