// Which addresses belong to the public internet, and which proxy the environment names.
#ifndef ASSAY_COMMON_HTTP_ADDRESS_RULES_H_
#define ASSAY_COMMON_HTTP_ADDRESS_RULES_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr;

namespace assay::http {

// False for loopback, private, link-local, carrier, documentation, multicast and reserved ranges,
// also where they are wrapped in IPv6 (mapped, NAT64, 6to4), and for families that are not IP.
bool IsPublicAddress(const sockaddr& address);
bool IsPublicAddressText(const char* address);  // In digits; false for what is no address.

// Whether whoever wrote this host meant one very machine: an IP address in digits (IPv6 with or
// without brackets), or localhost. Such a host cannot be pointed elsewhere by DNS.
bool IsLiteralHost(std::string_view host);

// Host of a URL without user, port and brackets; "" if it cannot be read.
std::string HostOf(const std::string& url);

// The proxy that http_proxy, https_proxy, HTTPS_PROXY, all_proxy, ALL_PROXY name for `url`, unless
// no_proxy or NO_PROXY except its host; "" for none. `environment` gives a variable's value.
std::string ProxyFromEnvironment(
    const std::string& url,
    const std::function<std::optional<std::string>(const char*)>& environment);

}  // namespace assay::http

#endif  // ASSAY_COMMON_HTTP_ADDRESS_RULES_H_
