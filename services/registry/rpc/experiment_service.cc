#include "services/registry/rpc/experiment_service.h"

#include <utility>

namespace assay::registry {

grpc::ServerUnaryReactor* ExperimentService::CreateExperiment(
    grpc::CallbackServerContext* context, const v1::CreateExperimentRequest* request,
    v1::CreateExperimentResponse* response) {
  return runtime_.Unary(context, "assay.registry.v1.ExperimentService/CreateExperiment", request,
                        response,
                        [this](const CallContext& call, const v1::CreateExperimentRequest& request,
                               Done<v1::CreateExperimentResponse> done) {
                          experiments_.Create(call, request, std::move(done));
                        });
}

grpc::ServerUnaryReactor* ExperimentService::GetExperiment(grpc::CallbackServerContext* context,
                                                           const v1::GetExperimentRequest* request,
                                                           v1::GetExperimentResponse* response) {
  return runtime_.Unary(
      context, "assay.registry.v1.ExperimentService/GetExperiment", request, response,
      [this](const CallContext&, const v1::GetExperimentRequest& request,
             Done<v1::GetExperimentResponse> done) { std::move(done)(experiments_.Get(request)); });
}

grpc::ServerUnaryReactor* ExperimentService::ListExperiments(
    grpc::CallbackServerContext* context, const v1::ListExperimentsRequest* request,
    v1::ListExperimentsResponse* response) {
  return runtime_.Unary(context, "assay.registry.v1.ExperimentService/ListExperiments", request,
                        response,
                        [this](const CallContext&, const v1::ListExperimentsRequest& request,
                               Done<v1::ListExperimentsResponse> done) {
                          std::move(done)(experiments_.List(request));
                        });
}

grpc::ServerUnaryReactor* ExperimentService::UpdateExperiment(
    grpc::CallbackServerContext* context, const v1::UpdateExperimentRequest* request,
    v1::UpdateExperimentResponse* response) {
  return runtime_.Unary(context, "assay.registry.v1.ExperimentService/UpdateExperiment", request,
                        response,
                        [this](const CallContext& call, const v1::UpdateExperimentRequest& request,
                               Done<v1::UpdateExperimentResponse> done) {
                          experiments_.Update(call, request, std::move(done));
                        });
}

}  // namespace assay::registry
