#include "services/judge/model_stack.h"

#include <array>
#include <map>
#include <optional>
#include <utility>

#include "common/pricing/price_table.h"
#include "common/proto/time.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "common/sync/notification.h"
#include "services/judge/clients/limits/failure_class.h"
#include "services/judge/clients/limits/fallback_model_client.h"
#include "services/judge/clients/limits/limited_model_client.h"
#include "services/judge/clients/limits/token_estimate.h"
#include "services/judge/clients/model_router.h"
#include "services/judge/clients/model_uri.h"
#include "services/judge/closable_timers.h"
#include "services/judge/core/cache/cached_model_client.h"
#include "services/judge/core/usage/accounted_model_client.h"
#include "services/judge/core/usage/budgets.h"
#include "services/judge/core/usage/model_prices.h"
#include "services/judge/core/usage/usage_ledger.h"
#include "services/judge/store/kv_response_cache.h"
#include "services/judge/store/kv_usage_store.h"

namespace assay::judge {
namespace {

constexpr int64_t kMebibyte = int64_t{1} << 20;
constexpr std::array kClasses = {
    FailureClass::kNone,   FailureClass::kTransient, FailureClass::kRate,     FailureClass::kQuota,
    FailureClass::kBudget, FailureClass::kPermanent, FailureClass::kCancelled};

absl::StatusOr<CacheMode> CacheModeOf(const ModelStackFlags& flags) {
  if (flags.response_cache_ttl <= absl::ZeroDuration() || flags.response_cache_mb == 0) {
    return CacheMode::kOff;
  }
  if (flags.response_cache == "off") return CacheMode::kOff;
  if (flags.response_cache == "repeatable") return CacheMode::kRepeatable;
  if (flags.response_cache == "all") return CacheMode::kAll;
  return InvalidField("response_cache", "allowed: repeatable, all, off", "INVALID_FLAG");
}

UsageField FieldOf(const absl::Status& error) {
  switch (FailureClassOf(error)) {
    case FailureClass::kTransient:
      return UsageField::kTransientErrors;
    case FailureClass::kRate:
      return UsageField::kRateErrors;
    case FailureClass::kQuota:
      return UsageField::kQuotaErrors;
    case FailureClass::kBudget:
      return UsageField::kBudgetErrors;
    case FailureClass::kCancelled:
      return UsageField::kCancelled;
    case FailureClass::kNone:
    case FailureClass::kPermanent:
      break;
  }
  return UsageField::kPermanentErrors;
}

// A question that was sent, and whose answer was not waited for, may have been answered.
bool MayHaveCost(const absl::Status& error) {
  if (WasNeverAsked(error)) return false;
  return error.code() == absl::StatusCode::kCancelled ||
         error.code() == absl::StatusCode::kDeadlineExceeded;
}

v1::ModelHealth::State StateOf(const ModelRouter::ProviderStatus& status, absl::Time now) {
  if (!status.configured) return v1::ModelHealth::STATE_NOT_CONFIGURED;
  if (!status.open_circuits.empty()) return v1::ModelHealth::STATE_CIRCUIT_OPEN;
  const LimitStats& limits = status.limits;
  if (limits.paused_until > now || (limits.recent.rate > 0 && limits.limit < limits.max_limit)) {
    return v1::ModelHealth::STATE_RATE_LIMITED;
  }
  if (limits.recent.failures * 10 > limits.recent.calls) return v1::ModelHealth::STATE_DEGRADED;
  return v1::ModelHealth::STATE_OK;
}

v1::ModelHealth HealthOf(const ModelRouter::ProviderStatus& status, absl::Time now) {
  const LimitStats& limits = status.limits;
  v1::ModelHealth health;
  health.set_state(StateOf(status, now));
  health.set_in_flight(limits.in_flight);
  health.set_queued(limits.queued);
  health.set_concurrency_limit(limits.limit);
  health.set_max_concurrency(limits.max_limit);
  if (limits.paused_until > now) {
    *health.mutable_paused_until() = proto::ToTimestamp(limits.paused_until);
  }
  health.set_recent_calls(limits.recent.calls);
  health.set_recent_failures(limits.recent.failures);
  if (limits.last_failure != FailureClass::kNone) {
    health.set_last_error_class(std::string(FailureClassName(limits.last_failure)));
    *health.mutable_last_error_time() = proto::ToTimestamp(limits.last_failure_time);
  }
  for (const std::string& model : status.open_circuits) health.add_open_circuits(model);
  return health;
}

std::function<void(FailureClass)> AttemptCounters(rpc::Metrics* metrics,
                                                  const std::string& uri_prefix) {
  std::vector<rpc::Counter> counters;
  for (const FailureClass failure : kClasses) {
    const std::string outcome(failure == FailureClass::kNone ? "OK" : FailureClassName(failure));
    counters.push_back(metrics->AddCounter("assay_model_attempts_total",
                                           "Attempts to get an answer from a model provider.",
                                           {{"provider", uri_prefix}, {"outcome", outcome}}));
  }
  return [counters = std::move(counters)](FailureClass failure) mutable {
    counters[static_cast<size_t>(failure)].Increment();
  };
}

}  // namespace

void AddModelStackFlags(config::FlagSet& flags, ModelStackFlags* values) {
  AddLimitFlags(flags, &values->limits);
  flags.Add("fallback_model", &values->fallback_model,
            "Model asked where the one before cannot be reached or has no quota left, for requests "
            "that name no fallbacks of their own. Repeat it for more, in order.",
            {.example = "openai:/gpt-4.1-mini"});
  flags.Add("response_cache", &values->response_cache,
            "Which answers of models are kept and given again: repeatable (asked with temperature "
            "0 or a seed), all, off.");
  flags.Add("response_cache_ttl", &values->response_cache_ttl,
            "How long answers are kept; 0: not at all.", {.min = 0, .max = 30 * 86'400});
  flags.Add("response_cache_mb", &values->response_cache_mb,
            "How many MiB of answers are kept; the oldest go first. 0: none.",
            {.min = 0, .max = 1'000'000});
  flags.Add("price_table", &values->price_table,
            "JSON file of prices in place of the built-in ones.", {.example = "prices.json"});
  flags.Add("budget_output_tokens", &values->budget_output_tokens,
            "Most tokens of an answer where a budget must be kept and the request does not say.",
            {.min = 1, .max = 1'000'000});
}

struct ModelStack::Parts {
  Parts(const ModelConfig& config, const LimitConfig& limits, const ModelStackFlags& flags,
        CacheMode mode, pricing::PriceTable prices_of, const Environment& environment,
        std::unique_ptr<ModelClient> offline)
      : clock(*environment.clock),
        timers(environment.timers),
        router(config, RouterDependencies(environment), std::move(offline), {}, limits),
        usage_store(*environment.store, *environment.storage, clock),
        ledger(usage_store, timers, clock),
        budgets(usage_store, timers, clock),
        prices(std::move(prices_of),
               [this](std::string_view uri) {
                 ModelRouter::Target target = router.TargetOf(uri);
                 return PricedModel{std::move(target.provider), std::move(target.model)};
               }),
        accounted(router, AccountDependencies(flags)),
        cache(*environment.store, *environment.storage, timers, clock,
              {.ttl = flags.response_cache_ttl, .max_bytes = flags.response_cache_mb * kMebibyte}),
        hits(environment.metrics->AddCounter("assay_model_cache_hits_total",
                                             "Requests answered without asking a model.")),
        cached(accounted, cache, mode, CacheDependencies(environment)),
        fallback(cached, flags.fallback_model, clock),
        usage(usage_store, ledger, budgets, *environment.storage, clock) {
    Observe(*environment.metrics);
  }

  static ModelRouter::Dependencies RouterDependencies(const Environment& environment) {
    return {.http = environment.http,
            .executor = environment.cpu,
            .timers = environment.timers,
            .clock = environment.clock,
            .random = nullptr,
            .attempts_of = [metrics = environment.metrics](const std::string& uri_prefix) {
              return AttemptCounters(metrics, uri_prefix);
            }};
  }

  AccountedModelClient::Dependencies AccountDependencies(const ModelStackFlags& flags) {
    return {.ledger = &ledger,
            .budgets = &budgets,
            .prices = &prices,
            .clock = &clock,
            .most_input_tokens = MostInputTokens,
            .likely_input_tokens = LikelyInputTokens,
            .error_field = FieldOf,
            .may_have_cost = MayHaveCost,
            .max_output_tokens = flags.budget_output_tokens};
  }

  CachedModelClient::Dependencies CacheDependencies(const Environment& environment) {
    return {.executor = environment.storage,
            .timers = environment.timers,
            .clock = &clock,
            .identity = [this](std::string_view uri) { return router.TargetOf(uri).identity; },
            .on_hit =
                [this](const ModelAccount& account, const std::string& model_uri) {
                  hits.Increment();
                  accounted.CountHit(account, model_uri);
                }};
  }

  // Gauges of each provider that has limits.
  void Observe(rpc::Metrics& metrics) {
    for (const std::string& prefix : router.LimitedProviders()) {
      const auto gauge = [&](const char* name, const char* help, auto read) {
        gauges.push_back(
            metrics.AddObservedGauge(name, help, {{"provider", prefix}}, [this, prefix, read] {
              const std::optional<ModelRouter::ProviderStatus> status = router.StatusOf(prefix);
              return status.has_value() ? static_cast<double>(read(*status)) : 0;
            }));
      };
      gauge("assay_model_in_flight", "Attempts under way at a model provider.",
            [](const auto& status) { return status.limits.in_flight; });
      gauge("assay_model_queued", "Calls that wait for a model provider.",
            [](const auto& status) { return status.limits.queued; });
      gauge("assay_model_concurrency_limit", "Attempts that may be under way at a time now.",
            [](const auto& status) { return status.limits.limit; });
      gauge("assay_model_open_circuits", "Models that are not asked for a while.",
            [](const auto& status) { return status.open_circuits.size(); });
    }
  }

  Clock& clock;
  ClosableTimers timers;
  ModelRouter router;
  KvUsageStore usage_store;
  UsageLedger ledger;
  Budgets budgets;
  ModelPrices prices;
  AccountedModelClient accounted;
  KvResponseCache cache;
  rpc::Counter hits;
  CachedModelClient cached;
  FallbackModelClient fallback;
  UsageCalls usage;
  std::vector<std::unique_ptr<rpc::Metrics::Registration>> gauges;
};

ModelStack::ModelStack(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

ModelStack::~ModelStack() = default;

absl::StatusOr<std::unique_ptr<ModelStack>> ModelStack::Open(const ModelConfig& config,
                                                             const ModelStackFlags& flags,
                                                             const Environment& environment,
                                                             std::unique_ptr<ModelClient> offline) {
  ASSAY_ASSIGN_OR_RETURN(const LimitConfig limits, ResolveLimitConfig(flags.limits));
  ASSAY_ASSIGN_OR_RETURN(const CacheMode mode, CacheModeOf(flags));
  for (const std::string& model : flags.fallback_model) {
    if (absl::Status valid = ParseModelUri(model).status(); !valid.ok()) {
      return InvalidField("fallback_model", ToStd(valid.message()), "INVALID_FLAG");
    }
  }
  ASSAY_ASSIGN_OR_RETURN(pricing::PriceTable prices, pricing::PriceTable::Load(flags.price_table));
  auto parts = std::make_unique<Parts>(config, limits, flags, mode, std::move(prices), environment,
                                       std::move(offline));
  ASSAY_RETURN_IF_ERROR(parts->budgets.Load());
  return std::unique_ptr<ModelStack>(new ModelStack(std::move(parts)));
}

ModelClient& ModelStack::client() { return parts_->fallback; }
UsageCalls& ModelStack::usage() { return parts_->usage; }

absl::Status ModelStack::Check(std::string_view model_uri) const {
  return parts_->router.Check(model_uri);
}

const std::string& ModelStack::default_model() const { return parts_->router.default_model(); }

v1::ListModelsResponse ModelStack::Catalog() const {
  v1::ListModelsResponse response;
  response.set_default_model(default_model());
  const absl::Time now = parts_->clock.Now();
  for (const ModelRouter::ProviderStatus& status : parts_->router.Providers()) {
    v1::ModelProvider& provider = *response.add_providers();
    provider.set_uri_prefix(status.uri_prefix);
    provider.set_configured(status.configured);
    *provider.mutable_health() = HealthOf(status, now);
  }
  return response;
}

void ModelStack::Shutdown() {
  parts_->router.Shutdown();
  parts_->timers.Close();
}

void ModelStack::Close() {
  auto written = std::make_shared<Notification>();
  parts_->ledger.Flush([written](const absl::Status&) { written->Notify(); });
  written->WaitFor(absl::Seconds(10));
  parts_->budgets.FlushAndWait();
  parts_->cache.FlushAndWait();
}

}  // namespace assay::judge
