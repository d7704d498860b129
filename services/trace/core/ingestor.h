// Takes OTLP requests in: decompresses, reads, binds, and answers when the spans are on disk.
#ifndef ASSAY_SERVICES_TRACE_CORE_INGESTOR_H_
#define ASSAY_SERVICES_TRACE_CORE_INGESTOR_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/compress/encoding.h"
#include "common/exec/executor.h"
#include "services/trace/core/index_terms.h"
#include "services/trace/core/meaning/price_table.h"
#include "services/trace/core/request_bodies.h"
#include "services/trace/core/trace_scope.h"
#include "services/trace/core/trace_store.h"

namespace assay::trace {

using compress::Encoding;

inline constexpr int64_t kDefaultMaxBodyBytes = int64_t{20} << 20;
inline constexpr int64_t kLargestMaxBodyBytes = int64_t{64} << 20;

struct IngestorOptions {
  int64_t max_body_bytes = kDefaultMaxBodyBytes;  // After decompression.
  // Bodies and their copies that are being worked on; at least three times max_body_bytes is used.
  int64_t max_bytes_in_flight = int64_t{128} << 20;
  // Experiments that spans name are to be created in the registry.
  bool register_experiments = true;
  // Keys of span and resource attributes that are indexed beside the default ones.
  std::vector<std::string> indexed_attributes;
  const PriceTable* prices = &PriceTable::BuiltIn();  // Outlives the ingestor.
  // Completes a trace whose sender says that it is whole, as CompleteTrace does. Never inline. Empty:
  // those that cannot be completed with their spans complete by themselves.
  std::function<void(const TraceId&, DoneStatus)> complete;
  // Told how many traces were completed with their spans. May be empty.
  std::function<void(int64_t)> on_completed;
};

struct IngestRequest {
  std::string body;
  Encoding encoding = Encoding::kIdentity;
  RequestScope scope;
};

struct IngestResult {
  int64_t accepted = 0;
  int64_t rejected = 0;
  // Empty, or what was rejected and why, and warnings; for people, but with stable words.
  std::string message;
};

// Thread-safe.
class Ingestor {
 public:
  // `store` and `executor` outlive the ingestor. `on_new_experiments` is called, on the store's
  // executor, after spans brought up experiments that wait to be created.
  Ingestor(TraceStore& store, Executor& executor, IngestorOptions options,
           std::function<void()> on_new_experiments);

  // Blocks for decompression and reads: on an executor. `done` is called on an executor, never
  // inline, once all accepted spans are durable. Errors, with nothing stored: INVALID_ARGUMENT
  // MALFORMED_OTLP or MALFORMED_COMPRESSION; RESOURCE_EXHAUSTED MESSAGE_TOO_LARGE (no use in
  // retrying); UNAVAILABLE (OVERLOADED, RetryInfo) under pressure; the store's.
  void Export(IngestRequest request, Done<IngestResult> done);

  int64_t bytes_in_flight() const { return bodies_.bytes_in_flight(); }

 private:
  struct Work;
  void Answer(absl::StatusOr<IngestResult> result, Done<IngestResult> done);
  // Answers once all of `traces` are complete, or cannot be completed now: their spans are stored,
  // and they complete by themselves later.
  void CompleteAll(std::vector<TraceId> traces, IngestResult result, Done<IngestResult> done);
  absl::StatusOr<std::vector<TraceChunk>> ReadChunks(Work& work) const;

  TraceStore& store_;
  Executor& executor_;
  const IngestorOptions options_;
  const IndexedAttributes attributes_;
  const std::function<void()> on_new_experiments_;
  RequestBodies bodies_;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_INGESTOR_H_
