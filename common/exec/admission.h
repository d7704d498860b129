// Bounds how much work is inside: the only place where work is refused.
#ifndef ASSAY_COMMON_EXEC_ADMISSION_H_
#define ASSAY_COMMON_EXEC_ADMISSION_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace assay::inline exec {

// The right to be inside; gives its cost back when destroyed. Movable; may outlive the gate. An
// instance is not thread-safe, but different tickets of one gate may be used by different threads.
class Admission {
 public:
  Admission(Admission&& other) noexcept
      : in_use_(std::move(other.in_use_)), cost_(std::exchange(other.cost_, 0)) {}
  Admission& operator=(Admission&& other) noexcept;
  ~Admission() { Release(); }

  // Gives the cost back now. Harmless a second time.
  void Release();
  int64_t cost() const { return cost_; }

 private:
  friend class AdmissionGate;
  Admission(std::shared_ptr<std::atomic<int64_t>> in_use, int64_t cost)
      : in_use_(std::move(in_use)), cost_(cost) {}

  std::shared_ptr<std::atomic<int64_t>> in_use_;
  int64_t cost_ = 0;
};

// Lets work in while the sum of its costs (items, bytes) stays within `limit`. Thread-safe,
// lock-free.
class AdmissionGate {
 public:
  explicit AdmissionGate(int64_t limit);

  // nullopt if it does not fit now; answer with Overloaded(). A cost above the limit never fits; a
  // cost below zero counts as zero.
  std::optional<Admission> TryEnter(int64_t cost = 1);

  int64_t in_use() const { return in_use_->load(std::memory_order_relaxed); }
  int64_t limit() const { return limit_; }

 private:
  const int64_t limit_;
  const std::shared_ptr<std::atomic<int64_t>> in_use_;
};

}  // namespace assay::inline exec

#endif  // ASSAY_COMMON_EXEC_ADMISSION_H_
