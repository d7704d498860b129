#include "common/rpc/listen_address.h"

#include <charconv>
#include <cstddef>

#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::rpc {

absl::StatusOr<HostPort> ParseHostPort(std::string_view address, std::string_view flag) {
  const auto bad = [&] {
    return InvalidField(flag,
                        StrCat("\"", address.substr(0, 100),
                               "\" is not host:port, like 127.0.0.1:7401 or [::1]:7401; port 0 "
                               "picks a free one"));
  };
  const size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return bad();
  std::string_view host = address.substr(0, colon);
  const std::string_view port_text = address.substr(colon + 1);
  if (host.front() == '[') {
    if (host.size() < 3 || host.back() != ']') return bad();
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return bad();
  }
  int port = -1;
  const auto [end, error] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (error != std::errc() || end != port_text.data() + port_text.size() || port < 0 ||
      port > 65535) {
    return bad();
  }
  return HostPort{std::string(host), port};
}

std::string FormatHostPort(const HostPort& address) {
  if (address.host.find(':') != std::string::npos) {
    return StrCat("[", address.host, "]:", address.port);
  }
  return StrCat(address.host, ":", address.port);
}

bool IsLoopback(std::string_view host) {
  if (host == "localhost" || host == "::1") return true;
  if (!host.starts_with("127.")) return false;
  // Only an address: 127.example.org is a name like any other.
  return host.find_first_not_of("0123456789.") == std::string_view::npos;
}

absl::Status CheckListenAddress(std::string_view address, bool allow_non_loopback,
                                std::string_view flag) {
  ASSAY_ASSIGN_OR_RETURN(const HostPort parsed, ParseHostPort(address, flag));
  if (allow_non_loopback || IsLoopback(parsed.host)) return absl::OkStatus();
  return InvalidField(flag,
                      StrCat("\"", parsed.host.substr(0, 100),
                             "\" is not a loopback address, and callers are not authenticated; add "
                             "--allow_non_loopback if the network in front of it is trusted"),
                      "NON_LOOPBACK_ADDRESS");
}

}  // namespace assay::rpc
