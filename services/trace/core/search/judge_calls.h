// Searches leave out the traces that judges make of their own calls, unless they ask for them.
#ifndef ASSAY_SERVICES_TRACE_CORE_SEARCH_JUDGE_CALLS_H_
#define ASSAY_SERVICES_TRACE_CORE_SEARCH_JUDGE_CALLS_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "common/filter/filter.h"

namespace assay::trace {

// A filter of TraceFieldSchema() that holds for no trace of a judge's call, unless `text` itself
// names `metadata.assay_judge_call`. Errors as filter::ParseFilter. Thread-safe.
absl::StatusOr<filter::Filter> ParseTraceFilter(std::string_view text);

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_SEARCH_JUDGE_CALLS_H_
