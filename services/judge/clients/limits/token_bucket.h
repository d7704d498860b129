// A rate per minute.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_TOKEN_BUCKET_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_TOKEN_BUCKET_H_

#include "absl/time/time.h"

namespace assay::judge {

// Fills evenly, up to what five seconds bring. Takes estimates and corrects them later, below zero
// too. Not thread-safe.
class TokenBucket {
 public:
  // 0: no limit.
  TokenBucket(double per_minute, absl::Time now);

  bool limited() const { return per_second_ > 0; }

  // How long until `amount` can be taken; zero if now. What is more than the bucket holds is let
  // through when the bucket is full, and leaves it below zero.
  absl::Duration WaitFor(double amount, absl::Time now);
  void Take(double amount) { level_ -= limited() ? amount : 0; }
  // Gives back, or takes more if negative, once the true amount is known.
  void Correct(double amount);

 private:
  void Fill(absl::Time now);

  const double per_second_;
  const double capacity_;
  double level_;
  absl::Time filled_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_TOKEN_BUCKET_H_
