// The registry's store on a key-value store.
#ifndef ASSAY_SERVICES_REGISTRY_STORE_KV_REGISTRY_STORE_H_
#define ASSAY_SERVICES_REGISTRY_STORE_KV_REGISTRY_STORE_H_

#include <optional>
#include <string_view>
#include <vector>

#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "common/kv/store.h"
#include "services/registry/core/registry_store.h"

namespace assay::registry {

inline constexpr uint32_t kRegistrySchemaVersion = 1;

class KvRegistryStore final : public RegistryStore {
 public:
  // All three outlive the store and the `done`s of its writes.
  KvRegistryStore(kv::Store& store, Executor& executor, Clock& clock)
      : store_(store), executor_(executor), clock_(clock) {}

  absl::StatusOr<std::optional<v1::Experiment>> FindExperiment(
      std::string_view experiment) const override;
  absl::StatusOr<std::vector<v1::Experiment>> ListExperiments(std::string_view after,
                                                              int limit) const override;
  void InsertExperiment(RequestKey key, v1::Experiment experiment,
                        Done<v1::Experiment> done) override;
  void ChangeExperiment(RequestKey key, names::ExperimentName name, Change<v1::Experiment> change,
                        Done<v1::Experiment> done) override;

  absl::StatusOr<std::optional<v1::Judge>> FindJudge(const names::JudgeName& name) const override;
  absl::StatusOr<std::vector<v1::Judge>> ListJudges(std::string_view experiment,
                                                    std::string_view after,
                                                    int limit) const override;
  absl::StatusOr<std::optional<v1::JudgeRevision>> FindRevision(const names::JudgeName& name,
                                                                int64_t revision) const override;
  absl::StatusOr<std::vector<v1::JudgeRevision>> ListRevisions(const names::JudgeName& name,
                                                               int64_t before,
                                                               int limit) const override;
  void InsertJudge(RequestKey key, v1::Judge judge, v1::JudgeRevision first,
                   Done<v1::Judge> done) override;
  void AppendRevision(RequestKey key, names::JudgeName name, NextRevision next,
                      Done<v1::JudgeRevision> done) override;
  void ChangeJudge(RequestKey key, names::JudgeName name, Change<v1::Judge> change,
                   Done<v1::Judge> done) override;

 private:
  kv::Store& store_;
  Executor& executor_;
  Clock& clock_;
};

}  // namespace assay::registry

#endif  // ASSAY_SERVICES_REGISTRY_STORE_KV_REGISTRY_STORE_H_
