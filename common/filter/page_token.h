// Paging through collections: page sizes and opaque page tokens.
#ifndef ASSAY_COMMON_FILTER_PAGE_TOKEN_H_
#define ASSAY_COMMON_FILTER_PAGE_TOKEN_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace assay::filter {

inline constexpr int kDefaultPageSize = 50;
inline constexpr int kMaxPageSize = 1000;

// What a token belongs to; a token is refused in any other place.
struct PageScope {
  std::string method;  // "assay.trace.v1.TraceService/SearchTraces"
  std::string parent;
  std::string filter;
  std::string order_by;
};

// A token that carries `cursor` (any bytes: where the next page begins). Printable, safe in URLs.
// Checked against accidents, not against forgery: a cursor must grant nothing that the request does
// not. Thread-safe, as all here.
std::string EncodePageToken(const PageScope& scope, std::string_view cursor);

// The cursor. An empty token gives an empty cursor: the first page. Errors: INVALID_ARGUMENT,
// reason INVALID_PAGE_TOKEN, field `page_token`, for one that is damaged or belongs elsewhere.
absl::StatusOr<std::string> DecodePageToken(const PageScope& scope, std::string_view token);

// 0 means the default; more than `max` means `max`; below zero is INVALID_ARGUMENT, field
// `page_size`.
absl::StatusOr<int> EffectivePageSize(int32_t requested, int default_size = kDefaultPageSize,
                                      int max_size = kMaxPageSize);

}  // namespace assay::filter

#endif  // ASSAY_COMMON_FILTER_PAGE_TOKEN_H_
