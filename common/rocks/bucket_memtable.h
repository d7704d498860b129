// What a family holds in memory, for keys that come in many groups: an entry is found through the
// bucket of its group, so that a write costs the same however much is in memory. RocksDB's own skip
// list compares some twenty keys for each entry, most of them outside the processor's cache.
#ifndef ASSAY_COMMON_ROCKS_BUCKET_MEMTABLE_H_
#define ASSAY_COMMON_ROCKS_BUCKET_MEMTABLE_H_

#include <cstddef>
#include <memory>
#include <string_view>

#include "rocksdb/memtablerep.h"

namespace assay::rocks {

// How many bytes at the front of a key name its bucket, at most its size. No bucket's name may be
// the beginning of another bucket's. Cheap, and the same for a key at all times. A bucket is quick
// as long as few of its keys have their next eight bytes in common.
using BucketBytes = size_t (*)(std::string_view key);

// Keys must be ordered by their bytes. Writes come one at a time (allow_concurrent_memtable_write is
// off), reads at any time. Thread-safe.
std::shared_ptr<rocksdb::MemTableRepFactory> NewBucketMemTableFactory(BucketBytes bucket_bytes);

}  // namespace assay::rocks

#endif  // ASSAY_COMMON_ROCKS_BUCKET_MEMTABLE_H_
