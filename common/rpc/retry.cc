#include "common/rpc/retry.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "absl/base/thread_annotations.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"
#include "common/sync/mutex.h"

namespace assay::rpc {
namespace {

class RandomNumbers {
 public:
  double Next() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    return distribution_(generator_);
  }

 private:
  Mutex mutex_;
  std::mt19937_64 generator_ ABSL_GUARDED_BY(mutex_){std::random_device()()};
  std::uniform_real_distribution<double> distribution_ ABSL_GUARDED_BY(mutex_){0.0, 1.0};
};

}  // namespace

Jitter RandomJitter() {
  // One for all: seeding costs more than a call.
  static RandomNumbers* const numbers = new RandomNumbers;
  return [] { return numbers->Next(); };
}

std::optional<absl::Duration> NextBackoff(const RetryPolicy& policy, const absl::Status& status,
                                          int attempts_made, absl::Duration remaining,
                                          const Jitter& jitter) {
  if (status.code() != absl::StatusCode::kUnavailable) return std::nullopt;
  if (attempts_made >= policy.max_attempts) return std::nullopt;
  const absl::Duration ceiling =
      std::min(policy.max_backoff, policy.initial_backoff *
                                       std::pow(policy.multiplier, std::max(attempts_made - 1, 0)));
  const absl::Duration floor = RetryAfter(status).value_or(absl::ZeroDuration());
  const absl::Duration wait = floor + ceiling * jitter();
  if (wait >= remaining) return std::nullopt;
  return wait;
}

namespace internal_retry {

absl::Status WithAttempts(absl::Status status, int attempts) {
  if (attempts < 2) return status;
  return AddErrorMetadata(std::move(status), "attempts", StrCat(attempts));
}

}  // namespace internal_retry

}  // namespace assay::rpc
