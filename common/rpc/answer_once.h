// Makes the Done that a handler gets forgiving: a second answer is dropped, a missing one becomes
// INTERNAL.
#ifndef ASSAY_COMMON_RPC_ANSWER_ONCE_H_
#define ASSAY_COMMON_RPC_ANSWER_ONCE_H_

#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/exec/done.h"

namespace assay::rpc {

namespace internal_answer_once {

absl::Status DroppedAnswer(
    const std::string& method);  // Logs, and returns INTERNAL ANSWER_DROPPED.
void LogSecondAnswer(const std::string& method);

template <class T>
class AnswerOnce {
 public:
  AnswerOnce(std::string method, absl::AnyInvocable<void(absl::StatusOr<T>) &&> sink)
      : method_(std::move(method)), sink_(std::move(sink)) {}
  AnswerOnce(AnswerOnce&& other) noexcept
      : method_(std::move(other.method_)),
        sink_(std::exchange(other.sink_, nullptr)),
        owes_(std::exchange(other.owes_, false)) {}
  AnswerOnce& operator=(AnswerOnce&&) = delete;
  ~AnswerOnce() {
    if (owes_) std::move(sink_)(DroppedAnswer(method_));
  }

  void operator()(absl::StatusOr<T> answer) {
    if (!std::exchange(owes_, false)) {
      LogSecondAnswer(method_);
      return;
    }
    std::move(sink_)(std::move(answer));
  }

 private:
  std::string method_;
  absl::AnyInvocable<void(absl::StatusOr<T>) &&> sink_;
  bool owes_ = true;
};

}  // namespace internal_answer_once

// Calls `sink` exactly once, whatever the holder does.
template <class T>
Done<T> AnswerOnce(std::string method, absl::AnyInvocable<void(absl::StatusOr<T>) &&> sink) {
  return Done<T>(internal_answer_once::AnswerOnce<T>(std::move(method), std::move(sink)));
}

}  // namespace assay::rpc

#endif  // ASSAY_COMMON_RPC_ANSWER_ONCE_H_
