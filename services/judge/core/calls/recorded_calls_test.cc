#include "services/judge/core/calls/recorded_calls.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <optional>
#include <string>

#include "common/status/errors.h"
#include "common/status/status_matchers.h"

namespace assay::judge {
namespace {

class MapAnswerStore final : public AnswerStore {
 public:
  absl::StatusOr<std::optional<std::string>> Find(const RequestKey& key) const override {
    auto found = answers.find(key.request_id);
    if (found == answers.end()) return std::nullopt;
    if (found->second.first != key.body_sha256) {
      return InvalidField("request_id", "reused", "REQUEST_ID_REUSED");
    }
    return found->second.second;
  }
  void Record(RequestKey key, std::string answer, DoneStatus done) override {
    answers[key.request_id] = {key.body_sha256, std::move(answer)};
    std::move(done)(absl::OkStatus());
  }
  std::map<std::string, std::pair<std::string, std::string>> answers;
};

class RecordedCallsTest : public testing::Test {
 protected:
  // The answer appears in the returned slot once it is there.
  std::shared_ptr<std::optional<absl::StatusOr<std::string>>> Start(const std::string& id,
                                                                    const std::string& body) {
    auto slot = std::make_shared<std::optional<absl::StatusOr<std::string>>>();
    calls_.Do(
        {"local", "Judge", id, body},
        [this](Done<CallAnswer> done) { under_way_.push_back(std::move(done)); },
        [slot](absl::StatusOr<std::string> answer) { slot->emplace(std::move(answer)); });
    return slot;
  }
  void AnswerNext(absl::StatusOr<CallAnswer> answer) {
    ASSERT_FALSE(under_way_.empty());
    Done<CallAnswer> done = std::move(under_way_.front());
    under_way_.pop_front();
    std::move(done)(std::move(answer));
  }

  MapAnswerStore store_;
  RecordedCalls calls_{store_};
  std::deque<Done<CallAnswer>> under_way_;
};

TEST_F(RecordedCallsTest, ARepeatedRequestIsNotPaidAgain) {
  auto first = Start("r1", "body");
  AnswerNext(CallAnswer{"good"});
  EXPECT_THAT(**first, IsOkAndHolds("good"));
  auto second = Start("r1", "body");
  EXPECT_TRUE(under_way_.empty());
  EXPECT_THAT(**second, IsOkAndHolds("good"));
}

TEST_F(RecordedCallsTest, RequestsAtTheSameTimeShareOneCall) {
  auto first = Start("r1", "body");
  auto second = Start("r1", "body");
  EXPECT_EQ(under_way_.size(), 1u);
  AnswerNext(CallAnswer{"good"});
  EXPECT_THAT(**first, IsOkAndHolds("good"));
  EXPECT_THAT(**second, IsOkAndHolds("good"));
}

TEST_F(RecordedCallsTest, TheNextOneMakesTheCallOfOneThatWasCancelled) {
  auto first = Start("r1", "body");
  auto second = Start("r1", "body");
  AnswerNext(absl::CancelledError("gone"));
  EXPECT_THAT(**first, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_FALSE(second->has_value());
  ASSERT_EQ(under_way_.size(), 1u);
  AnswerNext(CallAnswer{"good"});
  EXPECT_THAT(**second, IsOkAndHolds("good"));
  EXPECT_THAT(**Start("r1", "body"), IsOkAndHolds("good"));
}

TEST_F(RecordedCallsTest, AnotherBodyIsRefusedWhileAndAfterTheFirst) {
  auto first = Start("r1", "body");
  EXPECT_THAT(**Start("r1", "other"), HasReason("REQUEST_ID_REUSED"));
  AnswerNext(CallAnswer{"good"});
  EXPECT_THAT(**Start("r1", "other"), HasReason("REQUEST_ID_REUSED"));
  EXPECT_THAT(**first, IsOkAndHolds("good"));
}

TEST_F(RecordedCallsTest, WhatCostNothingIsTriedAgain) {
  auto first = Start("r1", "body");
  AnswerNext(CallAnswer{"unreachable", /*record=*/false});
  EXPECT_THAT(**first, IsOkAndHolds("unreachable"));
  auto second = Start("r1", "body");
  AnswerNext(absl::UnavailableError("down"));
  EXPECT_THAT(**second, StatusIs(absl::StatusCode::kUnavailable));
  Start("r1", "body");
  EXPECT_EQ(under_way_.size(), 1u);
  AnswerNext(CallAnswer{"good"});
}

TEST_F(RecordedCallsTest, WithoutAnIdEveryRequestIsItsOwnCall) {
  Start("", "body");
  Start("", "body");
  EXPECT_EQ(under_way_.size(), 2u);
  AnswerNext(CallAnswer{"a"});
  AnswerNext(CallAnswer{"b"});
  EXPECT_TRUE(store_.answers.empty());
}

TEST_F(RecordedCallsTest, WorkOutlivesItsCallerUntilTheProcessStops) {
  CallContext caller;
  caller.cancel = std::make_shared<CancellationToken>();
  caller.deadline = absl::FromUnixSeconds(7);
  const RecordedCalls::Outliving work = calls_.Outlive(caller);
  EXPECT_EQ(work.context.deadline, caller.deadline);
  caller.cancel->Cancel();
  EXPECT_FALSE(work.context.Cancelled());
  calls_.Stop();
  EXPECT_TRUE(work.context.Cancelled());
}

TEST_F(RecordedCallsTest, WorkWhoseCallerWaitsIsNotStopped) {
  CallContext caller;
  caller.cancel = std::make_shared<CancellationToken>();
  const RecordedCalls::Outliving before = calls_.Outlive(caller);
  calls_.Stop();
  const RecordedCalls::Outliving after = calls_.Outlive(caller);
  EXPECT_FALSE(before.context.Cancelled());
  EXPECT_FALSE(after.context.Cancelled());
  caller.cancel->Cancel();
  EXPECT_TRUE(before.context.Cancelled());
  EXPECT_TRUE(after.context.Cancelled());
}

TEST_F(RecordedCallsTest, WorkWithoutATokenHasNone) {
  EXPECT_EQ(calls_.Outlive({}).context.cancel, nullptr);
}

}  // namespace
}  // namespace assay::judge
