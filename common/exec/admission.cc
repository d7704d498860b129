#include "common/exec/admission.h"

#include <algorithm>

namespace assay::inline exec {

Admission& Admission::operator=(Admission&& other) noexcept {
  if (this != &other) {
    Release();
    in_use_ = std::move(other.in_use_);
    cost_ = std::exchange(other.cost_, 0);
  }
  return *this;
}

void Admission::Release() {
  if (in_use_ != nullptr) in_use_->fetch_sub(cost_, std::memory_order_relaxed);
  in_use_ = nullptr;
  cost_ = 0;
}

AdmissionGate::AdmissionGate(int64_t limit)
    : limit_(limit), in_use_(std::make_shared<std::atomic<int64_t>>(0)) {}

std::optional<Admission> AdmissionGate::TryEnter(int64_t cost) {
  cost = std::max<int64_t>(cost, 0);
  int64_t in_use = in_use_->load(std::memory_order_relaxed);
  do {
    if (cost > limit_ || in_use > limit_ - cost) return std::nullopt;
  } while (!in_use_->compare_exchange_weak(in_use, in_use + cost, std::memory_order_relaxed));
  return Admission(in_use_, cost);
}

}  // namespace assay::inline exec
