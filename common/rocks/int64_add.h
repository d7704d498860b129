// A merge operator for counters: a value is int64 in two's complement, 8 bytes, little-endian.
#ifndef ASSAY_COMMON_ROCKS_INT64_ADD_H_
#define ASSAY_COMMON_ROCKS_INT64_ADD_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "rocksdb/merge_operator.h"

namespace assay::rocks {

// Adds operands to the stored value; overflow wraps. A value or operand that is not 8 bytes counts
// as 0, so that no bad byte can stop a compaction.
std::shared_ptr<rocksdb::MergeOperator> NewInt64AddOperator();

std::string EncodeFixedInt64(int64_t value);
std::optional<int64_t> DecodeFixedInt64(std::string_view value);  // nullopt unless 8 bytes
int64_t WrappingAdd(int64_t a, int64_t b);

}  // namespace assay::rocks

#endif  // ASSAY_COMMON_ROCKS_INT64_ADD_H_
