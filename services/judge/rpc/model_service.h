// gRPC adapter of plain questions to models.
#ifndef ASSAY_SERVICES_JUDGE_RPC_MODEL_SERVICE_H_
#define ASSAY_SERVICES_JUDGE_RPC_MODEL_SERVICE_H_

#include <functional>
#include <utility>

#include "assay/judge/v1/judge_service.grpc.pb.h"
#include "common/rpc/runtime.h"
#include "services/judge/core/calls/model_calls.h"

namespace assay::judge {

// Thread-safe. What it is given outlives it.
class ModelService final : public v1::ModelService::CallbackService {
 public:
  using Catalog = std::function<v1::ListModelsResponse()>;

  ModelService(ModelCalls& models, Catalog catalog, rpc::Runtime& runtime)
      : models_(models), catalog_(std::move(catalog)), runtime_(runtime) {}

  grpc::ServerUnaryReactor* Complete(grpc::CallbackServerContext* context,
                                     const v1::CompleteRequest* request,
                                     v1::CompleteResponse* response) override;
  grpc::ServerUnaryReactor* ListModels(grpc::CallbackServerContext* context,
                                       const v1::ListModelsRequest* request,
                                       v1::ListModelsResponse* response) override;

 private:
  ModelCalls& models_;
  const Catalog catalog_;
  rpc::Runtime& runtime_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_RPC_MODEL_SERVICE_H_
