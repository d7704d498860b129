#include "services/feedback/clients/grpc_trace_port.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/clock/timer.h"
#include "common/rpc/channel.h"
#include "common/status/status_matchers.h"
#include "services/feedback/testing/example_assessments.h"
#include "services/feedback/testing/fake_trace_server.h"
#include "services/feedback/testing/in_memory_feedback.h"

namespace assay::feedback {
namespace {

class GrpcTracePortTest : public testing::Test {
 protected:
  GrpcTracePortTest() { Connect(server_.address()); }
  ~GrpcTracePortTest() override { executor_.Shutdown(); }

  void Connect(const std::string& address) {
    GrpcTraceOptions options;
    options.peer = "trace at " + address;
    options.retry.max_attempts = 1;
    port_ = std::make_unique<GrpcTracePort>(rpc::MakeChannel(address), executor_, timers_, options);
  }
  absl::StatusOr<std::vector<std::string>> FindMissing(std::vector<std::string> traces) {
    return Await<std::vector<std::string>>([&](Done<std::vector<std::string>> done) {
      port_->FindMissing(std::move(traces), CallContext(), std::move(done));
    });
  }

  FakeTraceServer server_;
  ThreadPool executor_{"client", 2};
  ThreadTimerQueue timers_;
  std::unique_ptr<GrpcTracePort> port_;
};

TEST_F(GrpcTracePortTest, FindsTheMissingAmongMany) {
  std::vector<std::string> traces;
  for (int i = 0; i < 50; ++i) traces.push_back("experiments/support/traces/t" + std::to_string(i));
  server_.Remove(traces[7]);
  server_.Remove(traces[49]);
  EXPECT_THAT(FindMissing(traces),
              IsOkAndHolds(testing::UnorderedElementsAre(traces[7], traces[49])));
  EXPECT_EQ(server_.lookups(), 1);
}

TEST_F(GrpcTracePortTest, AsksOnceForATraceThatExistsAndAgainForOneThatDoesNot) {
  server_.Remove(TraceNameOf(2));
  ASSERT_THAT(FindMissing({TraceNameOf(1), TraceNameOf(2)}), IsOk());
  ASSERT_THAT(FindMissing({TraceNameOf(1)}), IsOkAndHolds(testing::IsEmpty()));
  EXPECT_EQ(server_.lookups(), 1);
  ASSERT_THAT(FindMissing({TraceNameOf(1), TraceNameOf(2)}),
              IsOkAndHolds(testing::ElementsAre(TraceNameOf(2))));
  EXPECT_EQ(server_.lookups(), 2);
}

TEST_F(GrpcTracePortTest, SaysThatNobodyAnswers) {
  Connect("127.0.0.1:1");
  const auto missing =
      FindMissing({TraceNameOf(1), TraceNameOf(2), TraceNameOf(3), TraceNameOf(4)});
  EXPECT_THAT(missing, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(missing, HasReason("PEER_UNREACHABLE"));
}

TEST_F(GrpcTracePortTest, AppliesChanges) {
  GrpcProjectionPort projection(rpc::MakeChannel(server_.address()), executor_, "trace");
  trace::v1::AssessmentChange change;
  change.set_sequence(5);
  change.mutable_digest()->set_assessment("experiments/support/assessments/a");
  EXPECT_THAT(Await<int64_t>([&](Done<int64_t> done) {
                projection.Apply("store", {change}, CallContext(), std::move(done));
              }),
              IsOkAndHolds(5));
  EXPECT_EQ(server_.projection().size(), 1u);
}

}  // namespace
}  // namespace assay::feedback
