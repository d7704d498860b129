// A regular expression over everything that the spans of a trace say.
#ifndef ASSAY_SERVICES_JUDGE_CORE_AGENT_TRACE_SEARCH_H_
#define ASSAY_SERVICES_JUDGE_CORE_AGENT_TRACE_SEARCH_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "services/judge/core/agent/trace_index.h"

namespace assay::judge {

inline constexpr size_t kMaxSearchPatternBytes = 1'000;

struct TraceSearch {
  std::string pattern;  // RE2; case makes no difference.
  size_t max_matches = 50;
  size_t surrounding = 100;  // Bytes before and after each match.
  size_t max_bytes = 100'000;
};

// The members `matches`, `total_matches` and `more_matches` of a JSON object. Counting ends at
// 10,000. Errors: INVALID_ARGUMENT whose message says what is wrong with the pattern. Thread-safe.
absl::StatusOr<std::string> SearchTrace(const TraceIndex& index, const TraceSearch& search);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_AGENT_TRACE_SEARCH_H_
