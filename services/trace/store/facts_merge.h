// RocksDB's view of how facts of a trace add up.
#ifndef ASSAY_SERVICES_TRACE_STORE_FACTS_MERGE_H_
#define ASSAY_SERVICES_TRACE_STORE_FACTS_MERGE_H_

#include <memory>

#include "rocksdb/merge_operator.h"

namespace assay::trace {

// Merges TraceFactsRecords by MergeFacts. Bytes that cannot be read count as nothing, so that none
// can stop a compaction.
std::shared_ptr<rocksdb::MergeOperator> NewFactsMergeOperator();

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_STORE_FACTS_MERGE_H_
