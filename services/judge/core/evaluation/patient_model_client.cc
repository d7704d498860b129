#include "services/judge/core/evaluation/patient_model_client.h"

#include <algorithm>
#include <utility>

#include "common/status/errors.h"

namespace assay::judge {
namespace {

// A circuit may close before the time that it says is over: another one's call got an answer.
constexpr absl::Duration kLongestWait = absl::Seconds(5);
constexpr absl::Duration kShortestWait = absl::Milliseconds(100);

bool IsCircuitOpen(const absl::Status& error) { return ErrorMetadata(error, "circuit") == "open"; }

bool IsAway(const absl::Status& error) {
  const std::string reason = ErrorReason(error);
  return reason == "MODEL_UNREACHABLE" || reason == "MODEL_TIMEOUT";
}

}  // namespace

struct PatientModelClient::Question {
  ModelRequest request;
  CallContext context;
  Done<ModelResponse> done;
  bool waited = false;
};

void PatientModelClient::Complete(ModelRequest request, CallContext context,
                                  Done<ModelResponse> done) {
  if (limit_ <= absl::ZeroDuration()) {
    return inner_.Complete(std::move(request), std::move(context), std::move(done));
  }
  Ask(std::make_shared<Question>(
      Question{std::move(request), std::move(context), std::move(done)}));
}

void PatientModelClient::Ask(std::shared_ptr<Question> question) {
  ModelRequest request = question->request;
  CallContext context = question->context;
  inner_.Complete(std::move(request), std::move(context),
                  [this, question = std::move(question)](absl::StatusOr<ModelResponse> answer) {
                    OnAnswer(question, std::move(answer));
                  });
}

void PatientModelClient::OnAnswer(std::shared_ptr<Question> question,
                                  absl::StatusOr<ModelResponse> answer) {
  const absl::Status error = answer.status();
  const std::string& model = question->request.model_uri;
  // Who waited for the circuit may be the one that is let through to see: if the model is away
  // still, it waits on.
  const bool waits = IsCircuitOpen(error) || (question->waited && IsAway(error));
  if (!waits && error.code() != absl::StatusCode::kCancelled && !IsAway(error)) Answered(model);
  if (!waits || question->context.Cancelled() || !MayWait(model)) {
    if (question->waited) report_(absl::OkStatus());
    return std::move(question->done)(std::move(answer));
  }
  question->waited = true;
  report_(error);
  const absl::Duration delay =
      std::clamp(RetryAfter(error).value_or(kShortestWait), kShortestWait, kLongestWait);
  patience_.Wait(question->context.cancel, delay, [this, question](absl::Status waited) {
    if (!waited.ok()) return std::move(question->done)(std::move(waited));
    Ask(question);
  });
}

bool PatientModelClient::MayWait(const std::string& model) {
  const absl::Time now = clock_.Now();
  MutexLock lock(&mutex_);
  return now - away_since_.emplace(model, now).first->second < limit_;
}

void PatientModelClient::Answered(const std::string& model) {
  MutexLock lock(&mutex_);
  if (!away_since_.empty()) away_since_.erase(model);
}

}  // namespace assay::judge
