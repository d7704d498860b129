// The one place that turns rocksdb::Status into absl::Status.
#ifndef ASSAY_COMMON_ROCKS_STATUS_H_
#define ASSAY_COMMON_ROCKS_STATUS_H_

#include <string_view>

#include "absl/status/status.h"
#include "rocksdb/status.h"

namespace assay::rocks {

// `what` says what was tried ("commit", "open /data/trace"). Reasons:
//   UNAVAILABLE STORAGE_FULL (no space or quota), UNAVAILABLE STORAGE_CLOSING,
//   DATA_LOSS STORAGE_CORRUPT, NOT_FOUND STORAGE_NOT_FOUND, INTERNAL STORAGE_IO_ERROR (any other
//   error of the disk), INTERNAL STORAGE_ERROR (all else).
absl::Status FromRocks(const rocksdb::Status& status, std::string_view what);

}  // namespace assay::rocks

#endif  // ASSAY_COMMON_ROCKS_STATUS_H_
