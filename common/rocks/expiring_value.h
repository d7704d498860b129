// Values with an optional expiry, and counters beside them, in one column family: the spelling, the
// merge operator and the compaction filter. The first byte is a tag:
//   0x01 payload                      a value that stays
//   0x02 int64 BE micros, payload     a value that is invisible from that time (Unix epoch) on
//   0x03 int64 LE                     a counter, or an operand that adds to one
#ifndef ASSAY_COMMON_ROCKS_EXPIRING_VALUE_H_
#define ASSAY_COMMON_ROCKS_EXPIRING_VALUE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "rocksdb/compaction_filter.h"
#include "rocksdb/merge_operator.h"

namespace assay::rocks {

std::string EncodeValue(std::string_view payload, absl::Time expires_at);
std::string EncodeAdd(int64_t delta);

// The payload as of `now`: nullopt if expired; a counter is its 8 bytes. DATA_LOSS for other bytes.
// The view points into `stored`.
absl::StatusOr<std::optional<std::string_view>> DecodeValue(std::string_view stored,
                                                            absl::Time now);

// Adds operands to a counter, or to a value that stays and has 8 bytes; any other value counts as
// 0.
std::shared_ptr<rocksdb::MergeOperator> NewExpiringValueMergeOperator();

// Drops expired values. `now` is called from RocksDB's threads and must outlive the Db.
std::shared_ptr<rocksdb::CompactionFilterFactory> NewExpiryFilterFactory(
    std::function<absl::Time()> now);

}  // namespace assay::rocks

#endif  // ASSAY_COMMON_ROCKS_EXPIRING_VALUE_H_
