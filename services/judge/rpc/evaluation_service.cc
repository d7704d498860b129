#include "services/judge/rpc/evaluation_service.h"

#include <memory>
#include <utility>

#include "common/names/resource_name.h"

namespace assay::judge {

grpc::ServerUnaryReactor* EvaluationService::CreateEvaluation(
    grpc::CallbackServerContext* context, const v1::CreateEvaluationRequest* request,
    v1::CreateEvaluationResponse* response) {
  return runtime_.Unary(context, "assay.judge.v1.EvaluationService/CreateEvaluation", request,
                        response,
                        [this](const CallContext& call, const v1::CreateEvaluationRequest& request,
                               Done<v1::CreateEvaluationResponse> done) {
                          evaluations_.Create(call, request, std::move(done));
                        });
}

grpc::ServerUnaryReactor* EvaluationService::AppendEvaluationRows(
    grpc::CallbackServerContext* context, const v1::AppendEvaluationRowsRequest* request,
    v1::AppendEvaluationRowsResponse* response) {
  return runtime_.Unary(
      context, "assay.judge.v1.EvaluationService/AppendEvaluationRows", request, response,
      [this](const CallContext& call, const v1::AppendEvaluationRowsRequest& request,
             Done<v1::AppendEvaluationRowsResponse> done) {
        evaluations_.AppendRows(call, request, std::move(done));
      });
}

grpc::ServerUnaryReactor* EvaluationService::GetEvaluation(grpc::CallbackServerContext* context,
                                                           const v1::GetEvaluationRequest* request,
                                                           v1::GetEvaluationResponse* response) {
  return runtime_.Unary(
      context, "assay.judge.v1.EvaluationService/GetEvaluation", request, response,
      [this](const CallContext&, const v1::GetEvaluationRequest& request,
             Done<v1::GetEvaluationResponse> done) { std::move(done)(evaluations_.Get(request)); });
}

grpc::ServerUnaryReactor* EvaluationService::ListEvaluations(
    grpc::CallbackServerContext* context, const v1::ListEvaluationsRequest* request,
    v1::ListEvaluationsResponse* response) {
  return runtime_.Unary(context, "assay.judge.v1.EvaluationService/ListEvaluations", request,
                        response,
                        [this](const CallContext&, const v1::ListEvaluationsRequest& request,
                               Done<v1::ListEvaluationsResponse> done) {
                          std::move(done)(evaluations_.List(request));
                        });
}

grpc::ServerUnaryReactor* EvaluationService::ListEvaluationRows(
    grpc::CallbackServerContext* context, const v1::ListEvaluationRowsRequest* request,
    v1::ListEvaluationRowsResponse* response) {
  return runtime_.Unary(context, "assay.judge.v1.EvaluationService/ListEvaluationRows", request,
                        response,
                        [this](const CallContext&, const v1::ListEvaluationRowsRequest& request,
                               Done<v1::ListEvaluationRowsResponse> done) {
                          std::move(done)(evaluations_.ListRows(request));
                        });
}

grpc::ServerWriteReactor<v1::WatchEvaluationResponse>* EvaluationService::WatchEvaluation(
    grpc::CallbackServerContext* context, const v1::WatchEvaluationRequest* request) {
  return runtime_.ServerStream<v1::WatchEvaluationResponse>(
      context, "assay.judge.v1.EvaluationService/WatchEvaluation", request,
      [this](const CallContext&, const v1::WatchEvaluationRequest& request,
             std::shared_ptr<StreamSink<v1::WatchEvaluationResponse>> sink) {
        absl::StatusOr<names::EvaluationName> name = names::EvaluationName::Parse(request.name());
        if (!name.ok()) return sink->Finish(name.status());
        watch_.Watch(*name, std::move(sink));
      },
      // A reader that does not keep up misses steps instead of piling them up.
      {.backlog = 2});
}

grpc::ServerUnaryReactor* EvaluationService::CancelEvaluation(
    grpc::CallbackServerContext* context, const v1::CancelEvaluationRequest* request,
    v1::CancelEvaluationResponse* response) {
  return runtime_.Unary(context, "assay.judge.v1.EvaluationService/CancelEvaluation", request,
                        response,
                        [this](const CallContext& call, const v1::CancelEvaluationRequest& request,
                               Done<v1::CancelEvaluationResponse> done) {
                          evaluations_.Cancel(call, request, std::move(done));
                        });
}

}  // namespace assay::judge
