#include "services/judge/store/judge_keys.h"

#include "common/kv/keys.h"
#include "common/status/status_macros.h"

namespace assay::judge {
namespace {

constexpr uint8_t kAnswer = 0x01;
constexpr uint8_t kEvaluation = 0x02;
constexpr uint8_t kRow = 0x03;
constexpr uint8_t kResult = 0x04;
constexpr uint8_t kTally = 0x05;
constexpr uint8_t kRunning = 0x06;
constexpr uint8_t kCached = 0x07;
constexpr uint8_t kCacheHour = 0x08;
constexpr uint8_t kUsage = 0x09;
constexpr uint8_t kBudget = 0x0A;
constexpr uint8_t kBudgetState = 0x0B;
constexpr size_t kQuestionBytes = 32;

std::string PositionKey(uint8_t kind, std::string_view uid, int64_t index) {
  return kv::KeyBuilder().Kind(kind).String(uid).Int64(index).Build();
}

absl::StatusOr<RowPosition> DecodePosition(uint8_t kind, std::string_view key) {
  RowPosition position;
  kv::KeyReader reader(key);
  reader.Kind(kind).String(&position.uid).Int64(&position.index);
  ASSAY_RETURN_IF_ERROR(reader.Finish());
  return position;
}

std::string UidKey(uint8_t kind, std::string_view uid) {
  return kv::KeyBuilder().Kind(kind).String(uid).Build();
}

absl::StatusOr<std::string> DecodeUid(uint8_t kind, std::string_view key) {
  std::string uid;
  kv::KeyReader reader(key);
  reader.Kind(kind).String(&uid);
  ASSAY_RETURN_IF_ERROR(reader.Finish());
  return uid;
}

}  // namespace

std::string AnswerKey(const RequestKey& key) {
  return kv::KeyBuilder()
      .Kind(kAnswer)
      .String(key.principal)
      .String(key.method)
      .String(key.request_id)
      .Build();
}

absl::StatusOr<RequestKey> DecodeAnswerKey(std::string_view key) {
  RequestKey decoded;
  kv::KeyReader reader(key);
  reader.Kind(kAnswer)
      .String(&decoded.principal)
      .String(&decoded.method)
      .String(&decoded.request_id);
  ASSAY_RETURN_IF_ERROR(reader.Finish());
  return decoded;
}

std::string EvaluationKey(const names::EvaluationName& name) {
  return kv::KeyBuilder().Kind(kEvaluation).String(name.experiment).String(name.evaluation).Build();
}

absl::StatusOr<names::EvaluationName> DecodeEvaluationKey(std::string_view key) {
  names::EvaluationName name;
  kv::KeyReader reader(key);
  reader.Kind(kEvaluation).String(&name.experiment).String(&name.evaluation);
  ASSAY_RETURN_IF_ERROR(reader.Finish());
  return name;
}

std::string EvaluationKeyPrefix(std::string_view experiment) {
  return kv::KeyBuilder().Kind(kEvaluation).String(experiment).Build();
}

std::string RowKey(std::string_view uid, int64_t index) { return PositionKey(kRow, uid, index); }
absl::StatusOr<RowPosition> DecodeRowKey(std::string_view key) { return DecodePosition(kRow, key); }
std::string RowKeyPrefix(std::string_view uid) { return UidKey(kRow, uid); }

std::string ResultKey(std::string_view uid, int64_t index) {
  return PositionKey(kResult, uid, index);
}
absl::StatusOr<RowPosition> DecodeResultKey(std::string_view key) {
  return DecodePosition(kResult, key);
}

std::string TallyKey(std::string_view uid) { return UidKey(kTally, uid); }
absl::StatusOr<std::string> DecodeTallyKey(std::string_view key) { return DecodeUid(kTally, key); }

std::string RunningKey(std::string_view uid) { return UidKey(kRunning, uid); }
absl::StatusOr<std::string> DecodeRunningKey(std::string_view key) {
  return DecodeUid(kRunning, key);
}
std::string RunningKeyPrefix() { return kv::KeyBuilder().Kind(kRunning).Build(); }

std::string CachedKey(std::string_view question) {
  return kv::KeyBuilder().Kind(kCached).Raw(question).Build();
}

std::string CacheHourKey(int64_t hour, std::string_view question) {
  return kv::KeyBuilder().Kind(kCacheHour).Int64(hour).Raw(question).Build();
}
absl::StatusOr<CacheHourPosition> DecodeCacheHourKey(std::string_view key) {
  CacheHourPosition position;
  kv::KeyReader reader(key);
  reader.Kind(kCacheHour).Int64(&position.hour).Raw(kQuestionBytes, &position.question);
  ASSAY_RETURN_IF_ERROR(reader.Finish());
  return position;
}
std::string CacheHourKeyPrefix() { return kv::KeyBuilder().Kind(kCacheHour).Build(); }
std::string CacheHourKeyPrefix(int64_t hour) {
  return kv::KeyBuilder().Kind(kCacheHour).Int64(hour).Build();
}

std::string UsageFieldKey(const UsageFieldPosition& position) {
  return kv::KeyBuilder()
      .Kind(kUsage)
      .String(position.experiment)
      .Int64(position.day)
      .String(position.judge)
      .String(position.model)
      .Byte(position.field)
      .Build();
}
absl::StatusOr<UsageFieldPosition> DecodeUsageFieldKey(std::string_view key) {
  UsageFieldPosition position;
  kv::KeyReader reader(key);
  reader.Kind(kUsage)
      .String(&position.experiment)
      .Int64(&position.day)
      .String(&position.judge)
      .String(&position.model)
      .Byte(&position.field);
  ASSAY_RETURN_IF_ERROR(reader.Finish());
  return position;
}
std::string UsageKeyPrefix() { return kv::KeyBuilder().Kind(kUsage).Build(); }
std::string UsageKeyPrefix(std::string_view experiment) {
  return kv::KeyBuilder().Kind(kUsage).String(experiment).Build();
}
std::string UsageKeyPrefix(std::string_view experiment, int64_t day) {
  return kv::KeyBuilder().Kind(kUsage).String(experiment).Int64(day).Build();
}

std::string BudgetKey(std::string_view experiment, std::string_view budget) {
  return kv::KeyBuilder().Kind(kBudget).String(experiment).String(budget).Build();
}
std::string BudgetKeyPrefix() { return kv::KeyBuilder().Kind(kBudget).Build(); }
std::string BudgetKeyPrefix(std::string_view experiment) {
  return kv::KeyBuilder().Kind(kBudget).String(experiment).Build();
}
std::string BudgetStateKey(std::string_view experiment, std::string_view budget) {
  return kv::KeyBuilder().Kind(kBudgetState).String(experiment).String(budget).Build();
}

}  // namespace assay::judge
