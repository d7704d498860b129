#include "common/request/etag.h"

#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay {

std::string FirstEtag(std::string_view uid) { return StrCat("\"", uid, "-1\""); }

std::string NextEtag(std::string_view etag) {
  const std::string_view bare =
      ToStd(absl::StripSuffix(absl::StripPrefix(ToAbsl(etag), "\""), "\""));
  const size_t dash = bare.rfind('-');
  int64_t changes = 0;
  if (dash == std::string_view::npos ||
      !absl::SimpleAtoi(ToAbsl(bare.substr(dash + 1)), &changes)) {
    return FirstEtag(bare);
  }
  return StrCat("\"", bare.substr(0, dash), "-", changes + 1, "\"");
}

absl::Status CheckEtag(std::string_view expected, std::string_view current,
                       std::string_view resource_name) {
  if (expected.empty() || expected == current) return absl::OkStatus();
  return EtagMismatch(resource_name);
}

}  // namespace assay
