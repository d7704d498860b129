// Keys of the judge service's store.
//
//   0x01 answer:     principal, method, request id  -> AnswerRecord (24 hours)
//   0x02 evaluation: experiment id, evaluation id   -> EvaluationRecord
//   0x03 row:        evaluation uid, index          -> EvaluationRowRecord
//   0x04 result:     evaluation uid, index          -> EvaluationRowResultRecord
//   0x05 tally:      evaluation uid                 -> EvaluationTallyRecord
//   0x06 running:    evaluation uid                 -> the resource name, while it runs
//   0x07 cached:     SHA-256 of a question          -> CachedAnswerRecord (as long as it is kept)
//   0x08 cache hour: hour, SHA-256 of a question    -> bytes of the entry of 0x07 (as long)
//   0x09 usage:      experiment id, day, judge, model, field -> a counter
//   0x0A budget:     experiment id, budget id       -> BudgetRecord
//   0x0B spent:      experiment id, budget id       -> BudgetStateRecord
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

// `question` has 32 bytes (services/judge/core/cache/cache_key.h).
std::string CachedKey(std::string_view question);

struct CacheHourPosition {
  int64_t hour = 0;  // Since 1970.
  std::string question;
};
std::string CacheHourKey(int64_t hour, std::string_view question);
absl::StatusOr<CacheHourPosition> DecodeCacheHourKey(std::string_view key);
std::string CacheHourKeyPrefix();
std::string CacheHourKeyPrefix(int64_t hour);

struct UsageFieldPosition {
  std::string experiment;
  int64_t day = 0;
  std::string judge;
  std::string model;
  uint8_t field = 0;
};
std::string UsageFieldKey(const UsageFieldPosition& position);
absl::StatusOr<UsageFieldPosition> DecodeUsageFieldKey(std::string_view key);
std::string UsageKeyPrefix();
std::string UsageKeyPrefix(std::string_view experiment);
std::string UsageKeyPrefix(std::string_view experiment, int64_t day);

std::string BudgetKey(std::string_view experiment, std::string_view budget);
std::string BudgetKeyPrefix();
std::string BudgetKeyPrefix(std::string_view experiment);
std::string BudgetStateKey(std::string_view experiment, std::string_view budget);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_STORE_JUDGE_KEYS_H_
