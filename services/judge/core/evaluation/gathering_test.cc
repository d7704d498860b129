#include "services/judge/core/evaluation/gathering.h"

#include <memory>
#include <utility>
#include <vector>

#include "common/clock/fake_clock.h"
#include "common/clock/fake_timer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::judge {
namespace {

using testing::ElementsAre;

class GatheringTest : public testing::Test {
 protected:
  void Open(const GatheringOptions& options = {}) {
    gathering_ = std::make_unique<Gathering<int>>(GatheringPlace{executor_, *timers_}, options,
                                                  [this](std::vector<int> group, Task ended) {
                                                    groups_.push_back(std::move(group));
                                                    ended_.push_back(std::move(ended));
                                                  });
  }
  void EndLast() {
    std::move(ended_.back())();
    executor_.RunAll();
  }

  FakeClock clock_;
  std::unique_ptr<FakeTimerQueue> timers_ = std::make_unique<FakeTimerQueue>(&clock_);
  ManualExecutor executor_;
  std::unique_ptr<Gathering<int>> gathering_;
  std::vector<std::vector<int>> groups_;
  std::vector<Task> ended_;
};

TEST_F(GatheringTest, WhatComesWhileAGroupIsUnderWayGoesTogetherNext) {
  Open();
  gathering_->Add(1, 1);
  gathering_->Add(2, 1);
  executor_.RunAll();
  EXPECT_THAT(groups_, ElementsAre(ElementsAre(1, 2)));
  gathering_->Add(3, 1);
  gathering_->Add(4, 1);
  executor_.RunAll();
  EXPECT_EQ(groups_.size(), 1u) << "one is under way";
  EndLast();
  EXPECT_THAT(groups_.back(), ElementsAre(3, 4));
  EndLast();
  EXPECT_EQ(groups_.size(), 2u);
  gathering_->Add(5, 1);
  executor_.RunAll();
  EXPECT_THAT(groups_.back(), ElementsAre(5));
}

TEST_F(GatheringTest, GroupsStayWithinTheirLimits) {
  Open({.max_items = 2, .max_bytes = 100});
  for (const auto& [item, bytes] : {std::pair{1, 500}, {2, 60}, {3, 60}, {4, 1}, {5, 1}}) {
    gathering_->Add(item, static_cast<size_t>(bytes));
  }
  executor_.RunAll();
  for (int i = 0; i < 3; ++i) EndLast();
  EXPECT_THAT(groups_,
              ElementsAre(ElementsAre(1), ElementsAre(2), ElementsAre(3, 4), ElementsAre(5)));
}

TEST_F(GatheringTest, WhatWasAddedIsHandedOnWhenTheObjectIsGone) {
  Open();
  gathering_->Add(1, 1);
  executor_.RunAll();
  gathering_->Add(2, 1);
  gathering_.reset();
  EndLast();
  EXPECT_THAT(groups_.back(), ElementsAre(2));
}

TEST_F(GatheringTest, AFewWaitForOthersButNotForLong) {
  Open({.enough = 3, .patience = absl::Milliseconds(4)});
  gathering_->Add(1, 1);
  gathering_->Add(2, 1);
  executor_.RunAll();
  EXPECT_TRUE(groups_.empty());
  clock_.Advance(absl::Milliseconds(4));
  executor_.RunAll();
  EXPECT_THAT(groups_, ElementsAre(ElementsAre(1, 2)));
  gathering_->Add(3, 1);
  EndLast();
  EXPECT_EQ(groups_.size(), 1u);
  gathering_->Add(4, 1);
  gathering_->Add(5, 1);
  executor_.RunAll();
  EXPECT_THAT(groups_.back(), ElementsAre(3, 4, 5)) << "enough are there";
  clock_.Advance(absl::Hours(1));
  EndLast();
  EXPECT_EQ(groups_.size(), 2u);
}

TEST_F(GatheringTest, WhatWaitsGoesWhenTheTimersGo) {
  Open({.enough = 3});
  gathering_->Add(1, 1);
  timers_.reset();
  executor_.RunAll();
  EXPECT_THAT(groups_, ElementsAre(ElementsAre(1)));
}

}  // namespace
}  // namespace assay::judge
