#include "services/judge/rpc/model_service.h"

namespace assay::judge {

grpc::ServerUnaryReactor* ModelService::Complete(grpc::CallbackServerContext* context,
                                                 const v1::CompleteRequest* request,
                                                 v1::CompleteResponse* response) {
  return runtime_.Unary(context, "assay.judge.v1.ModelService/Complete", request, response,
                        [this](const CallContext& call, const v1::CompleteRequest& request,
                               Done<v1::CompleteResponse> done) {
                          models_.Complete(call, request, std::move(done));
                        });
}

grpc::ServerUnaryReactor* ModelService::ListModels(grpc::CallbackServerContext* context,
                                                   const v1::ListModelsRequest* request,
                                                   v1::ListModelsResponse* response) {
  return runtime_.Unary(context, "assay.judge.v1.ModelService/ListModels", request, response,
                        [this](const CallContext&, const v1::ListModelsRequest&,
                               Done<v1::ListModelsResponse> done) { std::move(done)(catalog_()); });
}

}  // namespace assay::judge
