#include "common/http/curl_http_client.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/exec/executor.h"
#include "common/exec/parallel_map.h"
#include "common/http/testing/loopback_server.h"
#include "common/status/status_matchers.h"
#include "common/sync/notification.h"

namespace assay::http {
namespace {

using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::Not;
using Answer = absl::StatusOr<HttpResponse>;
using Reply = LoopbackServer::Reply;

// Far beyond what any of these tests takes.
constexpr absl::Duration kForever = absl::Seconds(60);

// What Send answers, some time later.
class Pending {
 public:
  Pending(HttpClient& client, HttpRequest request, CallContext context = {}) {
    client.Send(std::move(request), std::move(context), [shared = shared_](Answer answer) {
      shared->answer = std::move(answer);
      shared->done.Notify();
    });
  }
  Answer Wait() {
    if (!shared_->done.WaitFor(kForever)) return absl::InternalError("no answer came");
    return std::move(*shared_->answer);
  }

 private:
  struct Shared {
    Notification done;
    std::optional<Answer> answer;
  };
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

class CurlHttpClientTest : public testing::Test {
 protected:
  std::unique_ptr<CurlHttpClient> NewClient(const CurlHttpClient::Options& options = {}) {
    auto client = CurlHttpClient::Create(&executor_, options);
    EXPECT_OK(client);
    return *std::move(client);
  }
  Answer Fetch(HttpRequest request, CallContext context = {}) {
    return Pending(*client_, std::move(request), std::move(context)).Wait();
  }

