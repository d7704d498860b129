#include "services/trace/clients/registry_experiments.h"

#include <utility>

#include "common/rpc/client_call.h"

namespace assay::trace {

RegistryExperiments::RegistryExperiments(std::shared_ptr<grpc::Channel> channel, std::string peer,
                                         Executor& executor, Clock& clock)
    : peer_(std::move(peer)),
      executor_(executor),
      clock_(clock),
      stub_(registry::v1::ExperimentService::NewStub(channel)) {}

void RegistryExperiments::Create(std::string experiment, CallContext context, DoneStatus done) {
  registry::v1::CreateExperimentRequest request;
  request.set_experiment_id(std::move(experiment));
  auto answered = [done = std::move(done)](
                      absl::StatusOr<registry::v1::CreateExperimentResponse> created) mutable {
    const bool exists = absl::IsAlreadyExists(created.status());
    std::move(done)(exists ? absl::OkStatus() : created.status());
  };
  rpc::CallUnary<registry::v1::ExperimentService::Stub::async_interface,
                 registry::v1::ExperimentService::Stub::async_interface,
                 registry::v1::CreateExperimentRequest, registry::v1::CreateExperimentResponse>(
      stub_->async(), &registry::v1::ExperimentService::Stub::async_interface::CreateExperiment,
      std::move(request), context, std::move(answered), executor_,
      {.peer = peer_, .clock = &clock_});
}

}  // namespace assay::trace
