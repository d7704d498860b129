// The trace service over gRPC, and its OTLP port.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_TRACE_CLIENT_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_TRACE_CLIENT_H_

#include <grpcpp/channel.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "assay/trace/v1/session_service.grpc.pb.h"
#include "assay/trace/v1/trace_service.grpc.pb.h"
#include "common/rpc/retry.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.grpc.pb.h"
#include "services/judge/core/calls/trace_port.h"

namespace assay::judge {

// Every call may be repeated without harm, and is while the service is away for a moment.
// Thread-safe.
class TraceClient final : public TracePort {
 public:
  struct Peers {
    std::shared_ptr<grpc::Channel> trace;
    std::string trace_address;  // For errors, as the other one.
    std::shared_ptr<grpc::Channel> otlp;
    std::string otlp_address;
  };

  static constexpr int64_t kDefaultMaxTraceBytes = int64_t{64} << 20;

  // `retries` is copied; what it points to outlives the client's calls. Of a trace with spans above
  // `max_trace_bytes` on the wire the earliest spans are loaded, and `spans_truncated` is set.
  TraceClient(const Peers& peers, rpc::RetryEnvironment retries,
              int64_t max_trace_bytes = kDefaultMaxTraceBytes);

  void GetTrace(std::string name, bool full, CallContext context,
                Done<std::shared_ptr<const trace::v1::Trace>> done) override;
  void ListSessionTraces(std::string session, int most, CallContext context,
                         Done<std::vector<std::shared_ptr<const trace::v1::Trace>>> done) override;
  void PreregisterTraces(std::string experiment, std::string evaluation,
                         std::vector<std::string> trace_ids, CallContext context,
                         DoneStatus done) override;
  // One OTLP export of spans with the attributes assay.inputs and assay.outputs, under resources
  // with assay.experiment, assay.evaluation and assay.complete.
  void WriteTraces(std::vector<OneSpanTrace> traces, CallContext context, DoneStatus done) override;

 private:
  using Otlp = opentelemetry::proto::collector::trace::v1::TraceService;

  struct SessionPages;  // A session whose pages are being read.

  void NextSessionPage(std::shared_ptr<SessionPages> pages);
  struct SpanPages;  // A trace whose spans do not fit into one answer.

  void LoadSpans(trace::v1::Trace trace, CallContext context,
                 Done<std::shared_ptr<const trace::v1::Trace>> done);
  void NextSpanPage(std::shared_ptr<SpanPages> pages);

  const std::unique_ptr<trace::v1::TraceService::Stub> stub_;
  const std::unique_ptr<trace::v1::SessionService::Stub> sessions_;
  const std::unique_ptr<Otlp::Stub> otlp_;
  const std::string peer_;
  const std::string otlp_peer_;
  const rpc::RetryEnvironment retries_;
  const int64_t max_trace_bytes_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_TRACE_CLIENT_H_
