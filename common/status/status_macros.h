// Early return on errors.
#ifndef ASSAY_COMMON_STATUS_STATUS_MACROS_H_
#define ASSAY_COMMON_STATUS_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Evaluates `expr` (an absl::Status) once and returns it from the enclosing function unless it is
// OK.
#define ASSAY_RETURN_IF_ERROR(expr)                                 \
  do {                                                              \
    if (absl::Status assay_status_ = (expr); !assay_status_.ok()) { \
      return assay_status_;                                         \
    }                                                               \
  } while (false)

// Evaluates `expr` (an absl::StatusOr<T>) once; returns its status from the enclosing function on
// error, else moves the value into `lhs`: ASSAY_ASSIGN_OR_RETURN(auto x, Compute());
#define ASSAY_ASSIGN_OR_RETURN(lhs, ...) \
  ASSAY_STATUS_ASSIGN_(ASSAY_STATUS_CONCAT_(assay_statusor_, __LINE__), lhs, (__VA_ARGS__))

#define ASSAY_STATUS_CONCAT_INNER_(a, b) a##b
#define ASSAY_STATUS_CONCAT_(a, b) ASSAY_STATUS_CONCAT_INNER_(a, b)
#define ASSAY_STATUS_ASSIGN_(holder, lhs, expr) \
  auto holder = expr;                           \
  if (!holder.ok()) return holder.status();     \
  lhs = *std::move(holder)

#endif  // ASSAY_COMMON_STATUS_STATUS_MACROS_H_
