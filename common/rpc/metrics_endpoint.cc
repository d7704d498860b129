#include "common/rpc/metrics_endpoint.h"

#include <prometheus/exposer.h>

#include <exception>
#include <utility>
#include <vector>

#include "common/rpc/listen_address.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::rpc {

absl::StatusOr<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Start(const std::string& address,
                                                                        bool allow_non_loopback,
                                                                        Metrics* metrics) {
  ASSAY_RETURN_IF_ERROR(CheckListenAddress(address, allow_non_loopback, "metrics_address"));
  ASSAY_ASSIGN_OR_RETURN(HostPort listen, ParseHostPort(address, "metrics_address"));
  if (listen.host == "localhost")
    listen.host = "127.0.0.1";  // The HTTP server takes addresses only.
  try {
    auto exposer = std::make_unique<prometheus::Exposer>(FormatHostPort(listen), 1);
    for (const auto& collectable : metrics->Collectables())
      exposer->RegisterCollectable(collectable);
    const std::vector<int> ports = exposer->GetListeningPorts();
    if (!ports.empty()) listen.port = ports.front();
    return std::unique_ptr<MetricsEndpoint>(
        new MetricsEndpoint(FormatHostPort(listen), std::move(exposer)));
  } catch (const std::exception& e) {
    return MakeError(absl::StatusCode::kUnavailable, "LISTEN_FAILED",
                     StrCat("cannot serve metrics on ", address, ": ", e.what()));
  }
}

MetricsEndpoint::MetricsEndpoint(std::string address, std::unique_ptr<prometheus::Exposer> exposer)
    : address_(std::move(address)), exposer_(std::move(exposer)) {}

MetricsEndpoint::~MetricsEndpoint() = default;

}  // namespace assay::rpc
