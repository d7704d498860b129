// The registry, as far as the trace service needs it.
#ifndef ASSAY_SERVICES_TRACE_CLIENTS_REGISTRY_EXPERIMENTS_H_
#define ASSAY_SERVICES_TRACE_CLIENTS_REGISTRY_EXPERIMENTS_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "assay/registry/v1/experiment_service.grpc.pb.h"
#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "services/trace/core/experiment_registrar.h"

namespace assay::trace {

// Creates experiments by ExperimentService.CreateExperiment. Thread-safe.
class RegistryExperiments final : public ExperimentCreator {
 public:
  // `executor` and `clock` outlive the object and its calls; `peer` names the registry in errors.
  RegistryExperiments(std::shared_ptr<grpc::Channel> channel, std::string peer, Executor& executor,
                      Clock& clock);

  void Create(std::string experiment, CallContext context, DoneStatus done) override;

 private:
  const std::string peer_;
  Executor& executor_;
  Clock& clock_;
  const std::unique_ptr<registry::v1::ExperimentService::Stub> stub_;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CLIENTS_REGISTRY_EXPERIMENTS_H_
