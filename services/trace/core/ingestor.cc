#include "services/trace/core/ingestor.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "common/log/log.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/trace/core/chunk_builder.h"
#include "services/trace/core/facts_builder.h"
#include "services/trace/core/otlp_wire_reader.h"

namespace assay::trace {
namespace {

std::string MessageOf(const std::map<std::string_view, int64_t>& rejected, int64_t ends_early,
                      int64_t kept_elsewhere = 0) {
  std::string message;
  for (const auto& [reason, count] : rejected) {
    StrAppend(&message, message.empty() ? "rejected: " : ", ", reason, " ", count,
              count == 1 ? " span" : " spans");
  }
  if (ends_early > 0) {
    StrAppend(&message, message.empty() ? "" : "; ",
              "kept though they end before they start: ", ends_early,
              ends_early == 1 ? " span" : " spans");
  }
  if (kept_elsewhere > 0) {
    StrAppend(&message, message.empty() ? "" : "; ",
              "kept in the experiment of their trace, not in the one they name: ", kept_elsewhere,
              kept_elsewhere == 1 ? " span" : " spans");
  }
  return message;
}

}  // namespace

// One request on its way.
struct Ingestor::Work {
  IngestRequest request;
  RequestBodies::Share memory;
  IngestResult result;
  // Spans by reason, and those that end before they start.
  std::map<std::string_view, int64_t> rejected;
  int64_t ends_early = 0;
};

Ingestor::Ingestor(TraceStore& store, Executor& executor, IngestorOptions options,
                   std::function<void()> on_new_experiments)
    : store_(store),
      executor_(executor),
      options_(std::move(options)),
      attributes_(options_.indexed_attributes),
      on_new_experiments_(std::move(on_new_experiments)),
      bodies_("the memory for spans", options_.max_body_bytes, options_.max_bytes_in_flight) {}

void Ingestor::Answer(absl::StatusOr<IngestResult> result, Done<IngestResult> done) {
  executor_.Run([result = std::move(result), done = std::move(done)]() mutable {
    std::move(done)(std::move(result));
  });
}

void Ingestor::Export(IngestRequest request, Done<IngestResult> done) {
  auto work = std::make_shared<Work>();
  work->request = std::move(request);
  IngestRequest& body = work->request;
  absl::Status ready = bodies_.Decompress(body.encoding, &body.body, &work->memory);
  if (!ready.ok()) return Answer(ready, std::move(done));
  absl::StatusOr<std::vector<TraceChunk>> chunks = ReadChunks(*work);
  if (!chunks.ok()) return Answer(chunks.status(), std::move(done));
  if (chunks->empty()) {
    work->result.message = MessageOf(work->rejected, work->ends_early);
    return Answer(std::move(work->result), std::move(done));
  }
  work->request.body = std::string();
  store_.AppendSpans(
      *std::move(chunks), options_.register_experiments,
      [this, work, done = std::move(done)](absl::StatusOr<AppendResult> appended) mutable {
        work->memory.clear();
        if (!appended.ok()) return std::move(done)(appended.status());
        if (appended->new_experiments && on_new_experiments_) on_new_experiments_();
        for (const auto& [reason, count] : appended->refused) {
          work->result.accepted -= count;
          work->result.rejected += count;
          work->rejected[reason] += count;
        }
        work->result.message =
            MessageOf(work->rejected, work->ends_early, appended->kept_elsewhere);
        if (appended->completed > 0 && options_.on_completed) {
          options_.on_completed(appended->completed);
        }
        CompleteAll(std::move(appended->to_complete), std::move(work->result), std::move(done));
      });
}

void Ingestor::CompleteAll(std::vector<TraceId> traces, IngestResult result,
                           Done<IngestResult> done) {
  if (traces.empty() || !options_.complete) return std::move(done)(std::move(result));
  struct Rest {
    std::atomic<size_t> traces;
    IngestResult result;
    Done<IngestResult> done;
  };
  auto rest = std::make_shared<Rest>();
  rest->traces = traces.size();
  rest->result = std::move(result);
  rest->done = std::move(done);
  for (const TraceId& trace : traces) {
    options_.complete(trace, [rest, trace](const absl::Status& completed) {
      if (!completed.ok()) {
        log::Warning("a trace is completed later than its sender asked for",
                     {{"trace", trace.Hex()}, {"error", completed}});
      }
      if (rest->traces.fetch_sub(1) == 1) std::move(rest->done)(std::move(rest->result));
    });
  }
}

absl::StatusOr<std::vector<TraceChunk>> Ingestor::ReadChunks(Work& work) const {
  ASSAY_ASSIGN_OR_RETURN(OtlpBatch batch, ReadOtlp(work.request.body));
  std::vector<TraceBinding> bindings(batch.resources.size());
  std::vector<std::string_view> refusals(batch.resources.size());
  std::vector<bool> complete(batch.resources.size());
  for (size_t i = 0; i < bindings.size(); ++i) {
    refusals[i] = ResolveBinding(batch.resources[i].resource, work.request.scope, &bindings[i]);
    complete[i] = SaysComplete(batch.resources[i].resource);
  }
  auto resource_of = [&](const SpanView& span) { return batch.scopes[span.scope].resource; };
  std::erase_if(batch.spans, [&](const SpanView& span) {
    const std::string_view reason = refusals[resource_of(span)];
    if (!reason.empty()) ++batch.rejected[reason];
    return !reason.empty();
  });

  std::vector<ResourceTerms> resource_terms;
  for (const ResourceView& resource : batch.resources) {
    resource_terms.push_back(TermsOfResource(resource.resource, attributes_));
  }
  PriceMemo prices(*options_.prices);
  std::vector<TraceChunk> chunks;
  int64_t ends_early = 0;
  for (const TraceSpans& group : GroupByTrace(batch)) {
    FactsBuilder facts(attributes_, prices);
    bool says_complete = false;
    std::optional<uint32_t> last_resource;
    for (uint32_t i : group.spans) {
      const SpanView& span = batch.spans[i];
      facts.Add(span);
      ends_early += span.EndsBeforeStart() ? 1 : 0;
      if (last_resource == resource_of(span)) continue;
      last_resource = resource_of(span);
      says_complete = says_complete || complete[*last_resource];
      for (const auto& [field, value] : resource_terms[*last_resource]) {
        facts.AddTerm(field, value);
      }
    }
    TraceChunk& chunk = chunks.emplace_back();
    chunk.trace = group.trace;
    chunk.otlp = BuildOtlp(batch, group.spans);
    chunk.facts = facts.Build();
    chunk.directory = facts.BuildDirectory();
    chunk.complete = says_complete;
    chunk.claimed = bindings[resource_of(batch.spans[group.spans[0]])];
  }
  work.result.accepted = static_cast<int64_t>(batch.spans.size());
  work.result.rejected = batch.RejectedCount();
  work.rejected = std::move(batch.rejected);
  work.ends_early = ends_early;
  return chunks;
}

}  // namespace assay::trace
