// Numbers for changes, so that they can be told in order although writers commit side by side.
#ifndef ASSAY_SERVICES_FEEDBACK_STORE_SEQUENCE_ALLOCATOR_H_
#define ASSAY_SERVICES_FEEDBACK_STORE_SEQUENCE_ALLOCATOR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "common/sync/mutex.h"

namespace assay::feedback {

// A writer takes its numbers while it writes, and gives its ticket back when the outcome is known:
// committed, and so visible, or not. Settled() then says up to where no number can become visible
// any more; what lies above waits. So writers never wait for each other, commits are grouped, and
// gaps are harmless. Thread-safe.
class SequenceAllocator {
 public:
  // `last` is the last number in use.
  explicit SequenceAllocator(int64_t last) : next_(last + 1) {}

  // The numbers of one attempt to write. Returned when destroyed or replaced. Not thread-safe. Must
  // not outlive the allocator.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(Ticket&& other) noexcept
        : allocator_(std::exchange(other.allocator_, nullptr)), first_(other.first_) {}
    Ticket& operator=(Ticket&& other) noexcept;
    ~Ticket() { Return(); }
    void Return();
    int64_t first() const { return first_; }

   private:
    friend class SequenceAllocator;
    Ticket(SequenceAllocator* allocator, int64_t first) : allocator_(allocator), first_(first) {}
    SequenceAllocator* allocator_ = nullptr;
    int64_t first_ = 0;
  };

  // `count` numbers in a row, at least one.
  Ticket Take(int64_t count) ABSL_LOCKS_EXCLUDED(mutex_);

  // Every number up to this one is visible, or never will be.
  int64_t Settled() const ABSL_LOCKS_EXCLUDED(mutex_);

  // `listener` (empty: nobody) is called after a ticket came back, outside the lock. When
  // SetListener has returned, the one before is not called any more, and is not being called.
  void SetListener(std::function<void()> listener) ABSL_LOCKS_EXCLUDED(listener_mutex_);

 private:
  void Return(int64_t first) ABSL_LOCKS_EXCLUDED(mutex_, listener_mutex_);

  mutable Mutex mutex_;
  int64_t next_ ABSL_GUARDED_BY(mutex_);
  std::set<int64_t> taken_ ABSL_GUARDED_BY(mutex_);  // the first number of each ticket
  Mutex listener_mutex_;
  std::function<void()> listener_ ABSL_GUARDED_BY(listener_mutex_);
};

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_STORE_SEQUENCE_ALLOCATOR_H_
