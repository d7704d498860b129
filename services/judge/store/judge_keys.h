// Keys of the judge service's store.
//
//   0x01 answer:     principal, method, request id  -> AnswerRecord (24 hours)
//   0x02 evaluation: experiment id, evaluation id   -> EvaluationRecord
//   0x03 row:        evaluation uid, index          -> EvaluationRowRecord
//   0x04 result:     evaluation uid, index          -> EvaluationRowResultRecord
//   0x05 tally:      evaluation uid                 -> EvaluationTallyRecord
//   0x06 running:    evaluation uid                 -> the resource name, while it runs
// Journals of running evaluations (common/kv/kv_journal.h) and request records lie beside them.
#ifndef ASSAY_SERVICES_JUDGE_STORE_JUDGE_KEYS_H_
#define ASSAY_SERVICES_JUDGE_STORE_JUDGE_KEYS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/names/resource_name.h"
#include "common/request/request_key.h"

namespace assay::judge {

// Thread-safe, as all here. Decoders give DATA_LOSS for anything but a key of their kind.

// Of the key, only principal, method and request id.
std::string AnswerKey(const RequestKey& key);
absl::StatusOr<RequestKey> DecodeAnswerKey(std::string_view key);

std::string EvaluationKey(const names::EvaluationName& name);
absl::StatusOr<names::EvaluationName> DecodeEvaluationKey(std::string_view key);
std::string EvaluationKeyPrefix(std::string_view experiment);

struct RowPosition {
  std::string uid;
  int64_t index = 0;
};
std::string RowKey(std::string_view uid, int64_t index);
absl::StatusOr<RowPosition> DecodeRowKey(std::string_view key);
std::string RowKeyPrefix(std::string_view uid);

std::string ResultKey(std::string_view uid, int64_t index);
absl::StatusOr<RowPosition> DecodeResultKey(std::string_view key);

std::string TallyKey(std::string_view uid);
absl::StatusOr<std::string> DecodeTallyKey(std::string_view key);

std::string RunningKey(std::string_view uid);
absl::StatusOr<std::string> DecodeRunningKey(std::string_view key);
std::string RunningKeyPrefix();

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_STORE_JUDGE_KEYS_H_
