#include "common/exec/admission.h"

#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace assay::inline exec {
namespace {

TEST(AdmissionGateTest, RefusesWhatDoesNotFit) {
  AdmissionGate gate(3);
  std::optional<Admission> two = gate.TryEnter(2);
  ASSERT_TRUE(two.has_value());
  EXPECT_FALSE(gate.TryEnter(2).has_value());
  EXPECT_TRUE(gate.TryEnter(1).has_value());
  EXPECT_EQ(gate.in_use(), 2);
  two.reset();
  EXPECT_EQ(gate.in_use(), 0);
  EXPECT_TRUE(gate.TryEnter(3).has_value());
  EXPECT_FALSE(gate.TryEnter(4).has_value());
}

TEST(AdmissionGateTest, SurvivesExtremeCosts) {
  AdmissionGate gate(10);
  std::optional<Admission> held = gate.TryEnter(5);
  EXPECT_FALSE(gate.TryEnter(std::numeric_limits<int64_t>::max()).has_value());
  EXPECT_TRUE(gate.TryEnter(std::numeric_limits<int64_t>::min()).has_value());
  EXPECT_EQ(gate.in_use(), 5);
}

TEST(AdmissionGateTest, MovedTicketGivesBackOnce) {
  AdmissionGate gate(2);
  Admission first = *gate.TryEnter();
  Admission second = std::move(first);
  EXPECT_EQ(gate.in_use(), 1);
  second = *gate.TryEnter();
  EXPECT_EQ(gate.in_use(), 1);
  second.Release();
  second.Release();
  EXPECT_EQ(gate.in_use(), 0);
}

TEST(AdmissionGateTest, TicketMayOutliveItsGate) {
  std::optional<AdmissionGate> gate(std::in_place, 1);
  std::optional<Admission> ticket = gate->TryEnter();
  gate.reset();
  ticket.reset();
}

TEST(AdmissionGateTest, NeverExceedsItsLimitUnderThreads) {
  AdmissionGate gate(4);
  std::atomic<int> inside = 0;
  std::atomic<bool> exceeded = false;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) {
        if (std::optional<Admission> ticket = gate.TryEnter(2)) {
          if (++inside > 2) exceeded = true;
          --inside;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(exceeded);
  EXPECT_EQ(gate.in_use(), 0);
}

}  // namespace
}  // namespace assay::inline exec
