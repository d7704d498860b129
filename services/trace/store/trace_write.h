// A write to the trace store: what is to be changed in one step, and under which conditions.
#ifndef ASSAY_SERVICES_TRACE_STORE_TRACE_WRITE_H_
#define ASSAY_SERVICES_TRACE_STORE_TRACE_WRITE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "assay/storage/v1/trace_records.pb.h"
#include "common/rocks/committer.h"
#include "common/status/errors.h"
#include "services/trace/store/trace_keys.h"

namespace assay::trace {

// Attempts before a write that always collides gives up.
inline constexpr int kMaxAttempts = 16;
inline constexpr std::string_view kCollision = "COLLISION";

struct TraceWrite {
  rocks::WriteBatch batch;
  std::vector<rocks::Check> checks;
  // For watchers: TraceDb gives them their places in the feed and puts them into the batch.
  std::vector<storage::v1::FeedRecord> feed;
  // Experiments whose number stands in the batch.
  std::vector<std::string> numbered;
};

// What watchers are told of a completed trace.
inline storage::v1::FeedRecord CompletionEvent(const std::string& experiment, const TraceId& trace,
                                               const storage::v1::CompletionRecord& completion) {
  storage::v1::FeedRecord event;
  event.set_schema_version(1);
  event.set_experiment(experiment);
  event.set_time_ms(completion.complete_ms());
  event.mutable_trace_completed()->set_trace_id(std::string(trace.bytes()));
  event.mutable_trace_completed()->set_generation(completion.generation());
  return event;
}

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
