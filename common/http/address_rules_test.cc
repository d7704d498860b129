#include "common/http/address_rules.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <map>

namespace assay::http {
namespace {

bool IsPublic(const std::string& text) {
  sockaddr_storage storage = {};
  auto* four = reinterpret_cast<sockaddr_in*>(&storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&storage);
  if (inet_pton(AF_INET, text.c_str(), &four->sin_addr) == 1) {
    storage.ss_family = AF_INET;
  } else {
    EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), &six->sin6_addr), 1) << text;
    storage.ss_family = AF_INET6;
  }
  return IsPublicAddress(*reinterpret_cast<sockaddr*>(&storage));
}

TEST(IsPublicAddressTest, TellsPublicFromAllOthers) {
  for (const char* text : {"1.1.1.1", "8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.0.1",
                           "192.167.1.1", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808"}) {
    EXPECT_TRUE(IsPublic(text)) << text;
    EXPECT_TRUE(IsPublicAddressText(text)) << text;
  }
  for (const char* text : {"0.0.0.0",
                           "10.1.2.3",
                           "127.0.0.1",
                           "127.255.0.1",
                           "169.254.169.254",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.168.0.1",
                           "100.64.0.1",
                           "198.18.0.1",
                           "192.0.2.1",
                           "224.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "::127.0.0.1",
                           "::ffff:127.0.0.1",
                           "::ffff:10.0.0.1",
                           "64:ff9b::a00:1",
                           "2002:7f00:1::",
                           "2001::1",
                           "2001:db8::1",
                           "fc00::1",
                           "fd12::1",
                           "fe80::1",
                           "fec0::1",
                           "ff02::1"}) {
    EXPECT_FALSE(IsPublic(text)) << text;
    EXPECT_FALSE(IsPublicAddressText(text)) << text;
  }
  sockaddr local = {};
  local.sa_family = AF_UNIX;
  EXPECT_FALSE(IsPublicAddress(local));
}

TEST(IsLiteralHostTest, KnowsAddressesAndLocalhost) {
  for (const char* host : {"127.0.0.1", "10.0.0.7", "::1", "[::1]", "localhost", "a.localhost"}) {
    EXPECT_TRUE(IsLiteralHost(host)) << host;
  }
  for (const char* host : {"", "models.test", "127.0.0.1.nip.test", "localhost.test", "127.1"}) {
    EXPECT_FALSE(IsLiteralHost(host)) << host;
  }
}

TEST(HostOfTest, ReadsHostsOfUrls) {
  EXPECT_EQ(HostOf("http://models.test:8000/v1"), "models.test");
  EXPECT_EQ(HostOf("http://[::1]:8000/v1"), "::1");
  EXPECT_EQ(HostOf("http://127.1/v1"), "127.0.0.1");
  EXPECT_EQ(HostOf("http://"), "");
}

TEST(ProxyFromEnvironmentTest, FollowsTheVariables) {
  std::map<std::string, std::string> variables = {{"https_proxy", "http://proxy:3128"},
                                                  {"no_proxy", "inside.test, .corp.test"}};
  auto proxy = [&](const std::string& url) {
    return ProxyFromEnvironment(url, [&](const char* name) {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
    });
  };
  EXPECT_EQ(proxy("https://models.test/v1"), "http://proxy:3128");
  EXPECT_EQ(proxy("http://models.test/v1"), "");
  EXPECT_EQ(proxy("https://inside.test/v1"), "");
  EXPECT_EQ(proxy("https://a.inside.test/v1"), "");
  EXPECT_EQ(proxy("https://a.CORP.test/v1"), "");
  EXPECT_EQ(proxy("https://notinside.test/v1"), "http://proxy:3128");
  variables["no_proxy"] = "*";
  EXPECT_EQ(proxy("https://models.test/v1"), "");
}

}  // namespace
}  // namespace assay::http
