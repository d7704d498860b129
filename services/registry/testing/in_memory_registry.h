// A registry store in memory, and a way to wait for answers; for tests.
#ifndef ASSAY_SERVICES_REGISTRY_TESTING_IN_MEMORY_REGISTRY_H_
#define ASSAY_SERVICES_REGISTRY_TESTING_IN_MEMORY_REGISTRY_H_

#include <functional>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock/fake_clock.h"
#include "common/exec/executor.h"
#include "common/kv/testing/memory_store.h"
#include "common/sync/notification.h"
#include "services/registry/store/kv_registry_store.h"

namespace assay::registry {

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

struct InMemoryRegistry {
  FakeClock clock{absl::FromUnixSeconds(1'800'000'000)};
  ThreadPool executor{"registry", 2};
  kv::MemoryStore kv_store{executor, clock};
  KvRegistryStore store{kv_store, executor, clock};

  ~InMemoryRegistry() { executor.Shutdown(); }
};

}  // namespace assay::registry

#endif  // ASSAY_SERVICES_REGISTRY_TESTING_IN_MEMORY_REGISTRY_H_
