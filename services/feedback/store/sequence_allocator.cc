#include "services/feedback/store/sequence_allocator.h"

namespace assay::feedback {

SequenceAllocator::Ticket& SequenceAllocator::Ticket::operator=(Ticket&& other) noexcept {
  if (this == &other) return *this;
  Return();
  allocator_ = std::exchange(other.allocator_, nullptr);
  first_ = other.first_;
  return *this;
}

void SequenceAllocator::Ticket::Return() {
  if (SequenceAllocator* allocator = std::exchange(allocator_, nullptr)) allocator->Return(first_);
}

SequenceAllocator::Ticket SequenceAllocator::Take(int64_t count) {
  MutexLock lock(&mutex_);
  const int64_t first = next_;
  next_ += count;
  taken_.insert(first);
  return Ticket(this, first);
}

int64_t SequenceAllocator::Settled() const {
  MutexLock lock(&mutex_);
  return (taken_.empty() ? next_ : *taken_.begin()) - 1;
}

void SequenceAllocator::SetListener(std::function<void()> listener) {
  MutexLock lock(&listener_mutex_);
  listener_ = std::move(listener);
}

void SequenceAllocator::Return(int64_t first) {
  {
    MutexLock lock(&mutex_);
    taken_.erase(first);
  }
  // Held during the call, so that nobody is called after SetListener has taken him off.
  MutexLock lock(&listener_mutex_);
  if (listener_) listener_();
}

}  // namespace assay::feedback
