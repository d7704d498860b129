// Every key of the trace store: a pure function each, with its decoder beside it. A key begins with
// the format version (0x01) and a kind; the fields follow in the memory-comparable code of
// common/rocks/ordered_code.h. `number` is the experiment's number in the store (u32), `bound` the
// time at which a trace was bound (u64, milliseconds): what expires says so in its key or value, so
// that a compaction can drop it without looking anything up.
//
//   family       kind  fields                                             value
//   chunks       0x0C  trace id (16), sequence (u64), number, bound       SpanChunkRecord
//   chunks       0x1C  as 0x0C: see log_keys.h                            SpanChunkRecord of log records
//   directory    0x0D  trace id (16), sequence (u64), number, bound       ChunkDirectoryRecord
//   traces       0x02  trace id (16)                                      TraceBindingRecord
//   traces       0x03  trace id (16)                                      TraceFactsRecord, by merge
//   index        0x0E  number, start (u64, descending), trace id          bound (u64)
//   index        0x0F  number, field, value, start (u64, desc.), trace id bound (u64)
//   index        0x0E, 0x0F  as above, but for start and trace id: the   bound, traces: see
//                      end (u64, desc.), sequence (u64), ordinal (u32)   index_group.h
//                      of a group of traces
//   index        0x05  experiment, expectation, name, trace id, resource  number (u32), bound (u64)
//   assessments  0x06  trace id (16), resource name                       AssessmentDigestRecord
//   due          0x10  due (u64 ms), trace id                             empty
//   due          0x10  due (u64 ms), trace id, sequence (u64)             further trace ids
//   due          0x10  due (u64 ms), trace id, sequence (u64), 0x01       DueTracesRecord
//   due          0x11  due (u64 ms), number, session                      empty
//   sessions     0x12  number, session                                    SessionRecord
//   sessions     0x13  number, last activity (u64 ms, desc.), session     empty
//   feed         0x14  sequence (u64)                                     FeedRecord
//   usage        0x15  number, hour of bound (u64)                        bytes of spans, by addition
//   meta         0x07  feedback store                                     AppliedSequenceRecord
//   meta         0x08  experiment (waits to be created)                   empty
//   meta         0x09  experiment (exists in the registry)                empty
//   meta         0x0A  -                                                  epoch of sequences, u64
//   meta         0x16  experiment                                         its number, u32
//   meta         0x17  number                                             ExperimentPolicyRecord
//   outbox       0x18  sequence (u64)                                     of log records
//   meta         0x19  -                                                  first event that is kept, u64
//   meta         0x1A  -                                                  identity of the store
//   meta         0x1B  -                                                  IndexedAttributesRecord
//   meta         0x1D  sequence (u64)                                     trace ids, 16 bytes each
//   requests     0x0B  principal, method, request id                      RequestRecord, with expiry
//
// Kinds 0x01 (chunks by trace and sequence) and 0x04 (time by experiment's name) are those of stores
// of schema version 1.
#ifndef ASSAY_SERVICES_TRACE_STORE_TRACE_KEYS_H_
#define ASSAY_SERVICES_TRACE_STORE_TRACE_KEYS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/request/request_key.h"
#include "services/trace/core/completion/completion_store.h"
#include "services/trace/core/ids.h"
#include "services/trace/core/trace_store.h"

