// Tells work that nobody waits for it any more.
#ifndef ASSAY_COMMON_EXEC_CANCELLATION_H_
#define ASSAY_COMMON_EXEC_CANCELLATION_H_

#include <memory>
#include <stop_token>
#include <utility>

#include "absl/functional/any_invocable.h"

namespace assay::inline exec {

// Cancelled at most once, never un-cancelled. Shared by the caller and the work. Thread-safe.
class CancellationToken {
 public:
  using Callback = absl::AnyInvocable<void() &&>;

  // Keeps a callback registered. When the registration is destroyed, the callback will not run any
  // more, and does not run any more: if another thread is inside it, the destructor waits for it.
  class Registration {
   public:
    Registration() = default;
    Registration(Registration&&) noexcept = default;
    Registration& operator=(Registration&&) noexcept = default;

   private:
    friend class CancellationToken;
    explicit Registration(std::unique_ptr<std::stop_callback<Callback>> callback)
        : callback_(std::move(callback)) {}
    std::unique_ptr<std::stop_callback<Callback>> callback_;
  };

  // Runs the registered callbacks on this thread. A second call does nothing.
  void Cancel() { source_.request_stop(); }

  bool IsCancelled() const { return source_.stop_requested(); }

  // Runs `callback` once when the token is cancelled, on the cancelling thread; at once, on this
  // thread, if it is already. The callback must be short, and must not block.
  [[nodiscard]] Registration OnCancel(Callback callback) const {
    return Registration(
        std::make_unique<std::stop_callback<Callback>>(source_.get_token(), std::move(callback)));
  }

 private:
  std::stop_source source_;
};

}  // namespace assay::inline exec

#endif  // ASSAY_COMMON_EXEC_CANCELLATION_H_
