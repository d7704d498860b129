// Every key of the trace store: a pure function each, with its decoder beside it. A key begins with
// the format version (0x01) and a kind; the fields follow in the memory-comparable code of
// common/rocks/ordered_code.h.
//
//   family       kind  fields                                             value
//   chunks       0x01  trace id (16), sequence (u64)                      SpanChunkRecord
//   traces       0x02  trace id (16)                                      TraceBindingRecord
//   traces       0x03  trace id (16)                                      TraceFactsRecord, by merge
//   index        0x04  experiment, start (u64, descending), trace id      empty
//   index        0x05  experiment, expectation, name, trace id, resource  empty
//   assessments  0x06  trace id (16), resource name                       AssessmentDigestRecord
//   meta         0x07  feedback store                                     AppliedSequenceRecord
//   meta         0x08  experiment (waits to be created)                   empty
//   meta         0x09  experiment (exists in the registry)                empty
//   meta         0x0A  -                                                  epoch of sequences, u64
//   requests     0x0B  principal, method, request id                      RequestRecord, with expiry
#ifndef ASSAY_SERVICES_TRACE_STORE_TRACE_KEYS_H_
#define ASSAY_SERVICES_TRACE_STORE_TRACE_KEYS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "common/request/request_key.h"
#include "services/trace/core/ids.h"
#include "services/trace/core/trace_store.h"

namespace assay::trace::keys {

// Column families; the order is that of the store's options and part of no format.
enum Family { kChunks = 0, kTraces, kIndex, kAssessments, kMeta, kRequests };

// Decoders answer DATA_LOSS for bytes that their encoder does not write.

// 0x01 chunk: trace, sequence -> SpanChunkRecord
std::string Chunk(const TraceId& trace, uint64_t sequence);
std::string ChunkPrefix(const TraceId& trace);
absl::Status DecodeChunk(std::string_view key, TraceId* trace, uint64_t* sequence);

// 0x02 binding: trace -> TraceBindingRecord
std::string Binding(const TraceId& trace);

// 0x03 facts: trace -> TraceFactsRecord
std::string Facts(const TraceId& trace);
bool IsFacts(std::string_view key);

// 0x04 time: experiment, start (latest first), trace -> empty
std::string Time(std::string_view experiment, const TracePosition& position);
std::string TimePrefix(std::string_view experiment);
absl::Status DecodeTime(std::string_view key, std::string* experiment, TracePosition* position);

// 0x05 assessment name: experiment, expectation, name, trace, resource name -> empty
std::string ByName(const AssessmentIndex& index, const TraceId& trace, std::string_view resource);
std::string ByNamePrefix(const AssessmentIndex& index);
std::string ByNameTracePrefix(const AssessmentIndex& index, const TraceId& trace);
absl::Status DecodeByName(std::string_view key, AssessmentIndex* index, TraceId* trace,
                          std::string* resource);

// 0x06 assessment: trace, resource name -> AssessmentDigestRecord
std::string Assessment(const TraceId& trace, std::string_view resource);
std::string AssessmentPrefix(const TraceId& trace);
absl::Status DecodeAssessment(std::string_view key, TraceId* trace, std::string* resource);

// 0x07 applied: feedback store -> AppliedSequenceRecord
std::string Applied(std::string_view feedback_store);

// 0x08 pending experiment: id -> empty
std::string Pending(std::string_view experiment);
std::string PendingPrefix();
absl::Status DecodePending(std::string_view key, std::string* experiment);

// 0x09 known experiment: id -> empty
std::string Known(std::string_view experiment);

// 0x0A epoch -> u64
std::string Epoch();

// 0x0B request: principal, method, request id -> RequestRecord
std::string Request(const RequestKey& key);

}  // namespace assay::trace::keys

#endif  // ASSAY_SERVICES_TRACE_STORE_TRACE_KEYS_H_
