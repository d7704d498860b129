// The value of a counter that Batch::Add maintains: int64 in two's complement, 8 bytes,
// little-endian.
#ifndef ASSAY_COMMON_KV_COUNTER_H_
#define ASSAY_COMMON_KV_COUNTER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace assay::kv {

std::string EncodeCounter(int64_t value);

// DATA_LOSS unless exactly 8 bytes.
absl::StatusOr<int64_t> DecodeCounter(std::string_view value);

// What a Get of a counter means: an absent counter is 0.
absl::StatusOr<int64_t> CounterOrZero(const std::optional<std::string>& value);

// The rule of Batch::Add for values without an expiry: what is not a counter counts as 0; overflow
// wraps.
int64_t AddToCounter(const std::optional<std::string>& value, int64_t delta);

}  // namespace assay::kv

#endif  // ASSAY_COMMON_KV_COUNTER_H_
