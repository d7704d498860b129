// Pages of an experiment's traces.
#ifndef ASSAY_SERVICES_TRACE_CORE_TRACE_SEARCH_H_
#define ASSAY_SERVICES_TRACE_CORE_TRACE_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "common/filter/filter.h"
#include "services/trace/core/trace_store.h"

namespace assay::trace {

struct SearchOptions {
  size_t max_scanned = 10'000;  // Index entries and traces read for one page.
};

struct SearchRequest {
  std::string experiment;
  filter::Filter filter;  // Of TraceFieldSchema().
  bool newest_first = true;
  size_t page_size = 50;
  std::optional<TracePosition> after;  // Where the page before ended.
  v1::TraceView view = v1::TRACE_VIEW_BASIC;
};

struct SearchPage {
  std::vector<v1::Trace> traces;
  std::optional<TracePosition> next;  // Nullopt on the last page.
  int64_t scanned = 0;
};

// Blocks. `keep_going` is asked between steps of bounded work; its error ends the search. A filter
// that needs an assessment is answered from the index of assessments if no more than max_scanned
// traces have one of that name, else by a walk through the experiment. Thread-safe, as all here.
absl::StatusOr<SearchPage> SearchTraces(const TraceStore& store, const SearchRequest& request,
                                        const SearchOptions& options,
                                        absl::FunctionRef<absl::Status()> keep_going);

// Positions as they stand in page tokens; DATA_LOSS for bytes that are not one.
std::string EncodePosition(const TracePosition& position);
absl::StatusOr<TracePosition> DecodePosition(std::string_view bytes);

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_TRACE_SEARCH_H_
