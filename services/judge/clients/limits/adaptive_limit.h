// How many calls may be under way at a time: as many as the provider takes.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_ADAPTIVE_LIMIT_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_ADAPTIVE_LIMIT_H_

#include <cstdint>

namespace assay::judge {

// Additive increase, multiplicative decrease. Begins at the maximum: whoever has no provider that
// complains is not slowed down. Not thread-safe.
class AdaptiveLimit {
 public:
  explicit AdaptiveLimit(int64_t max);

  // For a call that begins: to be given back to OnSuccess or OnOverload when it ends.
  uint64_t Ticket() const { return decreases_; }

  // A call ended well while `in_flight` were under way, itself included. Raises the limit by a
  // 64th of the maximum (at least by 1) over as many of these as the limit is, if it is in use.
  void OnSuccess(int64_t in_flight);

  // The provider said that it is too much. Halves the limit, unless that happened since the call
  // began: one wave of refusals is one piece of news.
  void OnOverload(uint64_t ticket);

  int64_t limit() const { return static_cast<int64_t>(limit_); }
  int64_t max() const { return max_; }
  bool lowered() const { return limit() < max_; }

 private:
  const int64_t max_;
  const double step_;
  double limit_;
  uint64_t decreases_ = 0;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_ADAPTIVE_LIMIT_H_
