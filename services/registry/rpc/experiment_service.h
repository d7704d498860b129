// gRPC adapter of Experiments.
#ifndef ASSAY_SERVICES_REGISTRY_RPC_EXPERIMENT_SERVICE_H_
#define ASSAY_SERVICES_REGISTRY_RPC_EXPERIMENT_SERVICE_H_

#include "assay/registry/v1/experiment_service.grpc.pb.h"
#include "common/rpc/runtime.h"
#include "services/registry/core/experiments.h"

namespace assay::registry {

// Thread-safe. Both outlive it.
class ExperimentService final : public v1::ExperimentService::CallbackService {
 public:
  ExperimentService(Experiments& experiments, rpc::Runtime& runtime)
      : experiments_(experiments), runtime_(runtime) {}

  grpc::ServerUnaryReactor* CreateExperiment(grpc::CallbackServerContext* context,
                                             const v1::CreateExperimentRequest* request,
                                             v1::CreateExperimentResponse* response) override;
  grpc::ServerUnaryReactor* GetExperiment(grpc::CallbackServerContext* context,
                                          const v1::GetExperimentRequest* request,
                                          v1::GetExperimentResponse* response) override;
  grpc::ServerUnaryReactor* ListExperiments(grpc::CallbackServerContext* context,
                                            const v1::ListExperimentsRequest* request,
                                            v1::ListExperimentsResponse* response) override;
  grpc::ServerUnaryReactor* UpdateExperiment(grpc::CallbackServerContext* context,
                                             const v1::UpdateExperimentRequest* request,
                                             v1::UpdateExperimentResponse* response) override;

 private:
  Experiments& experiments_;
  rpc::Runtime& runtime_;
};

}  // namespace assay::registry

#endif  // ASSAY_SERVICES_REGISTRY_RPC_EXPERIMENT_SERVICE_H_
