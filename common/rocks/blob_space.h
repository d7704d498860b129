// Brings back the room of values that stand in blob files and that nobody refers to any more.
#ifndef ASSAY_COMMON_ROCKS_BLOB_SPACE_H_
#define ASSAY_COMMON_ROCKS_BLOB_SPACE_H_

#include <atomic>

#include "absl/status/status.h"
#include "common/rocks/db.h"

namespace assay::rocks {

// Compacts the keys of a family and, where it is worth it, moves what is left in its oldest blob files:
// of as many as can be freed by moving at most three times as much as becomes free. The compactions
// that come anyway move nothing, for most of what they meet is not garbage. Blocks; ends soon
// with an error once `*canceled` (null: never). Thread-safe.
absl::Status ReclaimBlobSpace(Db& db, int family, std::atomic<bool>* canceled = nullptr);

}  // namespace assay::rocks

#endif  // ASSAY_COMMON_ROCKS_BLOB_SPACE_H_
