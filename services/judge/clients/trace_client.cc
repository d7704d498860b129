#include "services/judge/clients/trace_client.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judge {
namespace {

using ::opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
using ::opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse;
using ::opentelemetry::proto::common::v1::KeyValue;
using ::opentelemetry::proto::trace::v1::ScopeSpans;
using ::opentelemetry::proto::trace::v1::Span;
using ::opentelemetry::proto::trace::v1::Status;

constexpr int kMaxSpansOfPage = 1'000;

template <class Repeated>
void AddText(Repeated* attributes, std::string_view key, const std::string& text) {
  if (text.empty()) return;
  KeyValue* attribute = attributes->Add();
  attribute->set_key(std::string(key));
  attribute->mutable_value()->set_string_value(text);
}

ScopeSpans* AddResource(const OneSpanTrace& trace, ExportTraceServiceRequest* request) {
  auto* resource = request->add_resource_spans();
  auto* attributes = resource->mutable_resource()->mutable_attributes();
  AddText(attributes, "service.name", "assay-judge");
  AddText(attributes, "assay.experiment", trace.experiment);
  AddText(attributes, "assay.evaluation", trace.evaluation);
  KeyValue* complete = attributes->Add();
  complete->set_key("assay.complete");
  complete->mutable_value()->set_bool_value(true);
  ScopeSpans* scope = resource->add_scope_spans();
  scope->mutable_scope()->set_name("assay.evaluation");
  return scope;
}

void FillSpan(const OneSpanTrace& trace, Span* span) {
  span->set_trace_id(absl::HexStringToBytes(trace.trace_id));
  span->set_span_id(absl::HexStringToBytes(trace.span_id));
  span->set_name(trace.span_name);
  span->set_kind(Span::SPAN_KIND_INTERNAL);
  span->set_start_time_unix_nano(static_cast<uint64_t>(absl::ToUnixNanos(trace.start_time)));
  span->set_end_time_unix_nano(static_cast<uint64_t>(absl::ToUnixNanos(trace.end_time)));
  AddText(span->mutable_attributes(), "assay.inputs", trace.inputs);
  AddText(span->mutable_attributes(), "assay.outputs", trace.outputs);
  if (!trace.error_message.empty()) {
    span->mutable_status()->set_code(Status::STATUS_CODE_ERROR);
    span->mutable_status()->set_message(trace.error_message);
  }
}

// Traces of one evaluation that follow each other share a resource.
ExportTraceServiceRequest ExportOf(const std::vector<OneSpanTrace>& traces) {
  ExportTraceServiceRequest request;
  const OneSpanTrace* last = nullptr;
  ScopeSpans* scope = nullptr;
  for (const OneSpanTrace& trace : traces) {
    if (last == nullptr || last->experiment != trace.experiment ||
        last->evaluation != trace.evaluation) {
      scope = AddResource(trace, &request);
    }
    last = &trace;
    FillSpan(trace, scope->add_spans());
  }
  return request;
}

}  // namespace

TraceClient::TraceClient(const Peers& peers, rpc::RetryEnvironment retries, int64_t max_trace_bytes)
    : stub_(trace::v1::TraceService::NewStub(peers.trace)),
      sessions_(trace::v1::SessionService::NewStub(peers.trace)),
      otlp_(Otlp::NewStub(peers.otlp)),
      peer_(StrCat("trace at ", peers.trace_address)),
      otlp_peer_(StrCat("trace (OTLP) at ", peers.otlp_address)),
      retries_(std::move(retries)),
      max_trace_bytes_(max_trace_bytes) {}

void TraceClient::GetTrace(std::string name, bool full, CallContext context,
                           Done<std::shared_ptr<const trace::v1::Trace>> done) {
  trace::v1::GetTraceRequest request;
  request.set_name(std::move(name));
  request.set_view(full ? trace::v1::TRACE_VIEW_FULL : trace::v1::TRACE_VIEW_BASIC);
  rpc::CallIdempotent(stub_->async(), &trace::v1::TraceService::Stub::async_interface::GetTrace,
                      std::move(request), context,
                      [this, full, context, done = std::move(done)](
                          absl::StatusOr<trace::v1::GetTraceResponse> response) mutable {
                        if (!response.ok()) return std::move(done)(response.status());
                        trace::v1::Trace& trace = *response->mutable_trace();
                        if (full && trace.spans_truncated()) {
                          return LoadSpans(std::move(trace), std::move(context), std::move(done));
                        }
                        std::move(done)(std::make_shared<const trace::v1::Trace>(std::move(trace)));
                      },
                      retries_, {.peer = peer_});
}

struct TraceClient::SpanPages {
  trace::v1::Trace trace;
  trace::v1::ListSpansRequest request;
  int64_t bytes = 0;
  CallContext context;
  Done<std::shared_ptr<const trace::v1::Trace>> done;
};

