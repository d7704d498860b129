// Paid answers on a key-value store.
#ifndef ASSAY_SERVICES_JUDGE_STORE_KV_ANSWER_STORE_H_
#define ASSAY_SERVICES_JUDGE_STORE_KV_ANSWER_STORE_H_

#include <optional>
#include <string>

#include "common/clock/clock.h"
#include "common/kv/store.h"
#include "services/judge/core/calls/answer_store.h"

namespace assay::judge {

class KvAnswerStore final : public AnswerStore {
 public:
  // Both outlive it and the `done`s of its writes.
  KvAnswerStore(kv::Store& store, Clock& clock) : store_(store), clock_(clock) {}

  // INVALID_ARGUMENT also for a request id of more than 128 bytes.
  absl::StatusOr<std::optional<std::string>> Find(const RequestKey& key) const override;
  void Record(RequestKey key, std::string answer, DoneStatus done) override;

 private:
  kv::Store& store_;
  Clock& clock_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_STORE_KV_ANSWER_STORE_H_
