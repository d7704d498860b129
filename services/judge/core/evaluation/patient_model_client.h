// A model that is down does not fail a job's rows one after the other: they wait for it.
#ifndef ASSAY_SERVICES_JUDGE_CORE_EVALUATION_PATIENT_MODEL_CLIENT_H_
#define ASSAY_SERVICES_JUDGE_CORE_EVALUATION_PATIENT_MODEL_CLIENT_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/sync/mutex.h"
#include "services/judge/core/evaluation/patience.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// Asks `inner`. A question that is not asked because the model's circuit is open (its error has the
// metadata `circuit`: `open`) waits and is asked again, and goes on waiting while the model cannot
// be reached, until it answers or refuses for other reasons. After `limit` without an answer of the
// model to any question, all that wait for it end with its error, and later ones end with it at
// once, until it answers again. CANCELLED as soon as the call is. Thread-safe.
class PatientModelClient final : public ModelClient {
 public:
  // What it is given outlives it, and it outlives its calls. `report` hears what is waited for, and
  // OK when the wait is over. `limit` 0: it never waits.
  PatientModelClient(ModelClient& inner, const Patience& patience, Clock& clock,
                     absl::Duration limit, TroubleReport report)
      : inner_(inner),
        patience_(patience),
        clock_(clock),
        limit_(limit),
        report_(std::move(report)) {}

  void Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) override;
  ModelTraits Traits(std::string_view model_uri) const override { return inner_.Traits(model_uri); }

 private:
  struct Question;

  void Ask(std::shared_ptr<Question> question);
  void OnAnswer(std::shared_ptr<Question> question, absl::StatusOr<ModelResponse> answer);
  // Whether there is time left to wait for the model, which could not be asked just now.
  bool MayWait(const std::string& model) ABSL_LOCKS_EXCLUDED(mutex_);
  void Answered(const std::string& model) ABSL_LOCKS_EXCLUDED(mutex_);

  ModelClient& inner_;
  const Patience& patience_;
  Clock& clock_;
  const absl::Duration limit_;
  const TroubleReport report_;
  Mutex mutex_;
  std::map<std::string, absl::Time> away_since_ ABSL_GUARDED_BY(mutex_);  // By the model's URI.
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_EVALUATION_PATIENT_MODEL_CLIENT_H_
