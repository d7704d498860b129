// What calls of models cost.
#ifndef ASSAY_SERVICES_JUDGE_CORE_USAGE_MODEL_PRICES_H_
#define ASSAY_SERVICES_JUDGE_CORE_USAGE_MODEL_PRICES_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "common/pricing/price_table.h"
#include "common/sync/mutex.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// What a model's URI means to a price table.
struct PricedModel {
  std::string provider;  // "openai", "endpoints/local"; "offline" is free.
  std::string model;     // "" if only the server knows.
};

// Costs are billionths of a US dollar. Thread-safe.
class ModelPrices {
 public:
  using Resolve = std::function<PricedModel(std::string_view model_uri)>;

  // `resolve` is thread-safe.
  ModelPrices(pricing::PriceTable table, Resolve resolve)
      : table_(std::move(table)), resolve_(std::move(resolve)) {}

  // Of an answer: by the price of the model that was asked, or, if it has none, of the one that
  // says that it answered. nullopt if neither has one.
  std::optional<int64_t> CostOf(std::string_view model_uri, const ModelResponse& response,
                                absl::Time now) const;

  // The most that so many tokens cost; nullopt if the model has no price.
  std::optional<int64_t> MostFor(std::string_view model_uri, int64_t input_tokens,
                                 int64_t output_tokens, absl::Time now) const;

 private:
  struct Known {
    int64_t day = -1;
    bool is_free = false;
    const pricing::Price* price = nullptr;  // In `table_`.
  };

  // Looked up once a day for each pair of names: judges ask few models.
  Known Lookup(std::string_view model_uri, std::string_view answered_by, absl::Time now) const
      ABSL_LOCKS_EXCLUDED(mutex_);

  const pricing::PriceTable table_;
  const Resolve resolve_;
  mutable Mutex mutex_;
  mutable absl::flat_hash_map<std::string, Known> known_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_USAGE_MODEL_PRICES_H_
