// A ModelClient that a test answers for. For tests.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_SCRIPTED_MODEL_CLIENT_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_SCRIPTED_MODEL_CLIENT_H_

#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// What a client did. Not thread-safe: for tests on one thread, with an InlineExecutor.
struct ModelScript {
  // Given at once, in order. When there is none, the call is kept in `open`.
  std::deque<absl::StatusOr<ModelResponse>> answers;
  std::deque<Done<ModelResponse>> open;
  std::vector<ModelRequest> requests;

  // Answers the oldest open call.
  void AnswerOpen(absl::StatusOr<ModelResponse> answer) {
    Done<ModelResponse> done = std::move(open.front());
    open.pop_front();
    std::move(done)(std::move(answer));
  }
};

class ScriptedModelClient final : public ModelClient {
 public:
  explicit ScriptedModelClient(ModelScript* script) : script_(script) {}

  void Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) override {
    script_->requests.push_back(std::move(request));
    if (script_->answers.empty()) {
      script_->open.push_back(std::move(done));
      return;
    }
    absl::StatusOr<ModelResponse> answer = std::move(script_->answers.front());
    script_->answers.pop_front();
    std::move(done)(std::move(answer));
  }

 private:
  ModelScript* const script_;
};

// What came of a call: empty until it is answered.
class ModelAnswer {
 public:
  Done<ModelResponse> Taker() {
    return
        [shared = shared_](absl::StatusOr<ModelResponse> answer) { *shared = std::move(answer); };
  }
  bool has_value() const { return shared_->has_value(); }
  const absl::StatusOr<ModelResponse>& operator*() const { return **shared_; }

 private:
  std::shared_ptr<std::optional<absl::StatusOr<ModelResponse>>> shared_ =
      std::make_shared<std::optional<absl::StatusOr<ModelResponse>>>();
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_SCRIPTED_MODEL_CLIENT_H_
