#include "common/filter/page_token.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "common/json/canonical.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::filter {
namespace {

// A token is base64url of: version byte, fingerprint of the scope, cursor, checksum of all before.
constexpr char kVersion = 1;
constexpr size_t kHashBytes = 8;
constexpr size_t kMaxTokenChars = 8192;

std::string ShortHash(std::string_view bytes) {
  return json::Sha256Bytes(bytes).substr(0, kHashBytes);
}

std::string Fingerprint(const PageScope& scope) {
  std::string text;
  for (const std::string* part : {&scope.method, &scope.parent, &scope.filter, &scope.order_by}) {
    // Lengths keep ("ab", "c") and ("a", "bc") apart.
    StrAppend(&text, part->size(), ":", *part);
  }
  return ShortHash(text);
}

absl::Status Refuse(std::string_view what) {
  return InvalidField("page_token", what, "INVALID_PAGE_TOKEN");
}

}  // namespace

std::string EncodePageToken(const PageScope& scope, std::string_view cursor) {
  std::string bytes = StrCat(std::string(1, kVersion), Fingerprint(scope), cursor);
  bytes += ShortHash(bytes);
  return absl::WebSafeBase64Escape(bytes);
}

absl::StatusOr<std::string> DecodePageToken(const PageScope& scope, std::string_view token) {
  if (token.empty()) return std::string();
  std::string bytes;
  if (token.size() > kMaxTokenChars || !absl::WebSafeBase64Unescape(ToAbsl(token), &bytes) ||
      bytes.size() < 1 + 2 * kHashBytes) {
    return Refuse("is no page token; pass a next_page_token as it was returned");
  }
  const std::string_view body = std::string_view(bytes).substr(0, bytes.size() - kHashBytes);
  if (ShortHash(body) != bytes.substr(body.size()) || body.front() != kVersion) {
    return Refuse("is damaged; pass a next_page_token as it was returned");
  }
  if (body.substr(1, kHashBytes) != Fingerprint(scope)) {
    return Refuse(
        "belongs to another request; method, parent, filter and order_by must stay the same from "
        "page to page");
  }
  return std::string(body.substr(1 + kHashBytes));
}

absl::StatusOr<int> EffectivePageSize(int32_t requested, int default_size, int max_size) {
  if (requested < 0) {
    return InvalidField("page_size", StrCat("is ", requested, "; it must be 0 (meaning ",
                                            default_size, ") to ", max_size));
  }
  return requested == 0 ? default_size : std::min<int>(requested, max_size);
}

}  // namespace assay::filter
