#include "common/http/curl_transfer.h"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "common/http/address_rules.h"
#include "common/json/canonical.h"
#include "common/status/errors.h"

namespace assay::http {
namespace {

constexpr size_t kMaxHeaderBytes = 256 * 1024;
constexpr absl::Duration kMaxIdleOfConnection = absl::Seconds(60);

absl::Status BadRequest(std::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, "INVALID_HTTP_REQUEST", what);
}

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_iscntrl(static_cast<unsigned char>(c)) && c != '\t';
  });
}

long Milliseconds(absl::Duration duration) {  // NOLINT: libcurl's type.
  constexpr int64_t kWeek = 7 * 24 * 3600 * int64_t{1000};
  return static_cast<long>(  // NOLINT
      std::clamp<int64_t>(absl::ToInt64Milliseconds(duration), 1, kWeek));
}

absl::Status CheckAws(const HttpRequest& request) {
  const AwsSigning& aws = *request.aws;
  for (const std::string* value : {&aws.region, &aws.service, &aws.access_key_id,
                                   &aws.secret_access_key, &aws.session_token}) {
    if (HasControl(*value)) return BadRequest("what signs the request holds control characters");
  }
  const bool empty = std::any_of(request.headers.begin(), request.headers.end(),
                                 [](const HttpHeader& header) { return header.value.empty(); });
  if (empty) return BadRequest("a signed request has no headers without a value");
  return absl::OkStatus();
}

