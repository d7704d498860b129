// gRPC adapters of TraceQueries, Completions, Watches, TraceLifecycle, Transfers and Projection.
#ifndef ASSAY_SERVICES_TRACE_RPC_TRACE_SERVICE_H_
#define ASSAY_SERVICES_TRACE_RPC_TRACE_SERVICE_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>

#include "assay/trace/v1/trace_service.grpc.pb.h"
#include "common/rpc/runtime.h"
#include "services/trace/core/completion/completions.h"
#include "services/trace/core/completion/watches.h"
#include "services/trace/core/lifecycle/trace_lifecycle.h"
#include "services/trace/core/projection.h"
#include "services/trace/core/trace_queries.h"
#include "services/trace/core/transfer/transfers.h"

namespace assay::trace {

// Thread-safe. All outlive it.
class TraceService final
    : public v1::TraceService::WithRawCallbackMethod_GetTrace<v1::TraceService::CallbackService> {
 public:
  TraceService(TraceQueries& queries, Completions& completions, Watches& watches,
               TraceLifecycle& lifecycle, Transfers& transfers, rpc::Runtime& runtime)
      : queries_(queries),
        completions_(completions),
        watches_(watches),
        lifecycle_(lifecycle),
        transfers_(transfers),
        runtime_(runtime) {}

  grpc::ServerUnaryReactor* PreregisterTraces(grpc::CallbackServerContext* context,
                                              const v1::PreregisterTracesRequest* request,
                                              v1::PreregisterTracesResponse* response) override;
  // The answer is made as bytes, without a message.
  grpc::ServerUnaryReactor* GetTrace(grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* SearchTraces(grpc::CallbackServerContext* context,
                                         const v1::SearchTracesRequest* request,
                                         v1::SearchTracesResponse* response) override;
  grpc::ServerUnaryReactor* AggregateTraces(grpc::CallbackServerContext* context,
                                            const v1::AggregateTracesRequest* request,
                                            v1::AggregateTracesResponse* response) override;
  grpc::ServerUnaryReactor* ListSpans(grpc::CallbackServerContext* context,
                                      const v1::ListSpansRequest* request,
                                      v1::ListSpansResponse* response) override;
  grpc::ServerWriteReactor<v1::StreamTracesResponse>* StreamTraces(
      grpc::CallbackServerContext* context, const v1::StreamTracesRequest* request) override;
  grpc::ServerUnaryReactor* CompleteTrace(grpc::CallbackServerContext* context,
                                          const v1::CompleteTraceRequest* request,
                                          v1::CompleteTraceResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchTracesResponse>* WatchTraces(
      grpc::CallbackServerContext* context, const v1::WatchTracesRequest* request) override;
  grpc::ServerUnaryReactor* UpdateTraceTags(grpc::CallbackServerContext* context,
                                            const v1::UpdateTraceTagsRequest* request,
                                            v1::UpdateTraceTagsResponse* response) override;
  grpc::ServerUnaryReactor* DeleteTraces(grpc::CallbackServerContext* context,
                                         const v1::DeleteTracesRequest* request,
                                         v1::DeleteTracesResponse* response) override;

 private:
  TraceQueries& queries_;
  Completions& completions_;
  Watches& watches_;
  TraceLifecycle& lifecycle_;
  Transfers& transfers_;
  rpc::Runtime& runtime_;
};

// Thread-safe. Both outlive it.
class ProjectionService final : public v1::AssessmentProjectionService::CallbackService {
 public:
  ProjectionService(Projection& projection, rpc::Runtime& runtime)
      : projection_(projection), runtime_(runtime) {}

  grpc::ServerUnaryReactor* ApplyAssessments(grpc::CallbackServerContext* context,
                                             const v1::ApplyAssessmentsRequest* request,
                                             v1::ApplyAssessmentsResponse* response) override;
  grpc::ServerUnaryReactor* FindMissingTraces(grpc::CallbackServerContext* context,
                                              const v1::FindMissingTracesRequest* request,
                                              v1::FindMissingTracesResponse* response) override;

 private:
  Projection& projection_;
  rpc::Runtime& runtime_;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_RPC_TRACE_SERVICE_H_
