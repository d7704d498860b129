#include "common/rocks/status.h"

#include <string>

#include "common/status/errors.h"

namespace assay::rocks {

absl::Status FromRocks(const rocksdb::Status& status, std::string_view what) {
  if (status.ok()) return absl::OkStatus();
  using absl::StatusCode;
  const std::string message = std::string(what) + ": " + status.ToString();
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit) {
    return MakeError(StatusCode::kUnavailable, "STORAGE_FULL", message);
  }
  switch (status.code()) {
    case rocksdb::Status::kNotFound:
      return MakeError(StatusCode::kNotFound, "STORAGE_NOT_FOUND", message);
    case rocksdb::Status::kCorruption:
      return MakeError(StatusCode::kDataLoss, "STORAGE_CORRUPT", message);
    case rocksdb::Status::kShutdownInProgress:
      return MakeError(StatusCode::kUnavailable, "STORAGE_CLOSING", message);
    case rocksdb::Status::kIOError:
      return MakeError(StatusCode::kInternal, "STORAGE_IO_ERROR", message);
    default:
      return MakeError(StatusCode::kInternal, "STORAGE_ERROR", message);
  }
}

}  // namespace assay::rocks
