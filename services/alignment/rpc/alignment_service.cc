#include "services/alignment/rpc/alignment_service.h"

#include <memory>
#include <utility>

namespace assay::alignment {

grpc::ServerUnaryReactor* AlignmentService::CreateAlignment(
    grpc::CallbackServerContext* context, const v1::CreateAlignmentRequest* request,
    v1::CreateAlignmentResponse* response) {
  return runtime_.Unary(context, "assay.alignment.v1.AlignmentService/CreateAlignment", request,
                        response,
                        [this](const CallContext& call, const v1::CreateAlignmentRequest& request,
                               Done<v1::CreateAlignmentResponse> done) {
                          alignments_.Create(call, request, std::move(done));
                        });
}

grpc::ServerUnaryReactor* AlignmentService::GetAlignment(grpc::CallbackServerContext* context,
                                                         const v1::GetAlignmentRequest* request,
                                                         v1::GetAlignmentResponse* response) {
  return runtime_.Unary(
      context, "assay.alignment.v1.AlignmentService/GetAlignment", request, response,
      [this](const CallContext&, const v1::GetAlignmentRequest& request,
             Done<v1::GetAlignmentResponse> done) { std::move(done)(alignments_.Get(request)); });
}

grpc::ServerUnaryReactor* AlignmentService::ListAlignments(grpc::CallbackServerContext* context,
                                                           const v1::ListAlignmentsRequest* request,
                                                           v1::ListAlignmentsResponse* response) {
  return runtime_.Unary(context, "assay.alignment.v1.AlignmentService/ListAlignments", request,
                        response,
                        [this](const CallContext&, const v1::ListAlignmentsRequest& request,
                               Done<v1::ListAlignmentsResponse> done) {
                          std::move(done)(alignments_.List(request));
                        });
}

grpc::ServerWriteReactor<v1::WatchAlignmentResponse>* AlignmentService::WatchAlignment(
    grpc::CallbackServerContext* context, const v1::WatchAlignmentRequest* request) {
  return runtime_.ServerStream<v1::WatchAlignmentResponse>(
      context, "assay.alignment.v1.AlignmentService/WatchAlignment", request,
      [this](const CallContext&, const v1::WatchAlignmentRequest& request,
             std::shared_ptr<StreamSink<v1::WatchAlignmentResponse>> sink) {
        alignments_.Watch(request, std::move(sink));
      });
}

grpc::ServerUnaryReactor* AlignmentService::CancelAlignment(
    grpc::CallbackServerContext* context, const v1::CancelAlignmentRequest* request,
    v1::CancelAlignmentResponse* response) {
  return runtime_.Unary(context, "assay.alignment.v1.AlignmentService/CancelAlignment", request,
                        response,
                        [this](const CallContext&, const v1::CancelAlignmentRequest& request,
                               Done<v1::CancelAlignmentResponse> done) {
                          alignments_.Cancel(request, std::move(done));
                        });
}

grpc::ServerUnaryReactor* AlignmentService::RegisterAlignment(
    grpc::CallbackServerContext* context, const v1::RegisterAlignmentRequest* request,
    v1::RegisterAlignmentResponse* response) {
  return runtime_.Unary(context, "assay.alignment.v1.AlignmentService/RegisterAlignment", request,
                        response,
                        [this](const CallContext& call, const v1::RegisterAlignmentRequest& request,
                               Done<v1::RegisterAlignmentResponse> done) {
                          alignments_.Register(call, request, std::move(done));
                        });
}

}  // namespace assay::alignment
