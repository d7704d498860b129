// Walks over the index by time or by a term: the traces that stand there by themselves and in groups,
// in one order.
#ifndef ASSAY_SERVICES_TRACE_STORE_INDEX_SCAN_H_
#define ASSAY_SERVICES_TRACE_STORE_INDEX_SCAN_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/trace/core/search/trace_index.h"
#include "services/trace/store/trace_db.h"

namespace assay::trace {

struct PositionScan {
  std::string prefix;  // keys::TimePrefix or keys::TermPrefix.
  StartRange starts;
  std::optional<TracePosition> after;  // Begins behind this one, in the direction of the scan.
  bool newest_first = true;
  uint64_t horizon_ms = 0;  // What was bound before is left out.
  // Traces of groups that are held in memory until their turn comes. Where more would be, as their
  // starts are all the same, the index is read once more for those behind.
  size_t max_held = 65'536;
};

// Calls `visit` with each trace, in the order of ComesBefore and each once, until it returns false. An entry is a
// hint: see index_terms.h. Errors: DATA_LOSS for an entry that cannot be read. Blocks. Thread-safe.
absl::Status ScanPositions(const TraceDb& db, const PositionScan& scan,
                           absl::FunctionRef<bool(const TracePosition& position)> visit);

// The first `limit` of them.
absl::StatusOr<std::vector<TracePosition>> ReadPositions(const TraceDb& db,
                                                         const PositionScan& scan, size_t limit);

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_STORE_INDEX_SCAN_H_
