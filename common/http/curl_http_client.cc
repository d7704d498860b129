#include "common/http/curl_http_client.h"

#include <algorithm>
#include <utility>

#include "common/http/curl_loop.h"
#include "common/http/curl_transfer.h"
#include "common/status/status_macros.h"

namespace assay::http {

absl::StatusOr<std::unique_ptr<CurlHttpClient>> CurlHttpClient::Create(Executor* executor,
                                                                       const Options& options) {
  const int per_host = std::max(options.max_connections_per_host, 1);
  const int in_all = std::max(options.max_connections, 1);
  // A cap below the number of pools can only be kept by fewer pools.
  const int pools = std::clamp(std::min({options.pools, per_host, in_all}), 1, 1024);
  const CurlLoop::Limits limits = {
      .pools = pools, .connections_per_host = per_host / pools, .connections = in_all / pools};
  ASSAY_ASSIGN_OR_RETURN(std::unique_ptr<CurlLoop> loop,
                         CurlLoop::Start(limits, options.clock, executor));
  return std::unique_ptr<CurlHttpClient>(new CurlHttpClient(executor, std::move(loop)));
}

CurlHttpClient::CurlHttpClient(Executor* executor, std::unique_ptr<CurlLoop> loop)
    : executor_(executor), loop_(std::move(loop)) {}

CurlHttpClient::~CurlHttpClient() = default;

void CurlHttpClient::Send(HttpRequest request, CallContext context, Done<HttpResponse> done) {
  if (absl::Status checked = CheckRequest(request); !checked.ok()) {
    executor_->Run([done = std::move(done), checked = std::move(checked)]() mutable {
      std::move(done)(std::move(checked));
    });
    return;
  }
  loop_->Add(
      std::make_unique<CurlTransfer>(std::move(request), std::move(context), std::move(done)));
}

}  // namespace assay::http