namespace assay::trace::keys {

// Column families; the order is that of the store's options and part of no format.
enum Family {
  kChunks = 0,
  kTraces,
  kIndex,
  kAssessments,
  kMeta,
  kRequests,
  kDirectory,
  kDue,
  kSessions,
  kFeed,
  kUsage,
  kOutbox,
  kFamilies  // How many there are.
};

// Keys of chunks, directory and assessments begin with format, kind and trace id: all that is asked
// of these families is asked of one trace.
inline constexpr size_t kTracePrefixBytes = 1 + 1 + 16;

// When something of a trace expires: with the horizon of its experiment.
struct Lifetime {
  uint32_t number = 0;    // The experiment's.
  uint64_t bound_ms = 0;  // When the trace was bound.
  friend bool operator==(const Lifetime&, const Lifetime&) = default;
};

// Decoders answer DATA_LOSS for bytes that their encoder does not write.

// 0x0C chunk: trace, sequence, lifetime -> SpanChunkRecord
std::string Chunk(const TraceId& trace, uint64_t sequence, const Lifetime& lifetime);
std::string ChunkPrefix(const TraceId& trace);
std::string ChunkPrefix(const TraceId& trace, uint64_t sequence);
absl::Status DecodeChunk(std::string_view key, TraceId* trace, uint64_t* sequence,
                         Lifetime* lifetime);

// 0x0D directory: trace, sequence, lifetime -> ChunkDirectoryRecord
std::string Directory(const TraceId& trace, uint64_t sequence, const Lifetime& lifetime);
std::string DirectoryPrefix(const TraceId& trace);
std::string DirectoryPrefix(const TraceId& trace, uint64_t sequence);
absl::Status DecodeDirectory(std::string_view key, TraceId* trace, uint64_t* sequence,
                             Lifetime* lifetime);

// 0x02 binding: trace -> TraceBindingRecord
std::string Binding(const TraceId& trace);

// 0x03 facts: trace -> TraceFactsRecord
std::string Facts(const TraceId& trace);
bool IsFacts(std::string_view key);
bool IsBinding(std::string_view key);

// 0x0E time: number, start (latest first), trace -> bound
std::string Time(uint32_t number, const TracePosition& position);
std::string TimePrefix(uint32_t number);
absl::Status DecodeTime(std::string_view key, uint32_t* number, TracePosition* position);

// 0x0F term: number, field, value, start (latest first), trace -> bound. Values of more than 64
// bytes stand as their first 48 and a hash of all.
std::string Term(uint32_t number, std::string_view field, std::string_view value,
                 const TracePosition& position);
std::string TermPrefix(uint32_t number, std::string_view field, std::string_view value);
std::string TermFieldPrefix(uint32_t number, std::string_view field);
absl::Status DecodeTerm(std::string_view key, uint32_t* number, std::string* field,
                        std::string* value, TracePosition* position);
std::string TermValue(std::string_view value);
// The number that begins a key of 0x0E or 0x0F, without reading the rest; false for other keys.
bool ReadIndexNumber(std::string_view key, uint32_t* number);
// How many bytes of a key of 0x0E or 0x0F say what its traces have in common: the size of its
// TimePrefix or TermPrefix. 0 for other keys.
size_t IndexPrefixBytes(std::string_view key);
bool IsByTime(std::string_view key);  // 0x0E.

// Traces of one request that share the entries of the index.
struct IndexGroup {
  uint64_t start_unix_nano = 0;  // None of them starts later; below 2^64 - 1.
  uint64_t sequence = 0;         // Of the request.
  uint32_t ordinal = 0;          // Among the groups of the request.
  friend bool operator==(const IndexGroup&, const IndexGroup&) = default;
};

// What follows the prefix of a key of 0x0E or 0x0F: where a trace stands, or a group. A group stands
// before all that starts when its latest trace does, or earlier.
struct IndexKeyEnd {
  std::optional<TracePosition> trace;
  uint64_t start_unix_nano = 0;  // As the key has it: of a group one more than its own.
};
void AppendGroup(const IndexGroup& group, std::string* prefix);
void AppendPosition(const TracePosition& position, std::string* prefix);
absl::Status DecodeIndexKeyEnd(std::string_view rest, IndexKeyEnd* end);

// The value of 0x0E and 0x0F for a trace by itself.
std::string BoundValue(uint64_t bound_ms);
absl::Status DecodeBoundValue(std::string_view value, uint64_t* bound_ms);

// The value of 0x05; empty (number 0) where the trace was not bound.
std::string LifetimeValue(const Lifetime& lifetime);
absl::Status DecodeLifetimeValue(std::string_view value, Lifetime* lifetime);

// 0x05 assessment name: experiment, expectation, name, trace, resource name -> number, bound
std::string ByName(const AssessmentIndex& index, const TraceId& trace, std::string_view resource);
std::string ByNamePrefix(const AssessmentIndex& index);
std::string ByNameTracePrefix(const AssessmentIndex& index, const TraceId& trace);
absl::Status DecodeByName(std::string_view key, AssessmentIndex* index, TraceId* trace,
                          std::string* resource);
bool IsByName(std::string_view key);  // Looks at the kind only.

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

// 0x10 due: time, trace -> empty; or, of the traces of one request, time, the first of them, sequence
// of the request -> the others; with states, and 0x01 -> all
std::string DueTrace(const DueTraces& due);
std::string DueTraceValue(const DueTraces& due);
std::string DueTracePrefix();
std::string DueTracesAt(uint64_t due_ms);  // The smallest key of that time or later.
absl::Status DecodeDueTrace(std::string_view key, std::string_view value, DueTraces* due);

// 0x11 due: time, number, session -> empty
std::string DueSession(uint64_t due_ms, uint32_t number, std::string_view session);
std::string DueSessionPrefix();
std::string DueSessionsAt(uint64_t due_ms);
absl::Status DecodeDueSession(std::string_view key, uint64_t* due_ms, uint32_t* number,
                              std::string* session);

// 0x12 session: number, session -> SessionRecord
std::string Session(uint32_t number, std::string_view session);
absl::Status DecodeSession(std::string_view key, uint32_t* number, std::string* session);

// 0x13 session by activity: number, last activity (latest first), session -> empty
std::string SessionActivity(uint32_t number, uint64_t last_activity_ms, std::string_view session);
std::string SessionActivityPrefix(uint32_t number);
absl::Status DecodeSessionActivity(std::string_view key, uint32_t* number,
                                   uint64_t* last_activity_ms, std::string* session);

// 0x14 feed: sequence -> FeedRecord
std::string Feed(uint64_t sequence);
std::string FeedPrefix();
absl::Status DecodeFeed(std::string_view key, uint64_t* sequence);

// 0x15 usage: number, hour -> bytes
std::string Usage(uint32_t number, uint64_t hour);
std::string UsagePrefix(uint32_t number);
absl::Status DecodeUsage(std::string_view key, uint32_t* number, uint64_t* hour);

// 0x16 number of an experiment -> u32
std::string Number(std::string_view experiment);
std::string NumberPrefix();
absl::Status DecodeNumber(std::string_view key, std::string* experiment);

// 0x17 policy: number -> ExperimentPolicyRecord
std::string Policy(uint32_t number);
std::string PolicyPrefix();
absl::Status DecodePolicy(std::string_view key, uint32_t* number);

// 0x18 outbox: sequence -> its owner's record
std::string Outbox(uint64_t sequence);
std::string OutboxPrefix();
absl::Status DecodeOutbox(std::string_view key, uint64_t* sequence);

// 0x19 first event that is kept -> u64
std::string FeedStart();

// 0x1A identity of the store -> text
std::string Identity();

// 0x1B indexed attributes -> IndexedAttributesRecord
std::string Indexed();

// 0x1D hasty chunks: sequence -> their traces. Packed for speed, to be packed for size.
std::string Hasty(uint64_t sequence);
std::string HastyPrefix();
std::string HastyValue(absl::Span<const TraceId> traces);
absl::Status DecodeHasty(std::string_view key, std::string_view value, uint64_t* sequence,
                         std::vector<TraceId>* traces);

// 0x0B request: principal, method, request id -> RequestRecord
std::string Request(const RequestKey& key);

}  // namespace assay::trace::keys

#endif  // ASSAY_SERVICES_TRACE_STORE_TRACE_KEYS_H_
