// Answers that were paid for, by request id.
#ifndef ASSAY_SERVICES_JUDGE_CORE_CALLS_ANSWER_STORE_H_
#define ASSAY_SERVICES_JUDGE_CORE_CALLS_ANSWER_STORE_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/exec/done.h"
#include "common/request/request_key.h"

namespace assay::judge {

// Thread-safe. Implementation: KvAnswerStore (services/judge/store).
class AnswerStore {
 public:
  virtual ~AnswerStore() = default;

  // The answer recorded under the key within the last 24 hours, or nullopt. INVALID_ARGUMENT
  // (REQUEST_ID_REUSED) if it was recorded for another body. Blocks on storage.
  virtual absl::StatusOr<std::optional<std::string>> Find(const RequestKey& key) const = 0;

  // Durable before `done`, which is called exactly once, never inline. Recording again replaces.
  virtual void Record(RequestKey key, std::string answer, DoneStatus done) = 0;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_CALLS_ANSWER_STORE_H_
