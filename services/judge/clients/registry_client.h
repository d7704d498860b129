// The registry over gRPC, with a memory of revisions.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_REGISTRY_CLIENT_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_REGISTRY_CLIENT_H_

#include <grpcpp/channel.h>

#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "assay/registry/v1/judge_registry_service.grpc.pb.h"
#include "common/rpc/retry.h"
#include "common/sync/mutex.h"
#include "services/judge/core/calls/registry_port.h"

namespace assay::judge {

// Revisions never change: the ones that were used last are kept, by their full names, as many as
// fit `cache_bytes`. Aliases and bare names are asked for each time. Thread-safe.
class RegistryClient final : public RegistryPort {
 public:
  // `retries` is copied; what it points to outlives the client's calls. `address` is for errors.
  RegistryClient(const std::shared_ptr<grpc::Channel>& channel, const std::string& address,
                 rpc::RetryEnvironment retries, size_t cache_bytes = size_t{32} << 20);

  void GetRevision(std::string name, CallContext context,
                   Done<std::shared_ptr<const registry::v1::JudgeRevision>> done) override
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using RevisionPtr = std::shared_ptr<const registry::v1::JudgeRevision>;
  using Order = std::list<std::pair<std::string, RevisionPtr>>;  // The one used last is in front.

  RevisionPtr Find(const std::string& name) ABSL_LOCKS_EXCLUDED(mutex_);
  void Keep(const RevisionPtr& revision) ABSL_LOCKS_EXCLUDED(mutex_);

  const std::unique_ptr<registry::v1::JudgeRegistryService::Stub> stub_;
  const std::string peer_;
  const rpc::RetryEnvironment retries_;
  const size_t cache_bytes_;
  Mutex mutex_;
  Order order_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Order::iterator> by_name_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_REGISTRY_CLIENT_H_
