// The order_by field of list requests: "create_time desc, name".
#ifndef ASSAY_COMMON_FILTER_ORDER_BY_H_
#define ASSAY_COMMON_FILTER_ORDER_BY_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace assay::filter {

struct OrderTerm {
  std::string field;
  bool descending = false;
  bool operator==(const OrderTerm&) const = default;
};

// Comma-separated fields, each with an optional `asc` or `desc`; empty text is an empty list.
// Errors: INVALID_ARGUMENT, reason INVALID_ORDER_BY, field `order_by`, for a field that is not in
// `allowed` (the message lists them), a field named twice, or more than `max_terms`. Thread-safe.
absl::StatusOr<std::vector<OrderTerm>> ParseOrderBy(std::string_view text,
                                                    absl::Span<const std::string_view> allowed,
                                                    int max_terms = 3);

}  // namespace assay::filter

#endif  // ASSAY_COMMON_FILTER_ORDER_BY_H_
