// Keeps the books: what each call costs, and whether its experiment can afford it.
#ifndef ASSAY_SERVICES_JUDGE_CORE_USAGE_ACCOUNTED_MODEL_CLIENT_H_
#define ASSAY_SERVICES_JUDGE_CORE_USAGE_ACCOUNTED_MODEL_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "common/clock/clock.h"
#include "services/judge/core/model_client.h"
#include "services/judge/core/usage/budgets.h"
#include "services/judge/core/usage/model_prices.h"
#include "services/judge/core/usage/usage_ledger.h"

namespace assay::judge {

// Every call to `inner` is counted under its account, its model and the day, and its answer gets
// its price. Where budgets bound the account's experiment, the call first has the most that it may
// consume set aside (Budgets): a request without max_tokens then gets one, so that there is a most.
// An attempt whose answer never came counts as the tokens that it was likely read with. Thread-safe.
class AccountedModelClient final : public ModelClient {
 public:
  // All outlive its calls.
  struct Dependencies {
    UsageLedger* ledger;
    Budgets* budgets;
    const ModelPrices* prices;
    Clock* clock;
    // What a call may cost before it is made, and how a failed one is counted.
    std::function<int64_t(const ModelRequest&)> most_input_tokens;
    std::function<int64_t(const ModelRequest&)> likely_input_tokens;
    std::function<UsageField(const absl::Status&)> error_field;
    std::function<bool(const absl::Status&)> may_have_cost;
    int64_t max_output_tokens = 8192;  // Of budgeted requests that do not say.
  };

  AccountedModelClient(ModelClient& inner, Dependencies dependencies)
      : inner_(inner), dependencies_(std::move(dependencies)) {}

  void Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) override;
  ModelTraits Traits(std::string_view model_uri) const override { return inner_.Traits(model_uri); }

  // Counts a request that was answered without a call.
  void CountHit(const ModelAccount& account, std::string_view model_uri);

 private:
  struct Call;
  void Budgeted(ModelRequest request, CallContext context, Done<ModelResponse> done);
  void Ask(std::unique_ptr<Call> call, ModelRequest request, CallContext context);
  void Finish(std::unique_ptr<Call> call, absl::StatusOr<ModelResponse> answer);

  ModelClient& inner_;
  const Dependencies dependencies_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_USAGE_ACCOUNTED_MODEL_CLIENT_H_
