// One request on its way through libcurl. Private to this package.
#ifndef ASSAY_COMMON_HTTP_CURL_TRANSFER_H_
#define ASSAY_COMMON_HTTP_CURL_TRANSFER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/exec/call_context.h"
#include "common/exec/cancellation.h"
#include "common/exec/done.h"
#include "common/http/http_client.h"

namespace assay::http {

// "https://host:port" of a URL; "the given URL" if it cannot be read. Shows no user, password, path
// or query.
std::string OriginOf(const std::string& url);

// OK if libcurl may be given this request. INVALID_ARGUMENT INVALID_HTTP_REQUEST otherwise; never
// quotes a value.
absl::Status CheckRequest(const HttpRequest& request);

// Not thread-safe: belongs to the loop's thread once it is there. Its address must not change while
// an easy handle refers to it.
class CurlTransfer {
 public:
  CurlTransfer(HttpRequest request, CallContext context, Done<HttpResponse> done)
      : request_(std::move(request)), context_(std::move(context)), done_(std::move(done)) {}
  ~CurlTransfer();
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  // Points `easy` (a CURL*, fresh or reset) at this transfer.
  void Configure(void* easy, absl::Duration timeout);

  // The answer, after libcurl ended the transfer with the CURLcode `code`.
  absl::StatusOr<HttpResponse> Finish(int code);

  const CallContext& context() const { return context_; }
  const HttpRequest& request() const { return request_; }
  void* easy() const { return easy_; }
  Done<HttpResponse> TakeDone() { return std::move(done_); }

  uint64_t id = 0;  // Given by the loop.
  int pool = -1;    // Where it runs; -1 before.
  CancellationToken::Registration on_cancel;

 private:
  static size_t OnHeader(char* data, size_t size, size_t count, void* self);
  static size_t OnBody(char* data, size_t size, size_t count, void* self);
  static int OnOpenSocket(void* self, int purpose, void* address);
  static int OnConnected(void* self, char* address, char* local_address, int port, int local_port);

  void ConfigurePeer(const PeerRules& peer);
  void Sign(const AwsSigning& aws);  // Before the headers are taken.

  bool OnlyReads() const { return request_.method == "GET" || request_.method == "HEAD"; }
  void TakeHeaderLine(std::string_view line);
  absl::Status Error(int code) const;

  HttpRequest request_;
  CallContext context_;
  Done<HttpResponse> done_;
  HttpResponse response_;
  void* easy_ = nullptr;
  void* header_list_ = nullptr;  // curl_slist*
  absl::Duration timeout_;
  size_t header_bytes_ = 0;
  bool too_large_ = false;
  bool checks_connected_address_ = false;
  bool address_refused_ = false;
  bool may_have_been_sent_ = false;
  std::array<char, 256> error_text_ = {};  // CURL_ERROR_SIZE
};

}  // namespace assay::http

#endif  // ASSAY_COMMON_HTTP_CURL_TRANSFER_H_
