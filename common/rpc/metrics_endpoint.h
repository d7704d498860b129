// Serves a process's metrics over HTTP at /metrics.
#ifndef ASSAY_COMMON_RPC_METRICS_ENDPOINT_H_
#define ASSAY_COMMON_RPC_METRICS_ENDPOINT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/rpc/metrics.h"

namespace prometheus {
class Exposer;
}

namespace assay::rpc {

// Thread-safe. Stops serving when destroyed.
class MetricsEndpoint {
 public:
  // `address` is `host:port`; port 0 picks one. Refuses an address that is not loopback unless
  // `allow_non_loopback`. `metrics` outlives the endpoint.
  static absl::StatusOr<std::unique_ptr<MetricsEndpoint>> Start(const std::string& address,
                                                                bool allow_non_loopback,
                                                                Metrics* metrics);
  ~MetricsEndpoint();

  // `host:port` with the port that was picked.
  const std::string& address() const { return address_; }

 private:
  MetricsEndpoint(std::string address, std::unique_ptr<prometheus::Exposer> exposer);

  const std::string address_;
  const std::unique_ptr<prometheus::Exposer> exposer_;
};

}  // namespace assay::rpc

#endif  // ASSAY_COMMON_RPC_METRICS_ENDPOINT_H_
