#include "services/judge/rpc/usage_service.h"

#include <utility>

namespace assay::judge {

grpc::ServerUnaryReactor* UsageService::QueryUsage(grpc::CallbackServerContext* context,
                                                   const v1::QueryUsageRequest* request,
                                                   v1::QueryUsageResponse* response) {
  return runtime_.Unary(
      context, "assay.judge.v1.UsageService/QueryUsage", request, response,
      [this](const CallContext&, const v1::QueryUsageRequest& request,
             Done<v1::QueryUsageResponse> done) { usage_.Query(request, std::move(done)); });
}

grpc::ServerUnaryReactor* UsageService::SetBudget(grpc::CallbackServerContext* context,
                                                  const v1::SetBudgetRequest* request,
                                                  v1::SetBudgetResponse* response) {
  return runtime_.Unary(context, "assay.judge.v1.UsageService/SetBudget", request, response,
                        [this](const CallContext& call, const v1::SetBudgetRequest& request,
                               Done<v1::SetBudgetResponse> done) {
                          usage_.SetBudget(call, request, std::move(done));
                        });
}

grpc::ServerUnaryReactor* UsageService::GetBudget(grpc::CallbackServerContext* context,
                                                  const v1::GetBudgetRequest* request,
                                                  v1::GetBudgetResponse* response) {
  return runtime_.Unary(
      context, "assay.judge.v1.UsageService/GetBudget", request, response,
      [this](const CallContext&, const v1::GetBudgetRequest& request,
             Done<v1::GetBudgetResponse> done) { std::move(done)(usage_.GetBudget(request)); });
}

grpc::ServerUnaryReactor* UsageService::ListBudgets(grpc::CallbackServerContext* context,
                                                    const v1::ListBudgetsRequest* request,
                                                    v1::ListBudgetsResponse* response) {
  return runtime_.Unary(
      context, "assay.judge.v1.UsageService/ListBudgets", request, response,
      [this](const CallContext&, const v1::ListBudgetsRequest& request,
             Done<v1::ListBudgetsResponse> done) { std::move(done)(usage_.ListBudgets(request)); });
}

grpc::ServerUnaryReactor* UsageService::DeleteBudget(grpc::CallbackServerContext* context,
                                                     const v1::DeleteBudgetRequest* request,
                                                     v1::DeleteBudgetResponse* response) {
  return runtime_.Unary(context, "assay.judge.v1.UsageService/DeleteBudget", request, response,
                        [this](const CallContext& call, const v1::DeleteBudgetRequest& request,
                               Done<v1::DeleteBudgetResponse> done) {
                          usage_.DeleteBudget(call, request, std::move(done));
                        });
}

}  // namespace assay::judge
