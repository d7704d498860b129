// What calls of models consumed.
#ifndef ASSAY_SERVICES_JUDGE_CORE_USAGE_USAGE_COUNTS_H_
#define ASSAY_SERVICES_JUDGE_CORE_USAGE_USAGE_COUNTS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace assay::judge {

// The numbers are stored: they stay as they are.
enum class UsageField : uint8_t {
  kCalls = 0,
  kAttempts = 1,
  kCacheHits = 2,
  kTransientErrors = 3,
  kRateErrors = 4,
  kQuotaErrors = 5,
  kBudgetErrors = 6,
  kPermanentErrors = 7,
  kCancelled = 8,
  kInputTokens = 9,
  kOutputTokens = 10,
  kCachedInputTokens = 11,
  kCostNanos = 12,  // Billionths of a US dollar.
  kUnpricedCalls = 13,
};
inline constexpr size_t kUsageFields = 14;

// Not thread-safe.
struct UsageCounts {
  std::array<int64_t, kUsageFields> values{};

  int64_t& operator[](UsageField field) { return values[static_cast<size_t>(field)]; }
  int64_t operator[](UsageField field) const { return values[static_cast<size_t>(field)]; }
  void Add(const UsageCounts& other) {
    for (size_t i = 0; i < kUsageFields; ++i) values[i] += other.values[i];
  }
};

// Days since 1970-01-01, in UTC.
inline int64_t UsageDay(absl::Time now) {
  return absl::ToCivilDay(now, absl::UTCTimeZone()) - absl::CivilDay(1970, 1, 1);
}
inline absl::CivilDay CivilDayOf(int64_t usage_day) {
  return absl::CivilDay(1970, 1, 1) + usage_day;
}

// What usage is kept by.
struct UsageKey {
  std::string experiment;  // The id; "" if the call is of none.
  int64_t day = 0;         // UsageDay.
  std::string judge;
  std::string model;  // The URI.
  auto operator<=>(const UsageKey&) const = default;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_USAGE_USAGE_COUNTS_H_
