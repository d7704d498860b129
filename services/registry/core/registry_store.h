// What the registry keeps: experiments, judges, their immutable revisions and their aliases.
//
// Implementations: KvRegistryStore (services/registry/store) on any kv::Store. The conformance
// suite in services/registry/testing runs on the RocksDB engine and on the in-memory fake.
#ifndef ASSAY_SERVICES_REGISTRY_CORE_REGISTRY_STORE_H_
#define ASSAY_SERVICES_REGISTRY_CORE_REGISTRY_STORE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "assay/registry/v1/experiment_service.pb.h"
#include "assay/registry/v1/judge.pb.h"
#include "common/exec/done.h"
#include "common/names/resource_name.h"
#include "common/request/request_key.h"

namespace assay::registry {

// Thread-safe. Reads block on storage and see every acknowledged write. Writes are durable before
// `done` is called, once, on the store's executor; each records its answer under its RequestKey in
// the same commit. A `change` may be called more than once (when writers meet), must have no effect
// but its answer, and its error ends the write with nothing changed.
class RegistryStore {
 public:
  template <class T>
  using Change = std::function<absl::StatusOr<T>(const T& current)>;
  using NextRevision =
      std::function<absl::StatusOr<v1::JudgeRevision>(const v1::Judge& current, int64_t revision)>;

  virtual ~RegistryStore() = default;

  virtual absl::StatusOr<std::optional<v1::Experiment>> FindExperiment(
      std::string_view experiment) const = 0;
  // By id, after `after` ("" for the first), at most `limit`.
  virtual absl::StatusOr<std::vector<v1::Experiment>> ListExperiments(std::string_view after,
                                                                      int limit) const = 0;
  // ALREADY_EXISTS if the name is taken.
  virtual void InsertExperiment(RequestKey key, v1::Experiment experiment,
                                Done<v1::Experiment> done) = 0;
  // NOT_FOUND if there is none.
  virtual void ChangeExperiment(RequestKey key, names::ExperimentName name,
                                Change<v1::Experiment> change, Done<v1::Experiment> done) = 0;

  // Judges come without `latest_revision`: FindRevision has it, under the number of the alias
  // `latest`.
  virtual absl::StatusOr<std::optional<v1::Judge>> FindJudge(
      const names::JudgeName& name) const = 0;
  virtual absl::StatusOr<std::vector<v1::Judge>> ListJudges(std::string_view experiment,
                                                            std::string_view after,
                                                            int limit) const = 0;
  virtual absl::StatusOr<std::optional<v1::JudgeRevision>> FindRevision(
      const names::JudgeName& name, int64_t revision) const = 0;
  // Newest first, below `before` (0 for the newest), at most `limit`.
  virtual absl::StatusOr<std::vector<v1::JudgeRevision>> ListRevisions(const names::JudgeName& name,
                                                                       int64_t before,
                                                                       int limit) const = 0;
  // NOT_FOUND without the experiment, ALREADY_EXISTS if the name is taken. `judge.aliases` names
  // revision 1 as latest.
  virtual void InsertJudge(RequestKey key, v1::Judge judge, v1::JudgeRevision first,
                           Done<v1::Judge> done) = 0;
  // Adds the revision that `next` makes and moves `latest` to it; NOT_FOUND without the judge.
  virtual void AppendRevision(RequestKey key, names::JudgeName name, NextRevision next,
                              Done<v1::JudgeRevision> done) = 0;
  // NOT_FOUND without the judge.
  virtual void ChangeJudge(RequestKey key, names::JudgeName name, Change<v1::Judge> change,
                           Done<v1::Judge> done) = 0;
};

}  // namespace assay::registry

#endif  // ASSAY_SERVICES_REGISTRY_CORE_REGISTRY_STORE_H_
