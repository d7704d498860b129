// Credentials that somebody hands out for a while.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_TOKEN_SOURCE_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_TOKEN_SOURCE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/exec/done.h"
#include "common/exec/executor.h"
#include "common/http/http_client.h"
#include "common/sync/mutex.h"

namespace assay::judge {

// Never shown to anyone.
struct Credential {
  std::string token;                            // Sent as a bearer token; "" if there is none.
  std::shared_ptr<const http::AwsSigning> aws;  // Signs requests; null if they are not signed.
  absl::Time expires = absl::InfiniteFuture();
};
using CredentialPtr = std::shared_ptr<const Credential>;

// Asks for one. Thread-safe.
class CredentialFetcher {
 public:
  virtual ~CredentialFetcher() = default;
  // Calls `done` exactly once, never inline, within kCredentialTimeout. Errors as ModelClient's:
  // MODEL_UNREACHABLE and MODEL_TIMEOUT, marked retriable; MODEL_UNAUTHORIZED. They hold no secret.
  virtual void Fetch(Done<Credential> done) = 0;
};

inline constexpr absl::Duration kCredentialTimeout = absl::Seconds(10);

// Keeps the newest one. It asks for the next one before the old one runs out, and once for all that
// need one. Made by std::make_shared; thread-safe.
class TokenSource : public std::enable_shared_from_this<TokenSource> {
 public:
  // Executor and clock outlive it and the fetcher's calls.
  TokenSource(std::unique_ptr<CredentialFetcher> fetcher, Executor* executor, Clock* clock)
      : fetcher_(std::move(fetcher)), executor_(executor), clock_(clock) {}

  // The one at hand, null if there is none that holds for a while yet. If it is near its end, the
  // next one is asked for meanwhile.
  CredentialPtr Fresh() ABSL_LOCKS_EXCLUDED(mutex_);

  // A fresh one, asked for if need be. `done` is called exactly once, on the executor.
  void Get(Done<CredentialPtr> done) ABSL_LOCKS_EXCLUDED(mutex_);

  // The provider refused it: it is given to nobody else.
  void Forget(const CredentialPtr& refused) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Fetch();
  void OnFetched(absl::StatusOr<Credential> credential) ABSL_LOCKS_EXCLUDED(mutex_);
  bool IsFresh(absl::Time now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::unique_ptr<CredentialFetcher> fetcher_;
  Executor* const executor_;
  Clock* const clock_;
  Mutex mutex_;
  CredentialPtr credential_ ABSL_GUARDED_BY(mutex_);
  absl::Time refresh_at_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  bool fetching_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Done<CredentialPtr>> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_TOKEN_SOURCE_H_
