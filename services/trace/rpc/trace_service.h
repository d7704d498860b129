// gRPC adapters of TraceQueries and Projection.
#ifndef ASSAY_SERVICES_TRACE_RPC_TRACE_SERVICE_H_
#define ASSAY_SERVICES_TRACE_RPC_TRACE_SERVICE_H_

#include "assay/trace/v1/trace_service.grpc.pb.h"
#include "common/rpc/runtime.h"
#include "services/trace/core/projection.h"
#include "services/trace/core/trace_queries.h"

namespace assay::trace {

// Thread-safe. Both outlive it.
class TraceService final : public v1::TraceService::CallbackService {
 public:
  TraceService(TraceQueries& queries, rpc::Runtime& runtime)
      : queries_(queries), runtime_(runtime) {}

  grpc::ServerUnaryReactor* PreregisterTraces(grpc::CallbackServerContext* context,
                                              const v1::PreregisterTracesRequest* request,
                                              v1::PreregisterTracesResponse* response) override;
  grpc::ServerUnaryReactor* GetTrace(grpc::CallbackServerContext* context,
                                     const v1::GetTraceRequest* request,
                                     v1::GetTraceResponse* response) override;
  grpc::ServerUnaryReactor* SearchTraces(grpc::CallbackServerContext* context,
                                         const v1::SearchTracesRequest* request,
                                         v1::SearchTracesResponse* response) override;

 private:
  TraceQueries& queries_;
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

 private:
  Projection& projection_;
  rpc::Runtime& runtime_;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_RPC_TRACE_SERVICE_H_
