// Counters, gauges and histograms of a process, in Prometheus's text format.
//
//   Counter stored = metrics->AddCounter("assay_trace_spans_stored_total", "Spans on disk.",
//   {{"experiment", e}}); stored.Increment();
#ifndef ASSAY_COMMON_RPC_METRICS_H_
#define ASSAY_COMMON_RPC_METRICS_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace prometheus {
class Collectable;
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace assay::rpc {

using MetricLabels = std::map<std::string, std::string>;

// Handles are small values, valid as long as the Metrics they come from. Thread-safe.
class Counter {
 public:
  explicit Counter(prometheus::Counter* counter) : counter_(counter) {}
  void Increment(double by = 1);  // `by` is not negative.

 private:
  prometheus::Counter* counter_;
};

class Gauge {
 public:
  explicit Gauge(prometheus::Gauge* gauge) : gauge_(gauge) {}
  void Add(double by);  // May be negative.
  void Set(double value);

 private:
  prometheus::Gauge* gauge_;
};

class Histogram {
 public:
  explicit Histogram(prometheus::Histogram* histogram) : histogram_(histogram) {}
  void Observe(double value);

 private:
  prometheus::Histogram* histogram_;
};

// Bounds in seconds, 0.5 ms to 2 min.
const std::vector<double>& LatencyBounds();

// Thread-safe. Asking again with the same name and labels gives the same metric. Names are
// `assay_<noun>_<unit>[_total]`; one name has one kind and one help text, else the process ends:
// that is a bug. Labels must have few values: never ids, never what users write.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  Counter AddCounter(const std::string& name, const std::string& help,
                     const MetricLabels& labels = {});
  Gauge AddGauge(const std::string& name, const std::string& help, const MetricLabels& labels = {});
  Histogram AddHistogram(const std::string& name, const std::string& help,
                         const MetricLabels& labels = {},
                         const std::vector<double>& bounds = LatencyBounds());

  // A gauge that is asked at each scrape, until the registration is destroyed. `read` must be quick
  // and thread-safe.
  class Registration {
   public:
    virtual ~Registration() = default;
  };
  [[nodiscard]] std::unique_ptr<Registration> AddObservedGauge(std::string name, std::string help,
                                                               MetricLabels labels,
                                                               std::function<double()> read);

  // All metrics in the text exposition format.
  std::string Text() const;

  // For the endpoint that serves them.
  std::vector<std::shared_ptr<prometheus::Collectable>> Collectables() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace assay::rpc

#endif  // ASSAY_COMMON_RPC_METRICS_H_
