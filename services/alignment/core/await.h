// Waiting for one asynchronous answer, on a thread that may block.
#ifndef ASSAY_SERVICES_ALIGNMENT_CORE_AWAIT_H_
#define ASSAY_SERVICES_ALIGNMENT_CORE_AWAIT_H_

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "common/exec/done.h"
#include "common/sync/notification.h"

namespace assay::alignment {

// Runs `call` with a Done and returns its answer. Never from a thread that the answer needs.
// Thread-safe.
template <class T>
absl::StatusOr<T> Await(const std::function<void(Done<T>)>& call) {
  struct State {
    Notification answered;
    std::optional<absl::StatusOr<T>> answer;
  };
  auto state = std::make_shared<State>();
  call(EnsureCalled<T>([state](absl::StatusOr<T> value) {
    state->answer.emplace(std::move(value));
    state->answered.Notify();
  }));
  state->answered.Wait();
  return *std::move(state->answer);
}

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_CORE_AWAIT_H_
