#include "common/kv/batch.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/errors.h"

namespace assay::kv {
namespace {

constexpr size_t kEntryOverhead = 32;

absl::Status ValidateKey(const std::string& key) {
  if (key.empty() || key.size() > kMaxKeyBytes) {
    return MakeError(absl::StatusCode::kInvalidArgument, "INVALID_KEY",
                     absl::StrCat("a storage key of ", key.size(), " bytes; 1 to ", kMaxKeyBytes,
                                  " are allowed"));
  }
  return absl::OkStatus();
}

}  // namespace

void Batch::CheckEquals(std::string key, std::string expected) {
  CheckIs(std::move(key), std::move(expected));
}

void Batch::CheckAbsent(std::string key) { CheckIs(std::move(key), std::nullopt); }

void Batch::CheckIs(std::string key, std::optional<std::string> expected) {
  bytes_ += key.size() + (expected.has_value() ? expected->size() : 0) + kEntryOverhead;
  checks_.push_back({std::move(key), std::move(expected)});
}

void Batch::Put(std::string key, std::string value, absl::Time expires_at) {
  bytes_ += key.size() + value.size() + kEntryOverhead;
  operations_.push_back({.kind = Kind::kPut,
                         .key = std::move(key),
                         .value = std::move(value),
                         .expires_at = expires_at});
}

void Batch::Delete(std::string key) {
  bytes_ += key.size() + kEntryOverhead;
  operations_.push_back({.kind = Kind::kDelete, .key = std::move(key)});
}

void Batch::Add(std::string key, int64_t delta) {
  bytes_ += key.size() + kEntryOverhead;
  operations_.push_back({.kind = Kind::kAdd, .key = std::move(key), .delta = delta});
}

absl::Status Batch::Validate() const {
  for (const Check& check : checks_) {
    if (absl::Status valid = ValidateKey(check.key); !valid.ok()) return valid;
  }
  for (const Operation& operation : operations_) {
    if (absl::Status valid = ValidateKey(operation.key); !valid.ok()) return valid;
  }
  if (bytes_ > kMaxBatchBytes) {
    return MakeError(
        absl::StatusCode::kResourceExhausted, "BATCH_TOO_LARGE",
        absl::StrCat("one write of ", bytes_, " bytes; at most ", kMaxBatchBytes, " are allowed"));
  }
  return absl::OkStatus();
}

}  // namespace assay::kv
