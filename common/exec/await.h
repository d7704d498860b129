// Waiting for an asynchronous answer, for jobs: plain sequential code on a thread of its own.
#ifndef ASSAY_COMMON_EXEC_AWAIT_H_
#define ASSAY_COMMON_EXEC_AWAIT_H_

#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "common/exec/done.h"
#include "common/sync/notification.h"

namespace assay::inline exec {

// Calls `start` with a Done<T> and returns what it answers. Blocks: never on a thread that the
// answer needs.
template <class T, class Start>
absl::StatusOr<T> Await(Start&& start) {
  struct State {
    Notification answered;
    std::optional<absl::StatusOr<T>> answer;
  };
  auto state = std::make_shared<State>();
  std::forward<Start>(start)(EnsureCalled<T>([state](absl::StatusOr<T> answer) {
    state->answer = std::move(answer);
    state->answered.Notify();
  }));
  state->answered.Wait();
  return *std::move(state->answer);
}

}  // namespace assay::inline exec

#endif  // ASSAY_COMMON_EXEC_AWAIT_H_
