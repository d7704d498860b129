// Plain questions to a model, for the services that need one.
#ifndef ASSAY_SERVICES_JUDGE_CORE_CALLS_MODEL_CALLS_H_
#define ASSAY_SERVICES_JUDGE_CORE_CALLS_MODEL_CALLS_H_

#include <string>

#include "assay/judge/v1/judge_service.pb.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"
#include "services/judge/core/calls/recorded_calls.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// Thread-safe. What it is given outlives it and its calls.
class ModelCalls {
 public:
  ModelCalls(ModelClient& models, RecordedCalls& recorded, std::string default_model)
      : models_(models), recorded_(recorded), default_model_(std::move(default_model)) {}

  // As ModelService.Complete. Blocks on storage for the look-up of a request id; `done` is called
  // exactly once, inline only for requests that are refused at once or recorded already.
  void Complete(const CallContext& context, const v1::CompleteRequest& request,
                Done<v1::CompleteResponse> done);

 private:
  ModelClient& models_;
  RecordedCalls& recorded_;
  const std::string default_model_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_CALLS_MODEL_CALLS_H_
