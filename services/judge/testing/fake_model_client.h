// A scripted model. For tests.
#ifndef ASSAY_SERVICES_JUDGE_TESTING_FAKE_MODEL_CLIENT_H_
#define ASSAY_SERVICES_JUDGE_TESTING_FAKE_MODEL_CLIENT_H_

#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/exec/call_context.h"
#include "common/exec/executor.h"
#include "common/sync/mutex.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// Answers with what was scripted, in order, then with the responder's answers if one is set, else
// with INTERNAL. Records every request. Thread-safe.
class FakeModelClient final : public ModelClient {
 public:
  using Responder = std::function<absl::StatusOr<ModelResponse>(const ModelRequest&)>;
  using ContextResponder =
      std::function<absl::StatusOr<ModelResponse>(const ModelRequest&, const CallContext&)>;

  // `executor` runs the answers, and outlives the client.
  explicit FakeModelClient(Executor* executor) : executor_(executor) {}

  void AddResponse(absl::StatusOr<ModelResponse> response) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    responses_.push_back(std::move(response));
  }

  // 10 tokens in, 5 out, by `fake-1`.
  void AddText(std::string text, bool truncated = false) {
    AddResponse(TextResponse(std::move(text), truncated));
  }

  void SetResponder(Responder responder) {
    SetResponder(
        [responder = std::move(responder)](const ModelRequest& request, const CallContext&) {
          return responder(request);
        });
  }

  // For models that hold their answers back until the caller gives up.
  void SetResponder(ContextResponder responder) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    responder_ = std::move(responder);
  }

  std::vector<ModelRequest> requests() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    return requests_;
  }

  static ModelResponse TextResponse(std::string text, bool truncated = false) {
    ModelResponse response;
    response.text = std::move(text);
    response.answered_by = "fake-1";
    response.input_tokens = 10;
    response.output_tokens = 5;
    response.truncated = truncated;
    return response;
  }

  void Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) override
      ABSL_LOCKS_EXCLUDED(mutex_) {
    executor_->Run([this, request = std::move(request), context = std::move(context),
                    done = std::move(done)]() mutable {
      absl::StatusOr<ModelResponse> answer = context.Cancelled()
                                                 ? absl::CancelledError("cancelled")
                                                 : Answer(std::move(request), context);
      std::move(done)(std::move(answer));
    });
  }

 private:
  absl::StatusOr<ModelResponse> Answer(ModelRequest request, const CallContext& context)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    ContextResponder responder;
    {
      MutexLock lock(&mutex_);
      requests_.push_back(request);
      if (!responses_.empty()) {
        absl::StatusOr<ModelResponse> answer = std::move(responses_.front());
        responses_.pop_front();
        return answer;
      }
      responder = responder_;
    }
    if (!responder) return absl::InternalError("nothing is scripted");
    return responder(request, context);
  }

  Executor* const executor_;
  mutable Mutex mutex_;
  std::deque<absl::StatusOr<ModelResponse>> responses_ ABSL_GUARDED_BY(mutex_);
  std::vector<ModelRequest> requests_ ABSL_GUARDED_BY(mutex_);
  ContextResponder responder_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_TESTING_FAKE_MODEL_CLIENT_H_
