// What the parts of RocksTraceStore that write have in common.
#ifndef ASSAY_SERVICES_TRACE_STORE_TRACE_WRITE_H_
#define ASSAY_SERVICES_TRACE_STORE_TRACE_WRITE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/rocks/committer.h"
#include "common/status/errors.h"
#include "services/trace/store/rocks_trace_store.h"
#include "services/trace/store/trace_keys.h"

namespace assay::trace {

// Attempts before a write that always collides gives up.
inline constexpr int kMaxAttempts = 16;
inline constexpr std::string_view kCollision = "COLLISION";

struct RocksTraceStore::Write {
  rocks::WriteBatch batch;
  std::vector<rocks::Check> checks;
  std::vector<std::string> experiments;  // Remembered once the write is durable.
  bool new_experiments = false;
};

// Refuses the batch unless the key still holds `expected`.
inline rocks::Check StillHolds(keys::Family family, std::string key,
                               std::optional<std::string> expected) {
  return {.family = family,
          .key = std::move(key),
          .test = [expected = std::move(expected)](std::optional<std::string_view> current) {
            const bool same = current.has_value() == expected.has_value() &&
                              (!current.has_value() || *current == *expected);
            if (same) return absl::OkStatus();
            return MakeError(absl::StatusCode::kAborted, kCollision, "another write came first");
          }};
}

inline bool Collided(const absl::Status& status) {
  return status.code() == absl::StatusCode::kAborted && ErrorReason(status) == kCollision;
}

inline absl::Status Contention() {
  return MakeError(absl::StatusCode::kAborted, "CONTENTION",
                   "too many writes to the same traces at once; retry");
}

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_STORE_TRACE_WRITE_H_
