// How Assay tunes RocksDB: durable, checked, and small. Used by db.cc only.
#ifndef ASSAY_COMMON_ROCKS_OPTIONS_H_
#define ASSAY_COMMON_ROCKS_OPTIONS_H_

#include <memory>

#include "common/rocks/db.h"
#include "rocksdb/env.h"
#include "rocksdb/options.h"

namespace assay::rocks {

// For the whole store, and for families without wishes.
rocksdb::Options StoreOptions(const DbOptions& options);

// `store` as one family wants it.
rocksdb::ColumnFamilyOptions FamilyRocksOptions(const FamilyOptions& family,
                                                const rocksdb::Options& store);

// A log that nobody reads and no file is made for.
std::shared_ptr<rocksdb::Logger> SilentLogger();

}  // namespace assay::rocks

#endif  // ASSAY_COMMON_ROCKS_OPTIONS_H_
