#include "services/trace/rpc/trace_service.h"

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/slice.h>

#include <string>
#include <utility>

#include "common/status/errors.h"

namespace assay::trace {
namespace {

absl::StatusOr<v1::GetTraceRequest> ParseGetTrace(const grpc::ByteBuffer& bytes) {
  grpc::ByteBuffer buffer = bytes;  // Shares the bytes.
  v1::GetTraceRequest request;
  if (!grpc::SerializationTraits<v1::GetTraceRequest>::Deserialize(&buffer, &request).ok()) {
    return MakeError(absl::StatusCode::kInvalidArgument, "MALFORMED_REQUEST",
                     "the message is no GetTraceRequest");
  }
  return request;
}

}  // namespace

grpc::ServerUnaryReactor* TraceService::PreregisterTraces(
    grpc::CallbackServerContext* context, const v1::PreregisterTracesRequest* request,
    v1::PreregisterTracesResponse* response) {
  return runtime_.Unary(context, "assay.trace.v1.TraceService/PreregisterTraces", request, response,
                        [this](const CallContext& call, const v1::PreregisterTracesRequest& request,
                               Done<v1::PreregisterTracesResponse> done) {
                          queries_.Preregister(call, request, std::move(done));
                        });
}

grpc::ServerUnaryReactor* TraceService::GetTrace(grpc::CallbackServerContext* context,
                                                 const grpc::ByteBuffer* request,
                                                 grpc::ByteBuffer* response) {
  return runtime_.Unary(
      context, "assay.trace.v1.TraceService/GetTrace", request, response,
      [this](const CallContext&, const grpc::ByteBuffer& request, Done<grpc::ByteBuffer> done) {
        absl::StatusOr<v1::GetTraceRequest> parsed = ParseGetTrace(request);
        absl::StatusOr<std::string> answer =
            parsed.ok() ? queries_.Get(*parsed) : absl::StatusOr<std::string>(parsed.status());
        if (!answer.ok()) return std::move(done)(answer.status());
        const grpc::Slice slice(*answer);
        std::move(done)(grpc::ByteBuffer(&slice, 1));
      });
}

grpc::ServerUnaryReactor* TraceService::SearchTraces(grpc::CallbackServerContext* context,
                                                     const v1::SearchTracesRequest* request,
                                                     v1::SearchTracesResponse* response) {
  return runtime_.Unary(context, "assay.trace.v1.TraceService/SearchTraces", request, response,
                        [this](const CallContext& call, const v1::SearchTracesRequest& request,
                               Done<v1::SearchTracesResponse> done) {
                          queries_.Search(call, request, std::move(done));
                        });
}

grpc::ServerUnaryReactor* TraceService::AggregateTraces(grpc::CallbackServerContext* context,
                                                        const v1::AggregateTracesRequest* request,
                                                        v1::AggregateTracesResponse* response) {
  return runtime_.Unary(context, "assay.trace.v1.TraceService/AggregateTraces", request, response,
                        [this](const CallContext& call, const v1::AggregateTracesRequest& request,
                               Done<v1::AggregateTracesResponse> done) {
                          queries_.Aggregate(call, request, std::move(done));
                        });
}

grpc::ServerUnaryReactor* ProjectionService::ApplyAssessments(
    grpc::CallbackServerContext* context, const v1::ApplyAssessmentsRequest* request,
    v1::ApplyAssessmentsResponse* response) {
  return runtime_.Unary(context, "assay.trace.v1.AssessmentProjectionService/ApplyAssessments",
                        request, response,
                        [this](const CallContext&, const v1::ApplyAssessmentsRequest& request,
                               Done<v1::ApplyAssessmentsResponse> done) {
                          projection_.Apply(request, std::move(done));
                        });
}

grpc::ServerUnaryReactor* ProjectionService::FindMissingTraces(
    grpc::CallbackServerContext* context, const v1::FindMissingTracesRequest* request,
    v1::FindMissingTracesResponse* response) {
  return runtime_.Unary(context, "assay.trace.v1.AssessmentProjectionService/FindMissingTraces",
                        request, response,
                        [this](const CallContext&, const v1::FindMissingTracesRequest& request,
                               Done<v1::FindMissingTracesResponse> done) {
                          std::move(done)(projection_.FindMissing(request));
                        });
}

}  // namespace assay::trace
