#include "services/alignment/core/paid_calls.h"

#include <utility>

#include "absl/time/time.h"
#include "common/json/canonical.h"
#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::alignment {
namespace {

// How long a step waits for a service that is away, its own work included.
constexpr absl::Duration kStepDeadline = absl::Minutes(9);
constexpr size_t kMaxErrorChars = 1'000;

bool IsAboutTheTrace(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsInvalidArgument(status);
}

judge::v1::JudgeResponse Unjudged(const absl::Status& status) {
  judge::v1::JudgeResponse response;
  common::v1::Feedback& feedback = *response.mutable_feedback();
  feedback.set_outcome(common::v1::OUTCOME_ERROR);
  const std::string reason = ErrorReason(status);
  feedback.mutable_error()->set_code(reason.empty() ? "NOT_JUDGED" : reason);
  feedback.mutable_error()->set_message(json::PreviewOf(
      std::string_view(status.message().data(), status.message().size()), kMaxErrorChars));
  return response;
}

template <class Message>
absl::StatusOr<Message> Parse(const std::string& bytes) {
  Message message;
  if (!message.ParseFromString(bytes)) {
    return MakeError(absl::StatusCode::kDataLoss, "RECORD_UNREADABLE",
                     "a recorded answer cannot be read");
  }
  return message;
}

}  // namespace

CallContext PaidCalls::Context() const {
  CallContext context;
  context.deadline = clock_.Now() + kStepDeadline;
  context.cancel = cancel_;
  return context;
}

std::string PaidCalls::RequestId(const std::string& step) const {
  return StrCat("alignment-", json::Sha256Hex(StrCat(uid_, "\n", step)).substr(0, 48));
}

void PaidCalls::Count(const common::v1::Usage& usage) {
  MutexLock lock(&mutex_);
  usage_.set_input_tokens(usage_.input_tokens() + usage.input_tokens());
  usage_.set_output_tokens(usage_.output_tokens() + usage.output_tokens());
  usage_.set_model_calls(usage_.model_calls() + usage.model_calls());
}

common::v1::Usage PaidCalls::usage() const {
  MutexLock lock(&mutex_);
  return usage_;
}

absl::Status PaidCalls::CheckCancelled() const {
  if (cancel_ != nullptr && cancel_->IsCancelled())
    return absl::CancelledError("the alignment was stopped");
  return absl::OkStatus();
}

void PaidCalls::Judge(const std::string& step, judge::v1::JudgeRequest request,
                      Done<judge::v1::JudgeResponse> done) {
  request.set_request_id(RequestId(step));
  jobs::Once(
      journal_, step,
      [this, request = std::move(request)](Done<std::string> answered) mutable {
        judge_.Judge(std::move(request), Context(),
                     [answered = std::move(answered)](
                         absl::StatusOr<judge::v1::JudgeResponse> response) mutable {
                       if (!response.ok() && IsAboutTheTrace(response.status())) {
                         response = Unjudged(response.status());
                       }
                       if (!response.ok()) return std::move(answered)(response.status());
                       std::move(answered)(response->SerializeAsString());
                     });
      },
      [this, done = std::move(done)](absl::StatusOr<std::string> bytes) mutable {
        if (!bytes.ok()) return std::move(done)(bytes.status());
        absl::StatusOr<judge::v1::JudgeResponse> response = Parse<judge::v1::JudgeResponse>(*bytes);
        if (response.ok()) Count(response->feedback().provenance().usage());
        std::move(done)(std::move(response));
      });
}

void PaidCalls::Complete(const std::string& step, judge::v1::CompleteRequest request,
                         Done<judge::v1::CompleteResponse> done) {
  request.set_request_id(RequestId(step));
  jobs::Once(
      journal_, step,
      [this, request = std::move(request)](Done<std::string> answered) mutable {
        model_.Complete(std::move(request), Context(),
                        [answered = std::move(answered)](
                            absl::StatusOr<judge::v1::CompleteResponse> response) mutable {
                          if (!response.ok()) return std::move(answered)(response.status());
                          std::move(answered)(response->SerializeAsString());
                        });
      },
      [this, done = std::move(done)](absl::StatusOr<std::string> bytes) mutable {
        if (!bytes.ok()) return std::move(done)(bytes.status());
        absl::StatusOr<judge::v1::CompleteResponse> response =
            Parse<judge::v1::CompleteResponse>(*bytes);
        if (response.ok()) Count(response->usage());
        std::move(done)(std::move(response));
      });
}

}  // namespace assay::alignment
