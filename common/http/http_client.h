// Asynchronous HTTP requests.
#ifndef ASSAY_COMMON_HTTP_HTTP_CLIENT_H_
#define ASSAY_COMMON_HTTP_HTTP_CLIENT_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"

namespace assay::http {

struct HttpHeader {
  std::string name;
  std::string value;
};

// The value of the first header of that name (case does not matter), or null.
inline const std::string* FindHeader(const std::vector<HttpHeader>& headers,
                                     const std::string& name) {
  for (const HttpHeader& header : headers) {
    if (absl::EqualsIgnoreCase(header.name, name)) return &header.value;
  }
  return nullptr;
}

// How a peer is reached, and who it may be. Shared by the requests to it.
struct PeerRules {
  std::string ca_file;  // PEM with the authorities that TLS trusts; "": the system's.
  // URL of an HTTP proxy, which then resolves the peer's name itself; "": as the environment says.
  std::string proxy;
  // Connects to addresses of the public internet only, whatever the name resolves to at the time.
  bool public_addresses_only = false;
};

// Amazon's signature, version 4. Values of headers must not be empty where it is used.
struct AwsSigning {
  std::string region;
  std::string service;
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  // "" if there is none.
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;  // http:// or https://.
  std::vector<HttpHeader> headers;
  std::string body;
  // For the whole exchange; the deadline of the CallContext holds too, whichever comes first.
  absl::Duration timeout = absl::Seconds(120);
  // To reach the peer, name resolution and TLS included.
  absl::Duration connect_timeout = absl::Seconds(10);
  size_t max_response_bytes = size_t{8} << 20;  // Of the body.
  std::shared_ptr<const PeerRules> peer;        // Null: no rules.
  std::shared_ptr<const AwsSigning> aws;        // Null: not signed.
};

struct HttpResponse {
  int status = 0;
  std::vector<HttpHeader> headers;
  std::string body;
};

// Thread-safe.
class HttpClient {
 public:
  virtual ~HttpClient() = default;

  // Sends one request, once: a request with a body is never repeated behind the caller's back. Any
  // status that the peer answers with, 500 too, is an answer. `done` is called exactly once, never
  // inline. Errors, by code and reason:
  //   UNAVAILABLE CONNECTION_FAILED         the peer was not reached; it has seen nothing
  //   UNAVAILABLE CONNECTION_RESET          the connection ended early; the peer may have acted
  //   DEADLINE_EXCEEDED HTTP_TIMEOUT        no whole answer in time; the peer may have acted
  //   RESOURCE_EXHAUSTED RESPONSE_TOO_LARGE more than max_response_bytes
  //   INVALID_ARGUMENT INVALID_HTTP_REQUEST a bad URL, method or header
  //   FAILED_PRECONDITION PRIVATE_ADDRESS   public_addresses_only, and the name has no public one
  //   CANCELLED                             by the context, or because the client goes away
  // Error texts name the peer's origin only: no path, query, credentials, header or body.
  virtual void Send(HttpRequest request, CallContext context, Done<HttpResponse> done) = 0;
};

}  // namespace assay::http

#endif  // ASSAY_COMMON_HTTP_HTTP_CLIENT_H_