std::optional<std::string> EnvironmentValue(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

std::string OriginOf(const std::string& url) {
  std::string origin = "the given URL";
  CURLU* parsed = curl_url();
  if (parsed == nullptr) return origin;
  char* scheme = nullptr;
  char* host = nullptr;
  char* port = nullptr;
  if (curl_url_set(parsed, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK &&
      curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
      curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
    origin = absl::StrCat(scheme, "://", host);
    if (curl_url_get(parsed, CURLUPART_PORT, &port, 0) == CURLUE_OK) {
      absl::StrAppend(&origin, ":", port);
    }
  }
  curl_free(scheme);
  curl_free(host);
  curl_free(port);
  curl_url_cleanup(parsed);
  return origin;
}

absl::Status CheckRequest(const HttpRequest& request) {
  if (!request.url.starts_with("http://") && !request.url.starts_with("https://")) {
    return BadRequest("the URL must begin with http:// or https://");
  }
  if (HasControl(request.url)) return BadRequest("the URL holds control characters");
  if (!IsToken(request.method)) return BadRequest("the HTTP method must be one word");
  for (const HttpHeader& header : request.headers) {
    if (!IsToken(header.name)) return BadRequest("a header name holds forbidden characters");
    if (HasControl(header.value)) {
      return BadRequest(absl::StrCat("the header ", header.name, " holds control characters"));
    }
  }
  return request.aws == nullptr ? absl::OkStatus() : CheckAws(request);
}

CurlTransfer::~CurlTransfer() { curl_slist_free_all(static_cast<curl_slist*>(header_list_)); }

void CurlTransfer::Configure(void* easy, absl::Duration timeout) {
  easy_ = easy;
  timeout_ = timeout;
  auto set = [easy](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
  set(CURLOPT_PRIVATE, static_cast<void*>(this));
  set(CURLOPT_ERRORBUFFER, error_text_.data());
  set(CURLOPT_URL, request_.url.c_str());
  set(CURLOPT_TIMEOUT_MS, Milliseconds(timeout));
  set(CURLOPT_CONNECTTIMEOUT_MS, Milliseconds(std::min(request_.connect_timeout, timeout)));
  // Without it libcurl interrupts name resolution by SIGALRM, which ends a process with threads.
  set(CURLOPT_NOSIGNAL, 1L);
  // Ending a transfer must not wait for a resolver that hangs: it would stop the loop.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));  // NOLINT
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_MAXAGE_CONN,
      static_cast<long>(absl::ToInt64Seconds(kMaxIdleOfConnection)));  // NOLINT
  set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(request_.max_response_bytes));
  set(CURLOPT_HEADERFUNCTION, &CurlTransfer::OnHeader);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &CurlTransfer::OnBody);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(CURLOPT_PREREQFUNCTION, &CurlTransfer::OnConnected);
  set(CURLOPT_PREREQDATA, static_cast<void*>(this));
  if (request_.peer != nullptr) ConfigurePeer(*request_.peer);
  if (request_.aws != nullptr) Sign(*request_.aws);

  curl_slist* list = nullptr;
  for (const HttpHeader& header : request_.headers) {
    // "name;" is libcurl's spelling of a header without a value.
    list = curl_slist_append(list, header.value.empty()
                                       ? absl::StrCat(header.name, ";").c_str()
                                       : absl::StrCat(header.name, ": ", header.value).c_str());
  }
  if (!request_.body.empty() || request_.method == "POST") {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    // Not copied. A small body goes out in one piece with the headers: one system call, and the
    // server wakes once.
    set(CURLOPT_POSTFIELDS, request_.body.data());
    // No waiting for "100 Continue". libcurl would sign this header, though it does not send it.
    if (request_.aws == nullptr) list = curl_slist_append(list, "Expect:");
  }
  if (request_.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (request_.method != "GET" && request_.method != "POST") {
    set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }
  header_list_ = list;
  set(CURLOPT_HTTPHEADER, list);
}

void CurlTransfer::ConfigurePeer(const PeerRules& peer) {
  auto set = [this](CURLoption option, auto value) { curl_easy_setopt(easy_, option, value); };
  if (!peer.ca_file.empty()) set(CURLOPT_CAINFO, peer.ca_file.c_str());
  if (!peer.proxy.empty()) {
    set(CURLOPT_PROXY, peer.proxy.c_str());
    set(CURLOPT_NOPROXY, "");
    return;  // Whom the proxy connects to is the proxy's business.
  }
  if (!peer.public_addresses_only) return;
  // Whether a proxy is used must be known here, so that it is not left to libcurl.
  const std::string proxy = ProxyFromEnvironment(request_.url, EnvironmentValue);
  set(CURLOPT_PROXY, proxy.c_str());
  set(CURLOPT_NOPROXY, "");
  if (!proxy.empty()) return;
  set(CURLOPT_OPENSOCKETFUNCTION, &CurlTransfer::OnOpenSocket);
  set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  // A connection that is kept alive may have been opened by a request that was allowed more.
  checks_connected_address_ = true;
}

void CurlTransfer::Sign(const AwsSigning& aws) {
  auto set = [this](CURLoption option, auto value) { curl_easy_setopt(easy_, option, value); };
  set(CURLOPT_AWS_SIGV4, absl::StrCat("aws:amz:", aws.region, ":", aws.service).c_str());
  set(CURLOPT_USERNAME, aws.access_key_id.c_str());
  set(CURLOPT_PASSWORD, aws.secret_access_key.c_str());
  if (!aws.session_token.empty()) {
    request_.headers.push_back({"X-Amz-Security-Token", aws.session_token});
  }
  request_.headers.push_back({"x-amz-content-sha256", json::Sha256Hex(request_.body)});
  const size_t origin = request_.url.find("://");
  const size_t path = origin == std::string::npos ? origin : request_.url.find('/', origin + 3);
  if (path == std::string::npos) return;
  // What is signed is the path encoded once more than the one that is sent; libcurl signs the one
  // of the URL.
  const std::string target = request_.url.substr(path);
  const size_t query = std::min(target.find('?'), target.size());
  const std::string encoded = absl::StrReplaceAll(target.substr(0, query), {{"%", "%25"}});
  const std::string url = absl::StrCat(request_.url.substr(0, path), encoded, target.substr(query));
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_REQUEST_TARGET, target.c_str());
}

