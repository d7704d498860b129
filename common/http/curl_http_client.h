// HttpClient on libcurl: one thread, any number of requests in flight.
#ifndef ASSAY_COMMON_HTTP_CURL_HTTP_CLIENT_H_
#define ASSAY_COMMON_HTTP_CURL_HTTP_CLIENT_H_

#include <memory>

#include "absl/status/statusor.h"
#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "common/http/http_client.h"

namespace assay::http {

class CurlLoop;

// Speaks HTTP/1.1 over kept-alive connections, follows no redirect, verifies TLS, asks for no
// compression. Proxies are taken from the environment (http_proxy, https_proxy, no_proxy).
// Thread-safe.
class CurlHttpClient final : public HttpClient {
 public:
  struct Options {
    // Connection pools on the one thread: libcurl searches a pool linearly, so that one with
    // thousands of connections is slow. They fill in order, 256 requests each, then evenly.
    int pools = 16;
    // Beyond these, requests wait for a connection (and their timeout runs). Split among the pools.
    int max_connections_per_host = 16'384;
    int max_connections = 16'384;
    Clock* clock =
        &SystemClock();  // What deadlines of contexts are read against. Outlives the client.
  };

  // Answers are given on `executor`, which outlives the client. INTERNAL if the system refuses what
  // the loop needs (descriptors).
  static absl::StatusOr<std::unique_ptr<CurlHttpClient>> Create(Executor* executor,
                                                                const Options& options);
  static absl::StatusOr<std::unique_ptr<CurlHttpClient>> Create(Executor* executor) {
    return Create(executor, Options());
  }

  // Fails what is in flight with CANCELLED.
  ~CurlHttpClient() override;
  CurlHttpClient(const CurlHttpClient&) = delete;
  CurlHttpClient& operator=(const CurlHttpClient&) = delete;

  void Send(HttpRequest request, CallContext context, Done<HttpResponse> done) override;

 private:
  CurlHttpClient(Executor* executor, std::unique_ptr<CurlLoop> loop);

  Executor* const executor_;
  const std::unique_ptr<CurlLoop> loop_;
};

}  // namespace assay::http

#endif  // ASSAY_COMMON_HTTP_CURL_HTTP_CLIENT_H_