void TraceClient::LoadSpans(trace::v1::Trace trace, CallContext context,
                            Done<std::shared_ptr<const trace::v1::Trace>> done) {
  auto pages = std::make_shared<SpanPages>();
  pages->request.set_parent(trace.name());
  pages->request.set_page_size(kMaxSpansOfPage);
  pages->trace = std::move(trace);
  pages->trace.clear_spans();
  pages->context = std::move(context);
  pages->done = std::move(done);
  NextSpanPage(std::move(pages));
}

void TraceClient::NextSpanPage(std::shared_ptr<SpanPages> pages) {
  trace::v1::ListSpansRequest request = pages->request;
  const CallContext context = pages->context;
  rpc::CallIdempotent(
      stub_->async(), &trace::v1::TraceService::Stub::async_interface::ListSpans,
      std::move(request), context,
      [this, pages](absl::StatusOr<trace::v1::ListSpansResponse> response) {
        if (!response.ok()) return std::move(pages->done)(response.status());
        pages->bytes += static_cast<int64_t>(response->ByteSizeLong());
        for (trace::v1::Span& span : *response->mutable_spans()) {
          *pages->trace.add_spans() = std::move(span);
        }
        pages->request.set_page_token(response->next_page_token());
        const bool last = response->next_page_token().empty();
        if (!last && pages->bytes < max_trace_bytes_) return NextSpanPage(pages);
        pages->trace.set_spans_truncated(!last);
        std::move(pages->done)(std::make_shared<const trace::v1::Trace>(std::move(pages->trace)));
      },
      retries_, {.peer = peer_});
}

struct TraceClient::SessionPages {
  trace::v1::ListSessionTracesRequest request;
  size_t most = 0;
  CallContext context;
  std::vector<std::shared_ptr<const trace::v1::Trace>> traces;
  Done<std::vector<std::shared_ptr<const trace::v1::Trace>>> done;
};

void TraceClient::ListSessionTraces(
    std::string session, int most, CallContext context,
    Done<std::vector<std::shared_ptr<const trace::v1::Trace>>> done) {
  auto pages = std::make_shared<SessionPages>();
  pages->request.set_parent(std::move(session));
  pages->request.set_page_size(most);
  pages->most = static_cast<size_t>(most);
  pages->context = std::move(context);
  pages->done = std::move(done);
  NextSessionPage(std::move(pages));
}

void TraceClient::NextSessionPage(std::shared_ptr<SessionPages> pages) {
  trace::v1::ListSessionTracesRequest request = pages->request;
  const CallContext context = pages->context;
  rpc::CallIdempotent(
      sessions_->async(), &trace::v1::SessionService::Stub::async_interface::ListSessionTraces,
      std::move(request), context,
      [this, pages](absl::StatusOr<trace::v1::ListSessionTracesResponse> response) {
        if (!response.ok()) return std::move(pages->done)(response.status());
        for (trace::v1::Trace& trace : *response->mutable_traces()) {
          if (pages->traces.size() == pages->most) break;
          pages->traces.push_back(std::make_shared<const trace::v1::Trace>(std::move(trace)));
        }
        pages->request.set_page_token(response->next_page_token());
        if (response->next_page_token().empty() || pages->traces.size() == pages->most) {
          return std::move(pages->done)(std::move(pages->traces));
        }
        NextSessionPage(pages);
      },
      retries_, {.peer = peer_});
}

void TraceClient::PreregisterTraces(std::string experiment, std::string evaluation,
                                    std::vector<std::string> trace_ids, CallContext context,
                                    DoneStatus done) {
  trace::v1::PreregisterTracesRequest request;
  request.set_parent(std::move(experiment));
  request.set_evaluation(std::move(evaluation));
  request.mutable_trace_ids()->Assign(trace_ids.begin(), trace_ids.end());
  rpc::CallIdempotent(
      stub_->async(), &trace::v1::TraceService::Stub::async_interface::PreregisterTraces,
      std::move(request), context,
      [done =
           std::move(done)](absl::StatusOr<trace::v1::PreregisterTracesResponse> response) mutable {
        std::move(done)(response.status());
      },
      retries_, {.peer = peer_});
}

void TraceClient::WriteTraces(std::vector<OneSpanTrace> traces, CallContext context,
                              DoneStatus done) {
  rpc::CallIdempotent(
      otlp_->async(), &Otlp::Stub::async_interface::Export, ExportOf(traces), context,
      [done = std::move(done)](absl::StatusOr<ExportTraceServiceResponse> response) mutable {
        if (!response.ok()) return std::move(done)(response.status());
        const auto& partial = response->partial_success();
        if (partial.rejected_spans() == 0) return std::move(done)(absl::OkStatus());
        std::move(done)(
            MakeError(absl::StatusCode::kFailedPrecondition, "SPAN_REJECTED",
                      StrCat("the trace service rejected spans: ", partial.error_message())));
      },
      retries_, {.peer = otlp_peer_});
}

}  // namespace assay::judge
