#include "services/feedback/core/etag.h"

#include <cstdint>

#include "absl/strings/numbers.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::feedback {

std::string FirstEtag(std::string_view id) { return StrCat("\"", id, "-1\""); }

std::string NextEtag(std::string_view etag) {
  if (etag.starts_with('"')) etag.remove_prefix(1);
  if (etag.ends_with('"')) etag.remove_suffix(1);
  const size_t dash = etag.rfind('-');
  int64_t changes = 0;
  if (dash == std::string_view::npos ||
      !absl::SimpleAtoi(ToAbsl(etag.substr(dash + 1)), &changes)) {
    return FirstEtag(etag);
  }
  return StrCat("\"", etag.substr(0, dash), "-", changes + 1, "\"");
}

absl::Status CheckEtag(std::string_view expected, std::string_view current,
                       std::string_view resource_name) {
  if (expected.empty() || expected == current) return absl::OkStatus();
  return EtagMismatch(resource_name);
}

}  // namespace assay::feedback
