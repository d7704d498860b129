#include "common/rpc/single_poller.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "common/rpc/testing/echo_fixture.h"
#include "common/status/status_matchers.h"
#include "gtest/gtest.h"

namespace assay::rpc {
namespace {

class SinglePollerTest : public EchoFixture {
 protected:
  // From four threads at a time.
  int Answered() {
    std::atomic<int> answered = 0;
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&] {
        for (int call = 0; call < 50; ++call) {
          if (Echo("x").ok()) ++answered;
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
    return answered;
  }
};

TEST_F(SinglePollerTest, CallsAreAnsweredByTheOneThatIsLeft) {
  Start();
  const SinglePoller poller(2);
  EXPECT_EQ(Answered(), 200);
}

TEST_F(SinglePollerTest, CallsAreAnsweredAfterwards) {
  Start();
  for (int i = 0; i < 20; ++i) SinglePoller(1);
  EXPECT_EQ(Answered(), 200);
}

TEST_F(SinglePollerTest, DoesNothingOnLargerMachines) {
  Start();
  const SinglePoller first(4);
  const SinglePoller second(4);
  const SinglePoller third(64);
  EXPECT_EQ(Answered(), 200);
}

}  // namespace
}  // namespace assay::rpc