  ThreadPool executor_{"test", 2};
  std::unique_ptr<CurlHttpClient> client_ = NewClient();
};

TEST_F(CurlHttpClientTest, AnswersWithStatusHeadersAndBody) {
  LoopbackServer server([](const std::string&) {
    return LoopbackServer::Answer(418, "short and stout", "Retry-After: 7\r\nX-Empty:\r\n");
  });
  ASSAY_ASSERT_OK_AND_ASSIGN(HttpResponse answer, Fetch({.url = server.Url("/pot")}));
  EXPECT_EQ(answer.status, 418);
  EXPECT_EQ(answer.body, "short and stout");
  ASSERT_NE(FindHeader(answer.headers, "retry-after"), nullptr);
  EXPECT_EQ(*FindHeader(answer.headers, "retry-after"), "7");
  EXPECT_EQ(*FindHeader(answer.headers, "x-empty"), "");
  EXPECT_EQ(FindHeader(answer.headers, "absent"), nullptr);
}

TEST_F(CurlHttpClientTest, RefusesPrivateAddressesWhereOnlyPublicOnesAreAllowed) {
  LoopbackServer server([](const std::string&) { return LoopbackServer::Answer(200, "secret"); });
  auto rules = std::make_shared<PeerRules>();
  rules->public_addresses_only = true;
  std::string named = server.Url("/v1");
  named.replace(named.find("127.0.0.1"), 9, "localhost");
  for (const std::string& url : {named, server.Url("/v1")}) {
    HttpRequest request = {.method = "POST", .url = url, .body = "x"};
    request.peer = rules;
    const Answer answer = Fetch(request);
    EXPECT_THAT(answer, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("private")));
    EXPECT_THAT(answer, HasReason("PRIVATE_ADDRESS"));
  }
  EXPECT_EQ(server.connections(), 0);
  // Not over the connection of a request that was allowed more, either.
  HttpRequest request = {.url = named};
  EXPECT_OK(Fetch(request));
  request.peer = rules;
  EXPECT_THAT(Fetch(request), HasReason("PRIVATE_ADDRESS"));
  EXPECT_EQ(server.requests(), 1);
}

TEST_F(CurlHttpClientTest, AsksThroughTheProxyOfTheRequest) {
  std::string seen;
  LoopbackServer proxy([&](const std::string& request) {
    seen = request;
    return LoopbackServer::Answer(200, "by proxy");
  });
  auto rules = std::make_shared<PeerRules>();
  rules->proxy = proxy.Url("");
  rules->public_addresses_only = true;
  HttpRequest request = {.url = "http://models.test/v1"};
  request.peer = rules;
  ASSAY_ASSERT_OK_AND_ASSIGN(HttpResponse answer, Fetch(request));
  EXPECT_EQ(answer.body, "by proxy");
  EXPECT_THAT(seen, HasSubstr("GET http://models.test/v1 "));
}

TEST_F(CurlHttpClientTest, SignsForAmazonWithoutHeadersThatAreNotSent) {
  std::string seen;
  LoopbackServer server([&](const std::string& request) {
    seen = request;
    return LoopbackServer::Answer(200, "{}");
  });
  auto aws = std::make_shared<AwsSigning>();
  *aws = {"eu-west-1", "bedrock", "AKID", "hush", "token"};
  HttpRequest request = {.method = "POST",
                         .url = server.Url("/model/m-v1%3A0/converse"),
                         .headers = {{"Content-Type", "application/json"}},
                         .body = "{}"};
  request.aws = aws;
  ASSERT_OK(Fetch(request));
  EXPECT_THAT(seen, HasSubstr("POST /model/m-v1%3A0/converse "));
  EXPECT_THAT(seen, HasSubstr("/eu-west-1/bedrock/aws4_request, SignedHeaders=content-type;host;"
                              "x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature="));
  EXPECT_THAT(seen, Not(HasSubstr("hush")));
  request.headers.push_back({"Accept", ""});
  EXPECT_THAT(Fetch(request), HasReason("INVALID_HTTP_REQUEST"));
}

TEST_F(CurlHttpClientTest, AnUnreadableFileOfAuthoritiesIsAFailedConnection) {
  auto rules = std::make_shared<PeerRules>();
  rules->ca_file = testing::TempDir() + "/absent.pem";
  LoopbackServer server([](const std::string&) { return LoopbackServer::Answer(200, ""); });
  std::string url = server.Url("/v1");
  url.replace(0, 4, "https");
  HttpRequest request = {.url = url};
  request.peer = rules;
  EXPECT_THAT(Fetch(request), HasReason("CONNECTION_FAILED"));
}

TEST_F(CurlHttpClientTest, SendsMethodHeadersAndBody) {
  LoopbackServer server(
      [](const std::string& request) { return LoopbackServer::Answer(200, request); });
  const std::string body(300'000, 'b');
  ASSAY_ASSERT_OK_AND_ASSIGN(HttpResponse answer, Fetch({.method = "POST",
                                                         .url = server.Url("/v1/x?a=b"),
                                                         .headers = {{"X-One", "two three"}},
                                                         .body = body}));
  EXPECT_THAT(answer.body, testing::StartsWith("POST /v1/x?a=b HTTP/1.1\r\n"));
  EXPECT_THAT(answer.body, HasSubstr("\r\nX-One: two three\r\n"));
  EXPECT_THAT(answer.body, Not(HasSubstr("Expect:")));
  EXPECT_THAT(answer.body, testing::EndsWith("\r\n\r\n" + body));
}

TEST_F(CurlHttpClientTest, SendsOtherMethodsWithAndWithoutBody) {
  LoopbackServer server(
      [](const std::string& request) { return LoopbackServer::Answer(200, request); });
  ASSAY_ASSERT_OK_AND_ASSIGN(HttpResponse gone,
                             Fetch({.method = "DELETE", .url = server.Url("/x")}));
  EXPECT_THAT(gone.body, testing::StartsWith("DELETE /x HTTP/1.1\r\n"));
  ASSAY_ASSERT_OK_AND_ASSIGN(HttpResponse put,
                             Fetch({.method = "PUT", .url = server.Url("/x"), .body = "new"}));
  EXPECT_THAT(put.body, testing::StartsWith("PUT /x HTTP/1.1\r\n"));
  EXPECT_THAT(put.body, testing::EndsWith("\r\n\r\nnew"));
}

TEST_F(CurlHttpClientTest, ReusesOneConnectionForRequestsInTurn) {
  LoopbackServer server([](const std::string&) { return LoopbackServer::Answer(200, "yes"); });
  for (int i = 0; i < 5; ++i) {
    ASSERT_OK(Fetch({.method = "POST", .url = server.Url("/"), .body = "again"}));
  }
  EXPECT_EQ(server.requests(), 5);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(CurlHttpClientTest, KeepsToItsConnectionCap) {
  LoopbackServer server([](const std::string&) { return LoopbackServer::Answer(200, "yes"); });
  auto client = NewClient({.pools = 4, .max_connections_per_host = 4});
  const std::vector<int> items(400, 0);
  auto answers =
      ParallelMap<int, HttpResponse>(items, 200, [&](const int&, Done<HttpResponse> done) {
        client->Send({.url = server.Url("/")}, {}, std::move(done));
      });
  for (const Answer& answer : answers) ASSERT_OK(answer);
  EXPECT_EQ(server.requests(), 400);
  EXPECT_THAT(server.connections(), Le(4));
}

TEST_F(CurlHttpClientTest, SpreadsHundredsOfRequestsOverItsPools) {
  LoopbackServer server([](const std::string&) { return LoopbackServer::Answer(200, "yes"); });
  auto client = NewClient({.pools = 3});
  const std::vector<int> items(1000, 0);
  auto answers =
      ParallelMap<int, HttpResponse>(items, 1000, [&](const int&, Done<HttpResponse> done) {
        client->Send({.url = server.Url("/")}, {}, std::move(done));
      });
  for (const Answer& answer : answers) ASSERT_OK(answer);
  EXPECT_EQ(server.requests(), 1000);
}

TEST_F(CurlHttpClientTest, RefusedConnectionIsUnavailable) {
  Answer answer =
      Fetch({.url = absl::StrCat("http://127.0.0.1:", LoopbackServer::UnusedPort(), "/")});
  EXPECT_THAT(answer, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(answer, HasReason("CONNECTION_FAILED"));
}

TEST_F(CurlHttpClientTest, UnknownHostIsUnavailable) {
  EXPECT_THAT(Fetch({.url = "http://host.invalid/"}), HasReason("CONNECTION_FAILED"));
}

TEST_F(CurlHttpClientTest, SilentServerTimesOut) {
  LoopbackServer server([](const std::string&) { return Reply{.hang = true}; });
  Answer answer = Fetch({.url = server.Url("/"), .timeout = absl::Milliseconds(30)});
  EXPECT_THAT(answer, StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("30ms")));
  EXPECT_THAT(answer, HasReason("HTTP_TIMEOUT"));
}

TEST_F(CurlHttpClientTest, DeadlineOfTheContextHolds) {
  LoopbackServer server([](const std::string&) { return Reply{.hang = true}; });
  CallContext context;
  context.deadline = absl::Now() + absl::Milliseconds(30);
  EXPECT_THAT(Fetch({.url = server.Url("/")}, context), HasReason("HTTP_TIMEOUT"));
}

TEST_F(CurlHttpClientTest, PassedDeadlineSendsNothing) {
  LoopbackServer server([](const std::string&) { return LoopbackServer::Answer(200, ""); });
  CallContext context;
  context.deadline = absl::Now() - absl::Milliseconds(1);
  EXPECT_THAT(Fetch({.url = server.Url("/")}, context), HasReason("HTTP_TIMEOUT"));
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(CurlHttpClientTest, CancelEndsARequestInFlight) {
  Notification arrived;
  LoopbackServer server([&](const std::string&) {
    arrived.Notify();
    return Reply{.hang = true};
  });
  CallContext context;
  context.cancel = std::make_shared<CancellationToken>();
  Pending pending(*client_, {.url = server.Url("/")}, context);
  ASSERT_TRUE(arrived.WaitFor(kForever));
  context.cancel->Cancel();
  EXPECT_THAT(pending.Wait(), StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(CurlHttpClientTest, CancelledContextSendsNothing) {
  LoopbackServer server([](const std::string&) { return LoopbackServer::Answer(200, ""); });
  CallContext context;
  context.cancel = std::make_shared<CancellationToken>();
  context.cancel->Cancel();
  EXPECT_THAT(Fetch({.url = server.Url("/")}, context), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(CurlHttpClientTest, CancelAfterTheAnswerIsHarmless) {
  LoopbackServer server([](const std::string&) { return LoopbackServer::Answer(200, ""); });
  CallContext context;
  context.cancel = std::make_shared<CancellationToken>();
  ASSERT_OK(Fetch({.url = server.Url("/")}, context));
  context.cancel->Cancel();
  ASSERT_OK(Fetch({.url = server.Url("/")}));
}

TEST_F(CurlHttpClientTest, AnnouncedBodyAboveTheLimitIsRefused) {
  LoopbackServer server(
      [](const std::string&) { return LoopbackServer::Answer(200, std::string(1001, 'x')); });
  Answer answer = Fetch({.url = server.Url("/"), .max_response_bytes = 1000});
  EXPECT_THAT(answer, StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("1000 bytes")));
  EXPECT_THAT(answer, HasReason("RESPONSE_TOO_LARGE"));
  EXPECT_OK(Fetch({.url = server.Url("/"), .max_response_bytes = 1001}));
}

TEST_F(CurlHttpClientTest, EndlessBodyIsCutAtTheLimit) {
  LoopbackServer server([](const std::string&) {
    return Reply{.bytes = "HTTP/1.1 200 OK\r\n\r\n", .endless = true};
  });
  EXPECT_THAT(Fetch({.url = server.Url("/"), .max_response_bytes = 100'000}),
              HasReason("RESPONSE_TOO_LARGE"));
}

TEST_F(CurlHttpClientTest, EndlessHeadersAreCut) {
  LoopbackServer server([](const std::string&) {
    std::string bytes = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 4000; ++i)
      absl::StrAppend(&bytes, "X-", i, ": ", std::string(100, 'h'), "\r\n");
    return Reply{.bytes = bytes, .hang = true};
  });
  EXPECT_THAT(Fetch({.url = server.Url("/")}), HasReason("RESPONSE_TOO_LARGE"));
}

TEST_F(CurlHttpClientTest, DroppedConnectionIsUnavailable) {
  LoopbackServer server([](const std::string&) { return Reply{.close = true}; });
  Answer answer = Fetch({.method = "POST", .url = server.Url("/"), .body = "pay"});
  EXPECT_THAT(answer, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(answer, HasReason("CONNECTION_RESET"));
}

TEST_F(CurlHttpClientTest, AnswerCutShortIsUnavailable) {
  LoopbackServer server([](const std::string&) {
    return Reply{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\":",
                 .close = true};
  });
  EXPECT_THAT(Fetch({.url = server.Url("/")}), HasReason("CONNECTION_RESET"));
}

TEST_F(CurlHttpClientTest, RequestOnADroppedKeptConnectionIsNotRepeated) {
  std::atomic<int> count = 0;
  LoopbackServer server([&count](const std::string&) {
    return ++count == 1 ? LoopbackServer::Answer(200, "first") : Reply{.close = true};
  });
  ASSERT_OK(Fetch({.method = "POST", .url = server.Url("/"), .body = "one"}));
  EXPECT_THAT(Fetch({.method = "POST", .url = server.Url("/"), .body = "two"}),
              HasReason("CONNECTION_RESET"));
  EXPECT_EQ(server.requests(), 2);
}

TEST_F(CurlHttpClientTest, WhatOnlyReadsIsRepeatedOnANewConnection) {
  std::atomic<int> count = 0;
  LoopbackServer server([&count](const std::string&) {
    const int number = ++count;
    return number == 2 ? Reply{.close = true} : LoopbackServer::Answer(200, std::to_string(number));
  });
  ASSERT_OK(Fetch({.url = server.Url("/")}));
  Answer answer = Fetch({.url = server.Url("/")});
  ASSERT_OK(answer);
  EXPECT_EQ(answer->body, "3");
}

TEST_F(CurlHttpClientTest, FollowsNoRedirect) {
  LoopbackServer server([](const std::string&) {
    return LoopbackServer::Answer(302, "", "Location: /elsewhere\r\n");
  });
  ASSAY_ASSERT_OK_AND_ASSIGN(HttpResponse answer, Fetch({.url = server.Url("/")}));
  EXPECT_EQ(answer.status, 302);
  EXPECT_EQ(server.requests(), 1);
}

TEST_F(CurlHttpClientTest, RefusesWhatIsNoHttpRequest) {
  EXPECT_THAT(Fetch({.url = "file:///etc/passwd"}), HasReason("INVALID_HTTP_REQUEST"));
  EXPECT_THAT(Fetch({.url = ""}), HasReason("INVALID_HTTP_REQUEST"));
  EXPECT_THAT(Fetch({.url = "http://"}), HasReason("INVALID_HTTP_REQUEST"));
  EXPECT_THAT(Fetch({.method = "GET /x", .url = "http://127.0.0.1:1/"}),
              HasReason("INVALID_HTTP_REQUEST"));
  Answer split = Fetch({.url = "http://127.0.0.1:1/",
                        .headers = {{"Authorization", "Bearer hush\r\nX-Injected: 1"}}});
  EXPECT_THAT(split, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Authorization")));
  EXPECT_THAT(split, Not(StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("hush"))));
}

TEST_F(CurlHttpClientTest, ErrorsShowNoSecret) {
  const std::string url =
      absl::StrCat("http://user:hush@127.0.0.1:", LoopbackServer::UnusedPort(), "/hush?key=hush");
  Answer answer = Fetch({.method = "POST",
                         .url = url,
                         .headers = {{"Authorization", "Bearer hush"}},
                         .body = "hush"});
  EXPECT_THAT(answer.status().ToString(), HasSubstr("http://127.0.0.1:"));
  EXPECT_THAT(answer.status().ToString(), Not(HasSubstr("hush")));
}

TEST_F(CurlHttpClientTest, AnswersOnlyOnTheExecutor) {
  LoopbackServer server([](const std::string&) { return LoopbackServer::Answer(200, ""); });
  ManualExecutor manual;
  bool answered = false;
  {
    ASSAY_ASSERT_OK_AND_ASSIGN(auto client, CurlHttpClient::Create(&manual));
    client->Send({.url = server.Url("/")}, {}, [&](Answer) { answered = true; });
  }
  EXPECT_FALSE(answered);
  EXPECT_THAT(manual.RunAll(), Eq(1u));
  EXPECT_TRUE(answered);
}

TEST_F(CurlHttpClientTest, DestructionCancelsWhatIsInFlight) {
  Notification arrived;
  LoopbackServer server([&](const std::string&) {
    arrived.Notify();
    return Reply{.hang = true};
  });
  Pending pending(*client_, {.url = server.Url("/")});
  ASSERT_TRUE(arrived.WaitFor(kForever));
  client_.reset();
  EXPECT_THAT(pending.Wait(), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace assay::http
