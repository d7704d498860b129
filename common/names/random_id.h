// Ids that nobody else will pick.
#ifndef ASSAY_COMMON_NAMES_RANDOM_ID_H_
#define ASSAY_COMMON_NAMES_RANDOM_ID_H_

#include <string>
#include <string_view>

namespace assay::names {

// "<prefix>-" and 32 random lower-case hex digits (128 bits from the system's source); without the
// prefix, and the hyphen, if it is empty. A slug if `prefix` is one of at most 30 characters.
// Thread-safe, as all here.
std::string RandomId(std::string_view prefix = "");

// 32, or 16, hex digits, never all zero.
std::string RandomTraceId();
std::string RandomSpanId();

}  // namespace assay::names

#endif  // ASSAY_COMMON_NAMES_RANDOM_ID_H_
