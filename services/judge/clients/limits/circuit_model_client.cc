#include "services/judge/clients/limits/circuit_model_client.h"

#include <algorithm>
#include <utility>

#include "common/status/errors.h"
#include "common/status/quota_errors.h"
#include "common/strings/strings.h"
#include "services/judge/clients/limits/failure_class.h"
#include "services/judge/clients/limits/limited_model_client.h"

namespace assay::judge {
namespace {

// Models are what users write: beyond this many failing ones nothing more is remembered.
constexpr size_t kMaxCircuits = 1000;

absl::Status CircuitIsOpen(const std::string& model, absl::Duration wait) {
  return WithRetryAfter(
      MakeError(absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE",
                StrCat(model, " failed several times in a row and is not asked for ",
                       absl::FormatDuration(absl::Ceil(wait, absl::Seconds(1)))),
                {{"circuit", "open"}, {"attempts", "0"}}),
      wait);
}

}  // namespace

CircuitModelClient::CircuitModelClient(std::unique_ptr<ModelClient> inner, const Options& options,
                                       Executor* executor, Clock* clock)
    : inner_(std::move(inner)), options_(options), executor_(executor), clock_(clock) {}

void CircuitModelClient::Complete(ModelRequest request, CallContext context,
                                  Done<ModelResponse> done) {
  bool probe = false;
  const absl::Duration wait = Admit(request.model_uri, &probe);
  if (wait > absl::ZeroDuration()) {
    executor_->Run([error = CircuitIsOpen(request.model_uri, wait),
                    done = std::move(done)]() mutable { std::move(done)(std::move(error)); });
    return;
  }
  std::string model = request.model_uri;
  inner_->Complete(std::move(request), std::move(context),
                   [this, model = std::move(model), probe,
                    done = std::move(done)](absl::StatusOr<ModelResponse> answer) mutable {
                     OnEnd(model, probe, answer.status());
                     std::move(done)(std::move(answer));
                   });
}

absl::Duration CircuitModelClient::Admit(const std::string& model, bool* probe) {
  MutexLock lock(&mutex_);
  if (circuits_.empty()) return absl::ZeroDuration();
  const auto found = circuits_.find(model);
  if (found == circuits_.end()) return absl::ZeroDuration();
  Circuit& circuit = found->second;
  if (circuit.open_until == absl::InfinitePast()) return absl::ZeroDuration();
  const absl::Duration left = circuit.open_until - clock_->Now();
  if (left <= absl::ZeroDuration() && !circuit.probing) {
    circuit.probing = true;
    *probe = true;
    return absl::ZeroDuration();
  }
  // While the probe is under way, a moment.
  return std::max(left, absl::Seconds(1));
}

void CircuitModelClient::OnEnd(const std::string& model, bool probe, const absl::Status& status) {
  const FailureClass failure = FailureClassOf(status);
  // Calls that were given up, or that waited in vain, tell nothing of the model.
  const bool tells = failure != FailureClass::kCancelled && !WasNeverAsked(status);
  MutexLock lock(&mutex_);
  if (failure != FailureClass::kTransient || !tells) {
    if (circuits_.empty()) return;
    const auto found = circuits_.find(model);
    if (found == circuits_.end()) return;
    if (probe) found->second.probing = false;
    // An answer closes an open circuit whoever got it: calls that began before it opened too.
    if (tells) circuits_.erase(found);
    return;
  }
  if (options_.failures_to_open <= 0) return;
  if (circuits_.size() >= kMaxCircuits && !circuits_.contains(model)) return;
  Circuit& circuit = circuits_[model];
  ++circuit.failures;
  if (probe) circuit.probing = false;
  if (circuit.failures >= options_.failures_to_open &&
      (probe || circuit.open_until == absl::InfinitePast())) {
    circuit.open_until = clock_->Now() + options_.open_for;
  }
}

ModelTraits CircuitModelClient::Traits(std::string_view model_uri) const {
  return inner_->Traits(model_uri);
}

std::vector<std::string> CircuitModelClient::Open(size_t most) const {
  std::vector<std::string> open;
  MutexLock lock(&mutex_);
  for (const auto& [model, circuit] : circuits_) {
    if (open.size() >= most) break;
    if (circuit.open_until != absl::InfinitePast()) open.push_back(model);
  }
  return open;
}

}  // namespace assay::judge
