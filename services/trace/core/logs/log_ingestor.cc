#include "services/trace/core/logs/log_ingestor.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/trace/core/chunk_builder.h"
#include "services/trace/core/logs/evaluation_result.h"
#include "services/trace/core/trace_scope.h"

namespace assay::trace {
namespace {

constexpr absl::Duration kRetryAfterFeedback = absl::Seconds(30);

std::string MessageOf(const std::map<std::string, int64_t>& rejected) {
  std::string message;
  for (const auto& [reason, count] : rejected) {
    StrAppend(&message, message.empty() ? "rejected: " : ", ", reason, " ", count,
              count == 1 ? " log record" : " log records");
  }
  return message;
}

}  // namespace

// One request on its way.
struct LogIngestor::Work {
  IngestRequest request;
  RequestBodies::Share memory;
  std::vector<LogChunk> chunks;
  std::vector<PendingFeedback> results;
  std::map<std::string, int64_t> rejected;  // Records by reason.
  std::map<TraceId, int64_t> messages;      // Records by trace.
  IngestResult result;
};

LogIngestor::LogIngestor(LogStore& store, FeedbackPusher& pusher, Executor& executor, Clock& clock,
                         LogIngestorOptions options)
    : store_(store),
      pusher_(pusher),
      executor_(executor),
      clock_(clock),
      bodies_("the memory for log records", options.max_body_bytes, options.max_bytes_in_flight) {}

void LogIngestor::Answer(absl::StatusOr<IngestResult> result, Done<IngestResult> done) {
  executor_.Run([result = std::move(result), done = std::move(done)]() mutable {
    std::move(done)(std::move(result));
  });
}

void LogIngestor::Export(IngestRequest request, Done<IngestResult> done) {
  auto work = std::make_shared<Work>();
  work->request = std::move(request);
  IngestRequest& body = work->request;
  absl::Status ready = bodies_.Decompress(body.encoding, &body.body, &work->memory);
  if (ready.ok()) ready = Read(*work);
  if (!ready.ok()) return Answer(ready, std::move(done));
  if (work->chunks.empty() && work->results.empty()) {
    return Answer(std::move(work->result), std::move(done));
  }
  if (!work->results.empty() && !pusher_.HasRoom(work->results.size())) {
    return Answer(Overloaded("the list of evaluation results that wait for the feedback service",
                             kRetryAfterFeedback),
                  std::move(done));
  }
  work->request.body = std::string();
  auto stored = [this, work,
                 done = std::move(done)](absl::StatusOr<AppendedLogs> appended) mutable {
    work->memory.clear();
    if (!appended.ok()) return std::move(done)(appended.status());
    pusher_.Added(appended->places);
    RejectDeleted(*appended, *work);
    work->result.message = MessageOf(work->rejected);
    std::move(done)(std::move(work->result));
  };
  store_.Append(std::move(work->chunks), std::move(work->results), std::move(stored));
}

void LogIngestor::RejectDeleted(const AppendedLogs& appended, Work& work) {
  for (const TraceId& trace : appended.deleted_traces) {
    const int64_t records = work.messages[trace];
    work.rejected[std::string(kRejectDeletedTrace)] += records;
    work.result.rejected += records;
    work.result.accepted -= records;
  }
}

absl::Status LogIngestor::Read(Work& work) const {
  ASSAY_ASSIGN_OR_RETURN(LogBatch batch, ReadLogs(work.request.body));
  work.result.accepted = static_cast<int64_t>(batch.records.size());
  for (const auto& [reason, count] : batch.frame.rejected) {
    work.rejected[std::string(reason)] += count;
    work.result.rejected += count;
  }
  ReadResults(batch, work);
  ReadChunks(batch, work);
  work.result.message = MessageOf(work.rejected);
  return absl::OkStatus();
}

void LogIngestor::ReadResults(const LogBatch& batch, Work& work) const {
  const auto now_ms = static_cast<uint64_t>(std::max<int64_t>(0, absl::ToUnixMillis(clock_.Now())));
  for (size_t i = 0; i < batch.records.size(); ++i) {
    if (batch.records[i].kind != LogKind::kEvaluation) continue;
    const ScopeView& scope = batch.frame.scopes[batch.frame.spans[i].scope];
    PendingFeedback pending;
    const std::string_view reason = ReadEvaluationResult(batch.records[i], scope.scope, &pending);
    if (!reason.empty()) {
      ++work.rejected[std::string(reason)];
      ++work.result.rejected;
      --work.result.accepted;
      continue;
    }
    pending.set_received_ms(now_ms);
    work.results.push_back(std::move(pending));
  }
}

void LogIngestor::ReadChunks(const LogBatch& batch, Work& work) const {
  for (const TraceSpans& group : GroupByTrace(batch.frame)) {
    std::vector<uint32_t> messages;
    for (const uint32_t i : group.spans) {
      if (batch.records[i].kind == LogKind::kMessage) messages.push_back(i);
    }
    if (messages.empty()) continue;
    const ScopeView& scope = batch.frame.scopes[batch.frame.spans[messages[0]].scope];
    TraceBinding binding;
    // What cannot be resolved is not refused: the trace's spans say where it belongs.
    if (!ResolveBinding(batch.frame.resources[scope.resource].resource, work.request.scope,
                        &binding)
             .empty()) {
      binding.experiment = std::string(kDefaultExperiment);
    }
    work.messages[group.trace] = static_cast<int64_t>(messages.size());
    work.chunks.push_back({.trace = group.trace,
                           .otlp = BuildOtlp(batch.frame, messages),
                           .experiment = std::move(binding.experiment)});
  }
}

}  // namespace assay::trace
