#include "services/judge/core/usage/accounted_model_client.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "common/status/errors.h"

namespace assay::judge {
namespace {

constexpr double kNanos = 1e9;

int64_t AttemptsOf(const absl::Status& error) {
  int64_t attempts = 0;
  const std::optional<std::string> text = ErrorMetadata(error, "attempts");
  return text.has_value() && absl::SimpleAtoi(*text, &attempts) ? attempts : 0;
}

}  // namespace

struct AccountedModelClient::Call {
  std::string model_uri;
  ModelAccount account;
  Done<ModelResponse> done;
  bool budgeted = false;
  int64_t likely_input = 0;  // Of budgeted calls.
  Budgets::Reservation reservation;
};

void AccountedModelClient::Complete(ModelRequest request, CallContext context,
                                    Done<ModelResponse> done) {
  if (dependencies_.budgets->Bounds(request.account.experiment)) {
    return Budgeted(std::move(request), std::move(context), std::move(done));
  }
  auto call = std::make_unique<Call>();
  call->model_uri = request.model_uri;
  call->account = request.account;
  call->done = std::move(done);
  Ask(std::move(call), std::move(request), std::move(context));
}

void AccountedModelClient::Budgeted(ModelRequest request, CallContext context,
                                    Done<ModelResponse> done) {
  auto call = std::make_unique<Call>();
  call->model_uri = request.model_uri;
  call->account = request.account;
  call->done = std::move(done);
  call->budgeted = true;
  call->likely_input = dependencies_.likely_input_tokens(request);
  const auto [max_tokens, was_absent] = request.parameters.try_emplace(
      "max_tokens", static_cast<double>(dependencies_.max_output_tokens));
  const auto output = static_cast<int64_t>(max_tokens->second);
  const int64_t input = dependencies_.most_input_tokens(request);
  Budgets::Demand demand = {
      dependencies_.prices->MostFor(request.model_uri, input, output, dependencies_.clock->Now()),
      input + output, request.model_uri};
  const std::string experiment = request.account.experiment;
  CallContext waiting = context;
  dependencies_.budgets->Reserve(
      experiment, waiting, std::move(demand),
      [this, call = std::move(call), request = std::move(request),
       context = std::move(context)](absl::StatusOr<Budgets::Reservation> reserved) mutable {
        if (!reserved.ok()) return Finish(std::move(call), reserved.status());
        call->reservation = *std::move(reserved);
        Ask(std::move(call), std::move(request), std::move(context));
      });
}

void AccountedModelClient::Ask(std::unique_ptr<Call> call, ModelRequest request,
                               CallContext context) {
  inner_.Complete(std::move(request), std::move(context),
                  [this, call = std::move(call)](absl::StatusOr<ModelResponse> answer) mutable {
                    Finish(std::move(call), std::move(answer));
                  });
}

void AccountedModelClient::Finish(std::unique_ptr<Call> call,
                                  absl::StatusOr<ModelResponse> answer) {
  UsageCounts counts;
  counts[UsageField::kCalls] = 1;
  int64_t cost = 0;
  int64_t tokens = 0;
  const absl::Time now = dependencies_.clock->Now();
  if (answer.ok()) {
    const std::optional<int64_t> price =
        dependencies_.prices->CostOf(call->model_uri, *answer, now);
    cost = price.value_or(0);
    tokens = answer->input_tokens + answer->output_tokens;
    if (price.has_value()) answer->cost_usd = static_cast<double>(cost) / kNanos;
    counts[UsageField::kAttempts] = answer->attempts;
    counts[UsageField::kInputTokens] = answer->input_tokens;
    counts[UsageField::kOutputTokens] = answer->output_tokens;
    counts[UsageField::kCachedInputTokens] = answer->cached_input_tokens;
    counts[UsageField::kCostNanos] = cost;
    counts[UsageField::kUnpricedCalls] = price.has_value() ? 0 : 1;
  } else {
    counts[UsageField::kAttempts] = AttemptsOf(answer.status());
    counts[dependencies_.error_field(answer.status())] = 1;
    if (call->budgeted && dependencies_.may_have_cost(answer.status())) {
      tokens = call->likely_input;
      cost = dependencies_.prices->MostFor(call->model_uri, tokens, 0, now).value_or(0);
    }
  }
  dependencies_.ledger->Add(call->account, call->model_uri, counts);
  if (call->budgeted) call->reservation.Settle(cost, tokens);
  std::move(call->done)(std::move(answer));
}

void AccountedModelClient::CountHit(const ModelAccount& account, std::string_view model_uri) {
  UsageCounts counts;
  counts[UsageField::kCalls] = 1;
  counts[UsageField::kCacheHits] = 1;
  dependencies_.ledger->Add(account, model_uri, counts);
}

}  // namespace assay::judge
