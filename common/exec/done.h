// The one shape of asynchronous answers.
#ifndef ASSAY_COMMON_EXEC_DONE_H_
#define ASSAY_COMMON_EXEC_DONE_H_

#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace assay::inline exec {

// What an asynchronous function calls with its answer: exactly once, never before that function has
// returned to its caller ("never inline"), with no lock held.
template <class T>
using Done = absl::AnyInvocable<void(absl::StatusOr<T>) &&>;
using DoneStatus = absl::AnyInvocable<void(absl::Status) &&>;

namespace internal_done {

template <class Answer>
class Guard {
 public:
  explicit Guard(absl::AnyInvocable<void(Answer) &&> done) : done_(std::move(done)) {}
  Guard(Guard&& other) noexcept : done_(std::exchange(other.done_, nullptr)) {}
  Guard& operator=(Guard&&) = delete;
  ~Guard() {
    if (done_) std::move(done_)(absl::InternalError("the answer was dropped"));
  }
  void operator()(Answer answer) && { std::exchange(done_, nullptr)(std::move(answer)); }

 private:
  absl::AnyInvocable<void(Answer) &&> done_;
};

}  // namespace internal_done

// A Done that, if it is destroyed without having been called, calls `done` with INTERNAL from its
// destructor. For answers that travel through queues that may drop their entries (timers at
// shutdown).
template <class T>
Done<T> EnsureCalled(Done<T> done) {
  return Done<T>(internal_done::Guard<absl::StatusOr<T>>(std::move(done)));
}

}  // namespace assay::inline exec

#endif  // ASSAY_COMMON_EXEC_DONE_H_
