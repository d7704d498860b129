// Takes OTLP log records in: decompresses, reads, sorts by kind, and answers when they are on disk.
#ifndef ASSAY_SERVICES_TRACE_CORE_LOGS_LOG_INGESTOR_H_
#define ASSAY_SERVICES_TRACE_CORE_LOGS_LOG_INGESTOR_H_

#include <cstdint>
#include <vector>

#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "services/trace/core/ingestor.h"
#include "services/trace/core/logs/feedback_pusher.h"
#include "services/trace/core/logs/log_reader.h"
#include "services/trace/core/logs/log_store.h"
#include "services/trace/core/request_bodies.h"

namespace assay::trace {

struct LogIngestorOptions {
  int64_t max_body_bytes = kDefaultMaxBodyBytes;  // After decompression.
  // Bodies and their copies that are being worked on; at least three times max_body_bytes is used.
  int64_t max_bytes_in_flight = int64_t{128} << 20;
};

// Thread-safe.
class LogIngestor {
 public:
  // All outlive the ingestor and its calls.
  LogIngestor(LogStore& store, FeedbackPusher& pusher, Executor& executor, Clock& clock,
              LogIngestorOptions options);

  // Blocks for decompression and reads: on an executor. `done` is called on an executor, never
  // inline, once all accepted records are durable. Errors, with nothing stored: as
  // Ingestor::Export; UNAVAILABLE also while too many results wait for the feedback service.
  void Export(IngestRequest request, Done<IngestResult> done);

  int64_t bytes_in_flight() const { return bodies_.bytes_in_flight(); }

 private:
  struct Work;
  static void RejectDeleted(const AppendedLogs& appended, Work& work);
  void Answer(absl::StatusOr<IngestResult> result, Done<IngestResult> done);
  absl::Status Read(Work& work) const;
  void ReadResults(const LogBatch& batch, Work& work) const;
  void ReadChunks(const LogBatch& batch, Work& work) const;

  LogStore& store_;
  FeedbackPusher& pusher_;
  Executor& executor_;
  Clock& clock_;
  RequestBodies bodies_;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_LOGS_LOG_INGESTOR_H_
