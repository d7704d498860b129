#include "services/judge/rpc/judge_service.h"

#include <memory>
#include <utility>

#include "services/judge/core/calls/keyed_judgements.h"

namespace assay::judge {

grpc::ServerUnaryReactor* JudgeService::Judge(grpc::CallbackServerContext* context,
                                              const v1::JudgeRequest* request,
                                              v1::JudgeResponse* response) {
  return runtime_.Unary(
      context, "assay.judge.v1.JudgeService/Judge", request, response,
      [this](const CallContext& call, const v1::JudgeRequest& request,
             Done<v1::JudgeResponse> done) { judgements_.Judge(call, request, std::move(done)); },
      &cpu_);
}

grpc::ServerBidiReactor<v1::JudgeStreamRequest, v1::JudgeStreamResponse>* JudgeService::JudgeStream(
    grpc::CallbackServerContext* context) {
  auto session = std::make_shared<JudgeStreamSession>(judgements_);
  return runtime_.Bidi<v1::JudgeStreamRequest, v1::JudgeStreamResponse>(
      context, "assay.judge.v1.JudgeService/JudgeStream",
      [session](CallContext call, v1::JudgeStreamRequest request,
                Done<v1::JudgeStreamResponse> done) {
        session->Judge(std::move(call), std::move(request), std::move(done));
      },
      {.max_in_flight = kMaxStreamInFlight, .executor = &cpu_});
}

grpc::ServerWriteReactor<v1::JudgeBatchResponse>* JudgeService::JudgeBatch(
    grpc::CallbackServerContext* context, const v1::JudgeBatchRequest* request) {
  return runtime_.ServerStream<v1::JudgeBatchResponse>(
      context, "assay.judge.v1.JudgeService/JudgeBatch", request,
      [this](const CallContext& call, const v1::JudgeBatchRequest& request,
             std::shared_ptr<StreamSink<v1::JudgeBatchResponse>> sink) {
        judge::JudgeBatch(judgements_, cpu_, call, request, std::move(sink));
      });
}

}  // namespace assay::judge