int CurlTransfer::OnOpenSocket(void* self, int purpose, void* peer) {
  auto* address = static_cast<curl_sockaddr*>(peer);
  if (!IsPublicAddress(address->addr)) {
    static_cast<CurlTransfer*>(self)->address_refused_ = true;
    return CURL_SOCKET_BAD;  // libcurl tries the name's next address.
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

int CurlTransfer::OnConnected(void* self, char* address, char*, int, int) {
  auto* transfer = static_cast<CurlTransfer*>(self);
  // libcurl repeats a request by itself when a kept-alive connection ends without an answer. That
  // does no harm to what only reads; whether to pay for anything else twice the caller decides.
  const bool repeated = std::exchange(transfer->may_have_been_sent_, true);
  if (repeated && !transfer->OnlyReads()) return CURL_PREREQFUNC_ABORT;
  if (!transfer->checks_connected_address_ || IsPublicAddressText(address)) {
    return CURL_PREREQFUNC_OK;
  }
  transfer->address_refused_ = true;
  return CURL_PREREQFUNC_ABORT;
}

absl::StatusOr<HttpResponse> CurlTransfer::Finish(int code) {
  if (code != CURLE_OK) return Error(code);
  long status = 0;  // NOLINT: libcurl's type.
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  return std::move(response_);
}

absl::Status CurlTransfer::Error(int code) const {
  const std::string origin = OriginOf(request_.url);
  const std::string detail = error_text_[0] != '\0'
                                 ? std::string(error_text_.data())
                                 : curl_easy_strerror(static_cast<CURLcode>(code));
  auto error = [&](absl::StatusCode status, std::string_view reason, const char* what) {
    return MakeError(status, reason, absl::StrCat(what, " ", origin, ": ", detail));
  };
  if (too_large_ || code == CURLE_FILESIZE_EXCEEDED) {
    return MakeError(absl::StatusCode::kResourceExhausted, "RESPONSE_TOO_LARGE",
                     absl::StrCat("the answer of ", origin, " is larger than ",
                                  request_.max_response_bytes, " bytes"));
  }
  curl_off_t connected = 0;
  curl_easy_getinfo(easy_, CURLINFO_PRETRANSFER_TIME_T, &connected);
  if (address_refused_ && (code == CURLE_COULDNT_CONNECT || code == CURLE_ABORTED_BY_CALLBACK)) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "PRIVATE_ADDRESS",
                     absl::StrCat(origin, " is at a private address, which is not allowed"));
  }
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT: {
      curl_off_t microseconds = 0;
      curl_easy_getinfo(easy_, CURLINFO_TOTAL_TIME_T, &microseconds);
      if (connected == 0 && absl::Microseconds(microseconds) < timeout_) {
        return error(absl::StatusCode::kUnavailable, "CONNECTION_FAILED", "could not reach");
      }
      return MakeError(
          absl::StatusCode::kDeadlineExceeded, "HTTP_TIMEOUT",
          absl::StrCat(origin, " did not answer within ",
                       absl::FormatDuration(absl::Trunc(timeout_, absl::Milliseconds(1)))));
    }
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return error(absl::StatusCode::kInvalidArgument, "INVALID_HTTP_REQUEST", "cannot use");
    case CURLE_ABORTED_BY_CALLBACK:  // The second try that OnConnected refused.
      code = CURLE_GOT_NOTHING;
      [[fallthrough]];
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_WRITE_ERROR:
    case CURLE_WEIRD_SERVER_REPLY:
      return MakeError(absl::StatusCode::kUnavailable, "CONNECTION_RESET",
                       absl::StrCat(origin, " ended the connection without a whole answer: ",
                                    curl_easy_strerror(static_cast<CURLcode>(code))));
    case CURLE_OUT_OF_MEMORY:
      return error(absl::StatusCode::kResourceExhausted, "OUT_OF_MEMORY", "no memory to call");
    default:
      return error(absl::StatusCode::kUnavailable,
                   connected == 0 ? "CONNECTION_FAILED" : "CONNECTION_RESET", "could not call");
  }
}

size_t CurlTransfer::OnHeader(char* data, size_t size, size_t count, void* self) {
  auto* transfer = static_cast<CurlTransfer*>(self);
  const size_t bytes = size * count;
  transfer->header_bytes_ += bytes;
  if (transfer->header_bytes_ > kMaxHeaderBytes) {
    transfer->too_large_ = true;
    return 0;
  }
  transfer->TakeHeaderLine(std::string_view(data, bytes));
  return bytes;
}

void CurlTransfer::TakeHeaderLine(std::string_view line) {
  if (line.starts_with("HTTP/")) {  // A new block: what came before was "100 Continue" or the like.
    response_.headers.clear();
    return;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  HttpHeader header = {std::string(line.substr(0, colon)), std::string(line.substr(colon + 1))};
  absl::StripAsciiWhitespace(&header.name);
  absl::StripAsciiWhitespace(&header.value);
  response_.headers.push_back(std::move(header));
}

size_t CurlTransfer::OnBody(char* data, size_t size, size_t count, void* self) {
  auto* transfer = static_cast<CurlTransfer*>(self);
  const size_t bytes = size * count;
  std::string& body = transfer->response_.body;
  if (bytes > transfer->request_.max_response_bytes - body.size()) {
    transfer->too_large_ = true;
    return CURL_WRITEFUNC_ERROR;
  }
  body.append(data, bytes);
  return bytes;
}

}  // namespace assay::http
