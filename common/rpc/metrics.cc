#include "common/rpc/metrics.h"

#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <cstdint>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "common/sync/mutex.h"

namespace assay::rpc {

void Counter::Increment(double by) { counter_->Increment(by); }

void Gauge::Add(double by) { gauge_->Increment(by); }
void Gauge::Set(double value) { gauge_->Set(value); }

void Histogram::Observe(double value) { histogram_->Observe(value); }

const std::vector<double>& LatencyBounds() {
  static const auto* const kBounds = new std::vector<double>{
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120};
  return *kBounds;
}

namespace {

struct ObservedGauge {
  std::string name;
  std::string help;
  MetricLabels labels;
  std::function<double()> read;
};

// Asks its gauges while it is being scraped; a gauge that is taken away is not being asked any
// more.
class ObservedGauges final : public prometheus::Collectable {
 public:
  uint64_t Add(ObservedGauge gauge) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    gauges_.emplace(next_id_, std::move(gauge));
    return next_id_++;
  }

  void Remove(uint64_t id) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    gauges_.erase(id);
  }

  std::vector<prometheus::MetricFamily> Collect() const override ABSL_LOCKS_EXCLUDED(mutex_) {
    std::map<std::string, prometheus::MetricFamily> families;
    MutexLock lock(&mutex_);
    for (const auto& [id, gauge] : gauges_) {
      prometheus::MetricFamily& family = families[gauge.name];
      family.name = gauge.name;
      family.help = gauge.help;
      family.type = prometheus::MetricType::Gauge;
      prometheus::ClientMetric metric;
      for (const auto& [name, value] : gauge.labels) metric.label.push_back({name, value});
      metric.gauge.value = gauge.read();
      family.metric.push_back(std::move(metric));
    }
    std::vector<prometheus::MetricFamily> collected;
    for (auto& [name, family] : families) collected.push_back(std::move(family));
    return collected;
  }

 private:
  mutable Mutex mutex_;
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<uint64_t, ObservedGauge> gauges_ ABSL_GUARDED_BY(mutex_);
};

class ObservedGaugeRegistration final : public Metrics::Registration {
 public:
  ObservedGaugeRegistration(std::shared_ptr<ObservedGauges> gauges, uint64_t id)
      : gauges_(std::move(gauges)), id_(id) {}
  ~ObservedGaugeRegistration() override { gauges_->Remove(id_); }

 private:
  const std::shared_ptr<ObservedGauges> gauges_;
  const uint64_t id_;
};

}  // namespace

struct Metrics::State {
  const std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  const std::shared_ptr<ObservedGauges> observed = std::make_shared<ObservedGauges>();
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter Metrics::AddCounter(const std::string& name, const std::string& help,
                            const MetricLabels& labels) {
  return Counter(
      &prometheus::BuildCounter().Name(name).Help(help).Register(*state_->registry).Add(labels));
}

Gauge Metrics::AddGauge(const std::string& name, const std::string& help,
                        const MetricLabels& labels) {
  return Gauge(
      &prometheus::BuildGauge().Name(name).Help(help).Register(*state_->registry).Add(labels));
}

Histogram Metrics::AddHistogram(const std::string& name, const std::string& help,
                                const MetricLabels& labels, const std::vector<double>& bounds) {
  return Histogram(&prometheus::BuildHistogram()
                        .Name(name)
                        .Help(help)
                        .Register(*state_->registry)
                        .Add(labels, bounds));
}

std::unique_ptr<Metrics::Registration> Metrics::AddObservedGauge(std::string name, std::string help,
                                                                 MetricLabels labels,
                                                                 std::function<double()> read) {
  const uint64_t id =
      state_->observed->Add({std::move(name), std::move(help), std::move(labels), std::move(read)});
  return std::make_unique<ObservedGaugeRegistration>(state_->observed, id);
}

std::string Metrics::Text() const {
  std::vector<prometheus::MetricFamily> families = state_->registry->Collect();
  for (prometheus::MetricFamily& family : state_->observed->Collect()) {
    families.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(families);
}

std::vector<std::shared_ptr<prometheus::Collectable>> Metrics::Collectables() const {
  return {state_->registry, state_->observed};
}

}  // namespace assay::rpc
