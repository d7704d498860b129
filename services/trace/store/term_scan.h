// The traces that an index term names.
#ifndef ASSAY_SERVICES_TRACE_STORE_TERM_SCAN_H_
#define ASSAY_SERVICES_TRACE_STORE_TERM_SCAN_H_

#include <vector>

#include "absl/status/statusor.h"
#include "common/rocks/scan.h"
#include "services/trace/core/trace_store.h"
#include "services/trace/store/trace_db.h"

namespace assay::trace {

// Where the traces of the request's keys stand, in the order of its scan. The range and its limit are
// of keys::Term. Errors: DATA_LOSS for a key that is none. Blocks. Thread-safe.
absl::StatusOr<std::vector<TracePosition>> ScanTerms(const TraceDb& db,
                                                     const rocks::ScanRequest& request);

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_STORE_TERM_SCAN_H_
