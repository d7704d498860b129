// The rules of experiments.
#ifndef ASSAY_SERVICES_REGISTRY_CORE_EXPERIMENTS_H_
#define ASSAY_SERVICES_REGISTRY_CORE_EXPERIMENTS_H_

#include "absl/status/statusor.h"
#include "assay/registry/v1/experiment_service.pb.h"
#include "common/clock/clock.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"
#include "services/registry/core/registry_store.h"

namespace assay::registry {

// Thread-safe. Reads block on storage; writes answer by `done`. Errors are those of the methods in
// protos/assay/registry/v1/experiment_service.proto.
class Experiments {
 public:
  // Both outlive this and the `done`s of its writes.
  Experiments(RegistryStore& store, Clock& clock) : store_(store), clock_(clock) {}

  void Create(const CallContext& context, const v1::CreateExperimentRequest& request,
              Done<v1::CreateExperimentResponse> done);
  absl::StatusOr<v1::GetExperimentResponse> Get(const v1::GetExperimentRequest& request) const;
  absl::StatusOr<v1::ListExperimentsResponse> List(const v1::ListExperimentsRequest& request) const;
  void Update(const CallContext& context, const v1::UpdateExperimentRequest& request,
              Done<v1::UpdateExperimentResponse> done);

 private:
  RegistryStore& store_;
  Clock& clock_;
};

}  // namespace assay::registry

#endif  // ASSAY_SERVICES_REGISTRY_CORE_EXPERIMENTS_H_
