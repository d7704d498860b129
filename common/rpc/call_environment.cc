#include "common/rpc/call_environment.h"

#include <utility>

#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::rpc {
namespace {

constexpr char kRequests[] = "assay_rpc_requests_total";
constexpr char kRequestsHelp[] = "Calls that ended, by method and status code.";

MetricLabels With(MetricLabels labels, const std::string& name, const std::string& value) {
  labels[name] = value;
  return labels;
}

// Makes sure that there are metrics to write to.
RuntimeOptions Completed(RuntimeOptions options, std::unique_ptr<Metrics>* own) {
  if (options.metrics == nullptr) {
    *own = std::make_unique<Metrics>();
    options.metrics = own->get();
  }
  if (options.max_depth < 0) options.max_depth = 0;
  return options;
}

}  // namespace

MethodMetrics::MethodMetrics(Metrics* metrics, const std::string& service,
                             const std::string& method)
    : metrics_(metrics),
      labels_{{"service", service}, {"method", method}},
      in_flight_(metrics->AddGauge("assay_rpc_in_flight", "Calls being served.", labels_)),
      latency_(
          metrics->AddHistogram("assay_rpc_latency_seconds", "From arrival to answer.", labels_)),
      ok_(metrics->AddCounter(kRequests, kRequestsHelp, With(labels_, "code", "OK"))) {}

void MethodMetrics::Begin() { in_flight_.Add(1); }

void MethodMetrics::End(absl::StatusCode code, absl::Duration duration) {
  in_flight_.Add(-1);
  latency_.Observe(absl::ToDoubleSeconds(duration));
  if (code == absl::StatusCode::kOk) {
    ok_.Increment();
  } else {
    metrics_
        ->AddCounter(kRequests, kRequestsHelp,
                     With(labels_, "code", absl::StatusCodeToString(code)))
        .Increment();
  }
}

CallEnvironment::CallEnvironment(RuntimeOptions options)
    : options_(Completed(std::move(options), &own_metrics_)),
      refused_(options_.metrics->AddCounter("assay_rpc_admission_refused_total",
                                            "Calls refused because all slots were taken.",
                                            {{"service", options_.service}})) {
  for (int depth = 0; depth <= options_.max_depth; ++depth) {
    unary_gates_.push_back(std::make_unique<AdmissionGate>(options_.max_unary_in_flight));
    stream_gates_.push_back(std::make_unique<AdmissionGate>(options_.max_open_streams));
  }
  if (options_.executor_queue != nullptr) {
    queue_gauge_ = options_.metrics->AddObservedGauge(
        "assay_executor_queue_length", "Tasks that wait for a thread.",
        {{"service", options_.service}}, options_.executor_queue);
  }
}

CallEnvironment::~CallEnvironment() = default;

absl::Status CallEnvironment::RefuseAdmission(std::string_view what) {
  refused_.Increment();
  return Overloaded(StrCat(options_.service, " ", what), options_.retry_after);
}

MethodMetrics& CallEnvironment::ForMethod(std::string_view method) {
  MutexLock lock(&mutex_);
  std::unique_ptr<MethodMetrics>& metrics = methods_[ToAbsl(method)];
  if (metrics == nullptr) {
    metrics =
        std::make_unique<MethodMetrics>(options_.metrics, options_.service, std::string(method));
  }
  return *metrics;
}

}  // namespace assay::rpc
