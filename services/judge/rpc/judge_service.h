// gRPC adapter of single judgements, streams and batches of them.
#ifndef ASSAY_SERVICES_JUDGE_RPC_JUDGE_SERVICE_H_
#define ASSAY_SERVICES_JUDGE_RPC_JUDGE_SERVICE_H_

#include "assay/judge/v1/judge_service.grpc.pb.h"
#include "common/exec/executor.h"
#include "common/rpc/runtime.h"
#include "services/judge/core/calls/judge_calls.h"

namespace assay::judge {

// Requests of one stream whose answers have not been written yet; the next one is not read before.
inline constexpr size_t kMaxStreamInFlight = 1'000;

// Judgements are begun on `cpu`, where they compute; what blocks goes elsewhere by itself. Thread-safe.
// What it is given outlives it.
class JudgeService final : public v1::JudgeService::CallbackService {
 public:
  JudgeService(JudgeCalls& judgements, Executor& cpu, rpc::Runtime& runtime)
      : judgements_(judgements), cpu_(cpu), runtime_(runtime) {}

  grpc::ServerUnaryReactor* Judge(grpc::CallbackServerContext* context,
                                  const v1::JudgeRequest* request,
                                  v1::JudgeResponse* response) override;
  grpc::ServerBidiReactor<v1::JudgeStreamRequest, v1::JudgeStreamResponse>* JudgeStream(
      grpc::CallbackServerContext* context) override;
  grpc::ServerWriteReactor<v1::JudgeBatchResponse>* JudgeBatch(
      grpc::CallbackServerContext* context, const v1::JudgeBatchRequest* request) override;

 private:
  JudgeCalls& judgements_;
  Executor& cpu_;
  rpc::Runtime& runtime_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_RPC_JUDGE_SERVICE_H_
