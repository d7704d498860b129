// gRPC adapter of Alignments.
#ifndef ASSAY_SERVICES_ALIGNMENT_RPC_ALIGNMENT_SERVICE_H_
#define ASSAY_SERVICES_ALIGNMENT_RPC_ALIGNMENT_SERVICE_H_

#include "assay/alignment/v1/alignment_service.grpc.pb.h"
#include "common/rpc/runtime.h"
#include "services/alignment/core/alignments.h"

namespace assay::alignment {

// Thread-safe. Both outlive it.
class AlignmentService final : public v1::AlignmentService::CallbackService {
 public:
  AlignmentService(Alignments& alignments, rpc::Runtime& runtime)
      : alignments_(alignments), runtime_(runtime) {}

  grpc::ServerUnaryReactor* CreateAlignment(grpc::CallbackServerContext* context,
                                            const v1::CreateAlignmentRequest* request,
                                            v1::CreateAlignmentResponse* response) override;
  grpc::ServerUnaryReactor* GetAlignment(grpc::CallbackServerContext* context,
                                         const v1::GetAlignmentRequest* request,
                                         v1::GetAlignmentResponse* response) override;
  grpc::ServerUnaryReactor* ListAlignments(grpc::CallbackServerContext* context,
                                           const v1::ListAlignmentsRequest* request,
                                           v1::ListAlignmentsResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchAlignmentResponse>* WatchAlignment(
      grpc::CallbackServerContext* context, const v1::WatchAlignmentRequest* request) override;
  grpc::ServerUnaryReactor* CancelAlignment(grpc::CallbackServerContext* context,
                                            const v1::CancelAlignmentRequest* request,
                                            v1::CancelAlignmentResponse* response) override;
  grpc::ServerUnaryReactor* RegisterAlignment(grpc::CallbackServerContext* context,
                                              const v1::RegisterAlignmentRequest* request,
                                              v1::RegisterAlignmentResponse* response) override;

 private:
  Alignments& alignments_;
  rpc::Runtime& runtime_;
};

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_RPC_ALIGNMENT_SERVICE_H_
