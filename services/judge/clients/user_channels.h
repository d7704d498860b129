// Channels to the addresses of users' servers.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_USER_CHANNELS_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_USER_CHANNELS_H_

#include <grpcpp/channel.h>

#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/sync/mutex.h"

namespace assay::judge {

// One channel for each address, or two (one of them encrypted), the last kMaxChannels of them. Thread-safe.
class UserChannels {
 public:
  static constexpr size_t kMaxChannels = 64;

  // Addresses other than loopback are refused unless `allow_remote`. Encrypted channels trust
  // `tls_roots` (PEM), or the system's authorities if it is "".
  explicit UserChannels(bool allow_remote, std::string tls_roots = "")
      : allow_remote_(allow_remote), tls_roots_(std::move(tls_roots)) {}

  // OK for `host:port` that may be called; else INVALID_ARGUMENT whose message says what is
  // allowed.
  absl::Status Check(std::string_view address) const;

  // Errors as Check. The channel connects lazily.
  absl::StatusOr<std::shared_ptr<grpc::Channel>> Get(const std::string& address, bool tls = false)
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using Key = std::pair<std::string, bool>;  // Address, and whether it is encrypted.
  using Order = std::list<std::pair<Key, std::shared_ptr<grpc::Channel>>>;

  const bool allow_remote_;
  const std::string tls_roots_;
  Mutex mutex_;
  Order order_ ABSL_GUARDED_BY(mutex_);  // The one used last is in front.
  std::map<Key, Order::iterator> by_key_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_USER_CHANNELS_H_
