#include "services/judge/clients/limits/fallback_model_client.h"

#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judge {
namespace {

bool CallsForAnother(const absl::Status& error) {
  const std::string reason = ErrorReason(error);
  return reason == "MODEL_UNREACHABLE" || reason == "MODEL_QUOTA_EXHAUSTED" ||
         reason == "MODEL_TIMEOUT";
}

// A fallback that lacks its key is passed over; a first model without one is the caller's matter.
bool IsPassedOver(const absl::Status& error, int failed_before) {
  return CallsForAnother(error) ||
         (failed_before > 0 && ErrorReason(error) == "MODEL_NOT_CONFIGURED");
}

int AttemptsOf(const absl::Status& error) {
  int attempts = 0;
  const std::optional<std::string> text = ErrorMetadata(error, "attempts");
  if (!text.has_value() || !absl::SimpleAtoi(*text, &attempts)) return 1;
  return attempts;
}

}  // namespace

struct FallbackModelClient::Chain {
  ModelRequest request;  // Its model is the one that is asked.
  CallContext context;
  Done<ModelResponse> done;
  std::vector<std::string> next;  // The last one first.
  absl::Status first_error;
  int failed = 0;
  int attempts = 0;  // Of those that failed.
};

void FallbackModelClient::Complete(ModelRequest request, CallContext context,
                                   Done<ModelResponse> done) {
  const std::vector<std::string>& chain =
      request.fallback_models.empty() ? default_chain_ : request.fallback_models;
  if (chain.empty()) {
    std::string model = request.model_uri;
    inner_.Complete(std::move(request), std::move(context),
                    [model = std::move(model),
                     done = std::move(done)](absl::StatusOr<ModelResponse> answer) mutable {
                      if (answer.ok()) answer->model_uri = std::move(model);
                      std::move(done)(std::move(answer));
                    });
    return;
  }
  auto all = std::make_unique<Chain>();
  all->next.assign(chain.rbegin(), chain.rend());
  all->request = std::move(request);
  all->context = std::move(context);
  all->done = std::move(done);
  Ask(std::move(all));
}

void FallbackModelClient::Ask(std::unique_ptr<Chain> chain) {
  ModelRequest request = chain->request;
  CallContext context = chain->context;
  inner_.Complete(std::move(request), std::move(context),
                  [this, chain = std::move(chain)](absl::StatusOr<ModelResponse> answer) mutable {
                    OnAnswer(std::move(chain), std::move(answer));
                  });
}

void FallbackModelClient::OnAnswer(std::unique_ptr<Chain> chain,
                                   absl::StatusOr<ModelResponse> answer) {
  if (answer.ok()) {
    answer->model_uri = chain->request.model_uri;
    answer->attempts += chain->attempts;
    return std::move(chain->done)(std::move(answer));
  }
  const bool passed_over = IsPassedOver(answer.status(), chain->failed);
  const bool goes_on = passed_over && chain->context.Check(clock_.Now()).ok();
  chain->attempts += AttemptsOf(answer.status());
  ++chain->failed;
  if (chain->first_error.ok()) chain->first_error = answer.status();
  // The same model again would be a second retry layer.
  while (!chain->next.empty() && chain->next.back() == chain->request.model_uri) {
    chain->next.pop_back();
  }
  if (goes_on && !chain->next.empty()) {
    chain->request.model_uri = std::move(chain->next.back());
    chain->next.pop_back();
    return Ask(std::move(chain));
  }
  // What the caller can do something about outweighs that the first model was away.
  absl::Status error = passed_over ? chain->first_error : answer.status();
  error = AddErrorMetadata(std::move(error), "attempts", StrCat(chain->attempts));
  if (chain->failed > 1) {
    error = AddErrorMetadata(std::move(error), "fallbacks", StrCat(chain->failed - 1));
  }
  std::move(chain->done)(std::move(error));
}

}  // namespace assay::judge
