// The registry service, put together.
#ifndef ASSAY_SERVICES_REGISTRY_SERVER_H_
#define ASSAY_SERVICES_REGISTRY_SERVER_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/config/flags.h"
#include "common/exec/executor.h"
#include "common/kv/store.h"
#include "common/rpc/process.h"
#include "common/rpc/runtime.h"
#include "common/rpc/server.h"
#include "services/registry/core/experiments.h"
#include "services/registry/core/judges.h"
#include "services/registry/rpc/experiment_service.h"
#include "services/registry/rpc/judge_registry_service.h"
#include "services/registry/store/kv_registry_store.h"

namespace assay::registry {

inline constexpr std::string_view kDefaultListenAddress = "127.0.0.1:7401";

struct Options {
  rpc::ServiceFlags serving;
  JudgesOptions judges;
  int storage_threads = 4;
};

// `options` outlives the set.
void AddFlags(Options* options, config::FlagSet& flags);

class RegistryServer final : public rpc::RunningService {
 public:
  // Opens the store and listens. `metrics` outlives the server.
  static absl::StatusOr<std::unique_ptr<RegistryServer>> Start(const Options& options,
                                                               rpc::Metrics* metrics);
  ~RegistryServer() override;

  std::vector<std::pair<std::string, std::string>> Endpoints() const override;
  void Drain() override;
  const std::string& address() const { return server_->address(); }

 private:
  RegistryServer(const Options& options, rpc::Metrics* metrics,
                 std::unique_ptr<ThreadPool> executor, std::unique_ptr<kv::Store> kv_store);

  // In order of lifetime: what stands below uses what stands above.
  std::unique_ptr<ThreadPool> executor_;
  std::unique_ptr<kv::Store> kv_store_;
  KvRegistryStore store_;
  Experiments experiments_;
  Judges judges_;
  rpc::Runtime runtime_;
  ExperimentService experiment_service_;
  JudgeRegistryService judge_registry_service_;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace assay::registry

#endif  // ASSAY_SERVICES_REGISTRY_SERVER_H_
