#include "common/http/address_rules.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace assay::http {
namespace {

struct Range4 {
  uint32_t base;
  int bits;
};

constexpr Range4 kNotPublic4[] = {
    {0x00000000, 8},   // This network.
    {0x0a000000, 8},   // Private.
    {0x64400000, 10},  // Carriers' own.
    {0x7f000000, 8},   // Loopback.
    {0xa9fe0000, 16},  // Link-local; the clouds' metadata.
    {0xac100000, 12},  // Private.
    {0xc0000000, 24},  // Protocol assignments.
    {0xc0000200, 24},  // Documentation.
    {0xc0a80000, 16},  // Private.
    {0xc6120000, 15},  // Benchmarks.
    {0xc6336400, 24},  // Documentation.
    {0xcb007100, 24},  // Documentation.
    {0xe0000000, 4},   // Multicast.
    {0xf0000000, 4},   // Reserved, broadcast.
};

bool IsPublic4(uint32_t address) {
  return std::none_of(std::begin(kNotPublic4), std::end(kNotPublic4), [&](const Range4& range) {
    return (address >> (32 - range.bits)) == (range.base >> (32 - range.bits));
  });
}

using Bytes16 = std::array<uint8_t, 16>;

bool StartsWith(const Bytes16& address, std::initializer_list<uint8_t> prefix) {
  return std::equal(prefix.begin(), prefix.end(), address.begin());
}

uint32_t Embedded4(const Bytes16& address, size_t at) {
  return (uint32_t{address[at]} << 24) | (uint32_t{address[at + 1]} << 16) |
         (uint32_t{address[at + 2]} << 8) | address[at + 3];
}

bool IsPublic6(const Bytes16& address) {
  if (StartsWith(address, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}) ||
      StartsWith(address, {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) {
    return IsPublic4(Embedded4(address, 12));
  }
  if (StartsWith(address, {0x20, 0x02})) return IsPublic4(Embedded4(address, 2));
  if (StartsWith(address, {0x20, 0x01, 0, 0}) || StartsWith(address, {0x20, 0x01, 0x0d, 0xb8})) {
    return false;  // Teredo hides an address; documentation.
  }
  return (address[0] & 0xe0) == 0x20;  // 2000::/3 is all that is given out.
}

std::string Part(const std::string& url, CURLUPart part) {
  CURLU* parsed = curl_url();
  char* text = nullptr;
  std::string value;
  if (parsed != nullptr && curl_url_set(parsed, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK &&
      curl_url_get(parsed, part, &text, 0) == CURLUE_OK) {
    value = text;
  }
  curl_free(text);
  curl_url_cleanup(parsed);
  return value;
}

std::string_view WithoutBrackets(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

bool IsExcepted(const std::string& host, const std::string& no_proxy) {
  for (absl::string_view entry :
       absl::StrSplit(no_proxy, absl::ByAnyChar(", \t"), absl::SkipEmpty())) {
    if (entry == "*") return true;
    if (!entry.empty() && entry.front() == '.') entry.remove_prefix(1);
    if (absl::EqualsIgnoreCase(host, entry)) return true;
    if (host.size() > entry.size() && absl::EndsWithIgnoreCase(host, entry) &&
        host[host.size() - entry.size() - 1] == '.') {
      return true;
    }
  }
  return false;
}

}  // namespace

bool IsPublicAddress(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in inet = {};
    std::memcpy(&inet, &address, sizeof(inet));
    return IsPublic4(ntohl(inet.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 inet = {};
    std::memcpy(&inet, &address, sizeof(inet));
    Bytes16 bytes = {};
    std::memcpy(bytes.data(), &inet.sin6_addr, bytes.size());
    return IsPublic6(bytes);
  }
  return false;
}

bool IsPublicAddressText(const char* address) {
  in_addr four = {};
  if (inet_pton(AF_INET, address, &four) == 1) return IsPublic4(ntohl(four.s_addr));
  Bytes16 six = {};
  return inet_pton(AF_INET6, address, six.data()) == 1 && IsPublic6(six);
}

bool IsLiteralHost(std::string_view host) {
  const std::string plain(WithoutBrackets(host));
  if (absl::EqualsIgnoreCase(plain, "localhost") || absl::EndsWithIgnoreCase(plain, ".localhost")) {
    return true;
  }
  in6_addr ignored = {};
  return inet_pton(AF_INET, plain.c_str(), &ignored) == 1 ||
         inet_pton(AF_INET6, plain.c_str(), &ignored) == 1;
}

std::string HostOf(const std::string& url) {
  return std::string(WithoutBrackets(Part(url, CURLUPART_HOST)));
}

std::string ProxyFromEnvironment(
    const std::string& url,
    const std::function<std::optional<std::string>(const char*)>& environment) {
  auto first = [&](std::initializer_list<const char*> names) {
    for (const char* name : names) {
      const std::optional<std::string> value = environment(name);
      if (value.has_value() && !value->empty()) return *value;
    }
    return std::string();
  };
  const std::string proxy =
      url.starts_with("https:")
          ? first({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
          : first({"http_proxy", "all_proxy", "ALL_PROXY"});  // HTTP_PROXY may be a CGI header.
  if (proxy.empty() || IsExcepted(HostOf(url), first({"no_proxy", "NO_PROXY"}))) return "";
  return proxy;
}

}  // namespace assay::http
