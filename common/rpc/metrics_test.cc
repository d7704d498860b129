#include "common/rpc/metrics.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "common/rpc/listen_address.h"
#include "common/rpc/metrics_endpoint.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::rpc {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(MetricsTest, CountsUnderNameAndLabels) {
  Metrics metrics;
  metrics.AddCounter("assay_things_total", "Things.", {{"kind", "a"}}).Increment();
  metrics.AddCounter("assay_things_total", "Things.", {{"kind", "a"}}).Increment(2);
  metrics.AddCounter("assay_things_total", "Things.", {{"kind", "b"}}).Increment();
  EXPECT_THAT(metrics.Text(), HasSubstr("assay_things_total{kind=\"a\"} 3\n"));
  EXPECT_THAT(metrics.Text(), HasSubstr("assay_things_total{kind=\"b\"} 1\n"));
}

TEST(MetricsTest, KeepsGaugesAndHistograms) {
  Metrics metrics;
  Gauge gauge = metrics.AddGauge("assay_level", "Level.");
  gauge.Set(5);
  gauge.Add(-2);
  metrics.AddHistogram("assay_wait_seconds", "Wait.", {}, {0.1, 1}).Observe(0.5);
  EXPECT_THAT(metrics.Text(), HasSubstr("assay_level 3\n"));
  EXPECT_THAT(metrics.Text(), HasSubstr("assay_wait_seconds_bucket{le=\"0.1\"} 0\n"));
  EXPECT_THAT(metrics.Text(), HasSubstr("assay_wait_seconds_bucket{le=\"1\"} 1\n"));
}

TEST(MetricsTest, AsksObservedGaugesWhileTheyAreRegistered) {
  Metrics metrics;
  double length = 4;
  auto registration = metrics.AddObservedGauge("assay_queue_length", "Tasks.", {{"pool", "x"}},
                                               [&] { return length; });
  EXPECT_THAT(metrics.Text(), HasSubstr("assay_queue_length{pool=\"x\"} 4\n"));
  length = 7;
  EXPECT_THAT(metrics.Text(), HasSubstr("assay_queue_length{pool=\"x\"} 7\n"));
  registration.reset();
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("assay_queue_length")));
}

// One HTTP exchange with a server on loopback.
std::string Get(int port, const std::string& path) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    const std::string request = "GET " + path + " HTTP/1.0\r\n\r\n";
    EXPECT_EQ(::write(fd, request.data(), request.size()), static_cast<ssize_t>(request.size()));
    char buffer[4096];
    for (ssize_t n = 0; (n = ::read(fd, buffer, sizeof(buffer))) > 0;) {
      answer.append(buffer, static_cast<size_t>(n));
    }
  }
  ::close(fd);
  return answer;
}

TEST(MetricsEndpointTest, ServesTextOverHttp) {
  Metrics metrics;
  metrics.AddCounter("assay_things_total", "Things.").Increment();
  auto observed = metrics.AddObservedGauge("assay_queue_length", "Tasks.", {}, [] { return 2.0; });
  ASSAY_ASSERT_OK_AND_ASSIGN(auto endpoint, MetricsEndpoint::Start("127.0.0.1:0", false, &metrics));
  ASSAY_ASSERT_OK_AND_ASSIGN(const HostPort address, ParseHostPort(endpoint->address(), "x"));
  ASSERT_GT(address.port, 0);
  const std::string answer = Get(address.port, "/metrics");
  EXPECT_THAT(answer, HasSubstr("200 OK"));
  EXPECT_THAT(answer, HasSubstr("assay_things_total 1\n"));
  EXPECT_THAT(answer, HasSubstr("assay_queue_length 2\n"));
  EXPECT_THAT(Get(address.port, "/"), Not(HasSubstr("200 OK")));
}

TEST(MetricsEndpointTest, RefusesAddressesItMayNotServe) {
  Metrics metrics;
  EXPECT_THAT(MetricsEndpoint::Start("0.0.0.0:0", false, &metrics),
              HasReason("NON_LOOPBACK_ADDRESS"));
  EXPECT_THAT(MetricsEndpoint::Start("nonsense", false, &metrics),
              HasFieldViolation("metrics_address"));
  ASSAY_ASSERT_OK_AND_ASSIGN(auto first, MetricsEndpoint::Start("127.0.0.1:0", false, &metrics));
  EXPECT_THAT(MetricsEndpoint::Start(first->address(), false, &metrics),
              HasReason("LISTEN_FAILED"));
}

}  // namespace
}  // namespace assay::rpc
