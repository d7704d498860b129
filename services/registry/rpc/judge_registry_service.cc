#include "services/registry/rpc/judge_registry_service.h"

#include <utility>

namespace assay::registry {

grpc::ServerUnaryReactor* JudgeRegistryService::CreateJudge(grpc::CallbackServerContext* context,
                                                            const v1::CreateJudgeRequest* request,
                                                            v1::CreateJudgeResponse* response) {
  return runtime_.Unary(context, "assay.registry.v1.JudgeRegistryService/CreateJudge", request,
                        response,
                        [this](const CallContext& call, const v1::CreateJudgeRequest& request,
                               Done<v1::CreateJudgeResponse> done) {
                          judges_.Create(call, request, std::move(done));
                        });
}

grpc::ServerUnaryReactor* JudgeRegistryService::GetJudge(grpc::CallbackServerContext* context,
                                                         const v1::GetJudgeRequest* request,
                                                         v1::GetJudgeResponse* response) {
  return runtime_.Unary(
      context, "assay.registry.v1.JudgeRegistryService/GetJudge", request, response,
      [this](const CallContext&, const v1::GetJudgeRequest& request,
             Done<v1::GetJudgeResponse> done) { std::move(done)(judges_.Get(request)); });
}

grpc::ServerUnaryReactor* JudgeRegistryService::ListJudges(grpc::CallbackServerContext* context,
                                                           const v1::ListJudgesRequest* request,
                                                           v1::ListJudgesResponse* response) {
  return runtime_.Unary(
      context, "assay.registry.v1.JudgeRegistryService/ListJudges", request, response,
      [this](const CallContext&, const v1::ListJudgesRequest& request,
             Done<v1::ListJudgesResponse> done) { std::move(done)(judges_.List(request)); });
}

grpc::ServerUnaryReactor* JudgeRegistryService::CreateJudgeRevision(
    grpc::CallbackServerContext* context, const v1::CreateJudgeRevisionRequest* request,
    v1::CreateJudgeRevisionResponse* response) {
  return runtime_.Unary(
      context, "assay.registry.v1.JudgeRegistryService/CreateJudgeRevision", request, response,
      [this](const CallContext& call, const v1::CreateJudgeRevisionRequest& request,
             Done<v1::CreateJudgeRevisionResponse> done) {
        judges_.CreateRevision(call, request, std::move(done));
      });
}

grpc::ServerUnaryReactor* JudgeRegistryService::GetJudgeRevision(
    grpc::CallbackServerContext* context, const v1::GetJudgeRevisionRequest* request,
    v1::GetJudgeRevisionResponse* response) {
  return runtime_.Unary(context, "assay.registry.v1.JudgeRegistryService/GetJudgeRevision", request,
                        response,
                        [this](const CallContext&, const v1::GetJudgeRevisionRequest& request,
                               Done<v1::GetJudgeRevisionResponse> done) {
                          std::move(done)(judges_.GetRevision(request));
                        });
}

grpc::ServerUnaryReactor* JudgeRegistryService::ListJudgeRevisions(
    grpc::CallbackServerContext* context, const v1::ListJudgeRevisionsRequest* request,
    v1::ListJudgeRevisionsResponse* response) {
  return runtime_.Unary(context, "assay.registry.v1.JudgeRegistryService/ListJudgeRevisions",
                        request, response,
                        [this](const CallContext&, const v1::ListJudgeRevisionsRequest& request,
                               Done<v1::ListJudgeRevisionsResponse> done) {
                          std::move(done)(judges_.ListRevisions(request));
                        });
}

grpc::ServerUnaryReactor* JudgeRegistryService::SetJudgeAlias(
    grpc::CallbackServerContext* context, const v1::SetJudgeAliasRequest* request,
    v1::SetJudgeAliasResponse* response) {
  return runtime_.Unary(context, "assay.registry.v1.JudgeRegistryService/SetJudgeAlias", request,
                        response,
                        [this](const CallContext& call, const v1::SetJudgeAliasRequest& request,
                               Done<v1::SetJudgeAliasResponse> done) {
                          judges_.SetAlias(call, request, std::move(done));
                        });
}

grpc::ServerUnaryReactor* JudgeRegistryService::DeleteJudgeAlias(
    grpc::CallbackServerContext* context, const v1::DeleteJudgeAliasRequest* request,
    v1::DeleteJudgeAliasResponse* response) {
  return runtime_.Unary(context, "assay.registry.v1.JudgeRegistryService/DeleteJudgeAlias", request,
                        response,
                        [this](const CallContext& call, const v1::DeleteJudgeAliasRequest& request,
                               Done<v1::DeleteJudgeAliasResponse> done) {
                          judges_.DeleteAlias(call, request, std::move(done));
                        });
}

}  // namespace assay::registry
