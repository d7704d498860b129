// gRPC adapter of Judges.
#ifndef ASSAY_SERVICES_REGISTRY_RPC_JUDGE_REGISTRY_SERVICE_H_
#define ASSAY_SERVICES_REGISTRY_RPC_JUDGE_REGISTRY_SERVICE_H_

#include "assay/registry/v1/judge_registry_service.grpc.pb.h"
#include "common/rpc/runtime.h"
#include "services/registry/core/judges.h"

namespace assay::registry {

// Thread-safe. Both outlive it.
class JudgeRegistryService final : public v1::JudgeRegistryService::CallbackService {
 public:
  JudgeRegistryService(Judges& judges, rpc::Runtime& runtime)
      : judges_(judges), runtime_(runtime) {}

  grpc::ServerUnaryReactor* CreateJudge(grpc::CallbackServerContext* context,
                                        const v1::CreateJudgeRequest* request,
                                        v1::CreateJudgeResponse* response) override;
  grpc::ServerUnaryReactor* GetJudge(grpc::CallbackServerContext* context,
                                     const v1::GetJudgeRequest* request,
                                     v1::GetJudgeResponse* response) override;
  grpc::ServerUnaryReactor* ListJudges(grpc::CallbackServerContext* context,
                                       const v1::ListJudgesRequest* request,
                                       v1::ListJudgesResponse* response) override;
  grpc::ServerUnaryReactor* CreateJudgeRevision(grpc::CallbackServerContext* context,
                                                const v1::CreateJudgeRevisionRequest* request,
                                                v1::CreateJudgeRevisionResponse* response) override;
  grpc::ServerUnaryReactor* GetJudgeRevision(grpc::CallbackServerContext* context,
                                             const v1::GetJudgeRevisionRequest* request,
                                             v1::GetJudgeRevisionResponse* response) override;
  grpc::ServerUnaryReactor* ListJudgeRevisions(grpc::CallbackServerContext* context,
                                               const v1::ListJudgeRevisionsRequest* request,
                                               v1::ListJudgeRevisionsResponse* response) override;
  grpc::ServerUnaryReactor* SetJudgeAlias(grpc::CallbackServerContext* context,
                                          const v1::SetJudgeAliasRequest* request,
                                          v1::SetJudgeAliasResponse* response) override;
  grpc::ServerUnaryReactor* DeleteJudgeAlias(grpc::CallbackServerContext* context,
                                             const v1::DeleteJudgeAliasRequest* request,
                                             v1::DeleteJudgeAliasResponse* response) override;

 private:
  Judges& judges_;
  rpc::Runtime& runtime_;
};

}  // namespace assay::registry

#endif  // ASSAY_SERVICES_REGISTRY_RPC_JUDGE_REGISTRY_SERVICE_H_
