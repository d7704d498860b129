// What users implement: scorers, and the application under evaluation.
#ifndef ASSAY_SERVICES_JUDGE_CORE_USER_PORTS_H_
#define ASSAY_SERVICES_JUDGE_CORE_USER_PORTS_H_

#include "assay/judge/v1/evaluation_service.pb.h"
#include "assay/judge/v1/user_services.pb.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"

namespace assay::judge {

// Thread-safe.
class ScorerPort {
 public:
  virtual ~ScorerPort() = default;

  // The answer as it came, not yet checked. Calls `done` exactly once, never inline. Errors have a
  // reason: SCORER_TIMEOUT, SCORER_UNREACHABLE, SCORER_FAILED (the scorer's own error),
  // SCORER_INVALID_RESPONSE (too large); CANCELLED only if the context is.
  virtual void Score(const v1::Scorer& scorer, v1::ScoreRequest request, CallContext context,
                     Done<v1::ScoreResponse> done) = 0;
};

// Thread-safe.
class PredictorPort {
 public:
  virtual ~PredictorPort() = default;

  // The answer as it came, not yet checked. The context's `traceparent` goes to the application.
  // Calls `done` exactly once, never inline. Errors as ScorerPort, with PREDICTOR_.
  virtual void Predict(const v1::Predictor& predictor, v1::PredictRequest request,
                       CallContext context, Done<v1::PredictResponse> done) = 0;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_USER_PORTS_H_
