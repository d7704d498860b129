#include "common/kv/store.h"

#include "absl/strings/str_cat.h"
#include "common/status/errors.h"

namespace assay::kv {
namespace {

constexpr std::string_view kCheckFailed = "CHECK_FAILED";

}  // namespace

absl::Status ValidateScan(const ScanRange& range) {
  if (range.limit >= 1 && range.limit <= kMaxScanEntries) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kInvalidArgument, "INVALID_SCAN",
      absl::StrCat("a scan with limit ", range.limit, "; 1 to ", kMaxScanEntries, " are allowed"));
}

absl::Status CheckFailedError() {
  return MakeError(absl::StatusCode::kAborted, kCheckFailed,
                   "the stored state is no longer what this write was based on");
}

absl::Status ScanTooLargeError() {
  return MakeError(
      absl::StatusCode::kResourceExhausted, "SCAN_TOO_LARGE",
      absl::StrCat("the entries of one scan exceed ", kMaxScanBytes, " bytes; ask for fewer"));
}

bool IsCheckFailed(const absl::Status& status) {
  return status.code() == absl::StatusCode::kAborted && ErrorReason(status) == kCheckFailed;
}

}  // namespace assay::kv
