// A feedback store in memory, and a way to wait for answers; for tests.
#ifndef ASSAY_SERVICES_FEEDBACK_TESTING_IN_MEMORY_FEEDBACK_H_
#define ASSAY_SERVICES_FEEDBACK_TESTING_IN_MEMORY_FEEDBACK_H_

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock/fake_clock.h"
#include "common/exec/executor.h"
#include "common/kv/testing/memory_store.h"
#include "common/sync/notification.h"
#include "services/feedback/store/kv_feedback_store.h"

namespace assay::feedback {

// Runs `call` with a Done and returns what it answered.
template <class T>
absl::StatusOr<T> Await(const std::function<void(Done<T>)>& call) {
  Notification answered;
  std::optional<absl::StatusOr<T>> answer;
  call([&](absl::StatusOr<T> value) {
    answer = std::move(value);
    answered.Notify();
  });
  if (!answered.WaitFor(absl::Seconds(30))) return absl::DeadlineExceededError("no answer");
  return *std::move(answer);
}

struct InMemoryFeedback {
  FakeClock clock{absl::FromUnixSeconds(1'800'000'000)};
  ThreadPool executor{"feedback", 2};
  kv::MemoryStore kv_store{executor, clock};
  std::unique_ptr<KvFeedbackStore> store = *KvFeedbackStore::Open(kv_store, executor, clock);

  ~InMemoryFeedback() { executor.Shutdown(); }
};

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_TESTING_IN_MEMORY_FEEDBACK_H_
