#include "common/judging/scorer_definition.h"

#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"
#include "re2/re2.h"

namespace assay::judging {

namespace {

constexpr size_t kMaxAddressBytes = 300;
constexpr size_t kMaxScorerNameChars = 250;

// A name or an address of IPv4 or, in brackets, IPv6, and a port. Its finer points are checked where
// it is called.
bool IsAddress(std::string_view address) {
  static const RE2* const pattern =
      new RE2(R"((?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5}))");
  int port = 0;
  return address.size() <= kMaxAddressBytes &&
         RE2::FullMatch(re2::StringPiece(address.data(), address.size()), *pattern, &port) &&
         port > 0 && port <= 65'535;
}

}  // namespace

absl::Status ValidateScorerJudge(const registry::v1::ScorerJudge& judge, std::string_view field) {
  if (!IsAddress(judge.address())) {
    return InvalidField(StrCat(field, ".address"),
                        "is required, as host:port with a port from 1 to 65535 and at most 300 "
                        "bytes");
  }
  if (judge.scorer().empty() || json::CountChars(judge.scorer()) > kMaxScorerNameChars) {
    return InvalidField(StrCat(field, ".scorer"), "is required, with at most 250 characters");
  }
  if (!(judge.timeout_seconds() >= 0 && judge.timeout_seconds() <= kMaxScorerTimeoutSeconds)) {
    return InvalidField(StrCat(field, ".timeout_seconds"),
                        "must be above 0 and at most 600; 0 means 30");
  }
  if (judge.max_concurrency() < 0 || judge.max_concurrency() > kMaxScorerConcurrency) {
    return InvalidField(StrCat(field, ".max_concurrency"), "must be from 1 to 1,000; 0 means 32");
  }
  return absl::OkStatus();
}

}  // namespace assay::judging
