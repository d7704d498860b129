#include "services/judge/core/usage/model_prices.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "common/strings/strings.h"

namespace assay::judge {
namespace {

// A price of a dollar a million tokens is this many billionths a token.
constexpr double kNanosPerToken = 1000;

int64_t Nanos(double dollars_per_million_times_tokens) {
  return static_cast<int64_t>(std::ceil(dollars_per_million_times_tokens * kNanosPerToken));
}

}  // namespace

ModelPrices::Known ModelPrices::Lookup(std::string_view model_uri, std::string_view answered_by,
                                       absl::Time now) const {
  constexpr size_t kMostKnown = 1000;
  const int64_t unix_s = absl::ToUnixSeconds(now);
  const int64_t day = unix_s / 86'400;
  std::string key = StrCat(model_uri, "\n", answered_by);
  {
    MutexLock lock(&mutex_);
    const auto found = known_.find(key);
    if (found != known_.end() && found->second.day == day) return found->second;
  }
  const PricedModel model = resolve_(model_uri);
  Known known;
  known.day = day;
  known.is_free = model.provider == "offline";
  if (!known.is_free) {
    known.price = table_.Find(model.provider, model.model, unix_s);
    if (known.price == nullptr) {
      known.price = table_.Find(model.provider, answered_by, unix_s);
    }
  }
  if (model.provider.empty()) return known;  // It may be configured later.
  MutexLock lock(&mutex_);
  if (known_.size() >= kMostKnown) known_.clear();
  known_[std::move(key)] = known;
  return known;
}

std::optional<int64_t> ModelPrices::CostOf(std::string_view model_uri,
                                           const ModelResponse& response, absl::Time now) const {
  const Known known = Lookup(model_uri, response.answered_by, now);
  if (known.is_free) return 0;
  const pricing::Price* const price = known.price;
  if (price == nullptr) return std::nullopt;
  const int64_t cached = std::clamp<int64_t>(response.cached_input_tokens, 0,
                                             std::max<int64_t>(response.input_tokens, 0));
  const double cost = static_cast<double>(response.input_tokens - cached) * price->input +
                      static_cast<double>(cached) * price->cache_read.value_or(price->input) +
                      static_cast<double>(response.output_tokens) * price->output;
  return Nanos(cost);
}

std::optional<int64_t> ModelPrices::MostFor(std::string_view model_uri, int64_t input_tokens,
                                            int64_t output_tokens, absl::Time now) const {
  const Known known = Lookup(model_uri, "", now);
  if (known.is_free) return 0;
  const pricing::Price* const price = known.price;
  if (price == nullptr) return std::nullopt;
  const double input =
      std::max({price->input, price->cache_read.value_or(0.0), price->cache_write.value_or(0.0)});
  const double output = std::max(price->output, price->reasoning.value_or(0.0));
  return Nanos(static_cast<double>(input_tokens) * input +
               static_cast<double>(output_tokens) * output);
}

}  // namespace assay::judge
