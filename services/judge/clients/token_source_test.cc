#include "services/judge/clients/token_source.h"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/clock/fake_clock.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "gtest/gtest.h"

namespace assay::judge {
namespace {

// Answers when it is told to.
class HeldFetcher final : public CredentialFetcher {
 public:
  explicit HeldFetcher(std::deque<Done<Credential>>* asked) : asked_(asked) {}
  void Fetch(Done<Credential> done) override { asked_->push_back(std::move(done)); }

 private:
  std::deque<Done<Credential>>* const asked_;
};

class TokenSourceTest : public testing::Test {
 protected:
  using Slot = std::shared_ptr<std::optional<absl::StatusOr<CredentialPtr>>>;

  Slot Get() {
    auto slot = std::make_shared<std::optional<absl::StatusOr<CredentialPtr>>>();
    source_->Get([slot](absl::StatusOr<CredentialPtr> found) { slot->emplace(std::move(found)); });
    return slot;
  }
  void Answer(const std::string& token, absl::Duration life) {
    ASSERT_FALSE(asked_.empty());
    Done<Credential> done = std::move(asked_.front());
    asked_.pop_front();
    std::move(done)(Credential{token, nullptr, clock_.Now() + life});
  }

  InlineExecutor executor_;
  FakeClock clock_;
  std::deque<Done<Credential>> asked_;
  std::shared_ptr<TokenSource> source_ =
      std::make_shared<TokenSource>(std::make_unique<HeldFetcher>(&asked_), &executor_, &clock_);
};

TEST_F(TokenSourceTest, AsksOnceForAllThatNeedOne) {
  EXPECT_EQ(source_->Fresh(), nullptr);
  const Slot first = Get();
  const Slot second = Get();
  EXPECT_EQ(asked_.size(), 1u);
  Answer("a", absl::Hours(1));
  EXPECT_EQ((***first)->token, "a");
  EXPECT_EQ(***first, ***second);
  EXPECT_EQ(source_->Fresh(), ***first);
  EXPECT_EQ((***Get())->token, "a");
  EXPECT_TRUE(asked_.empty());
}

TEST_F(TokenSourceTest, AsksForTheNextOneAheadOfTheEnd) {
  Get();
  Answer("a", absl::Hours(1));
  clock_.Advance(absl::Minutes(54));
  EXPECT_NE(source_->Fresh(), nullptr);
  EXPECT_TRUE(asked_.empty());
  clock_.Advance(absl::Minutes(2));
  EXPECT_EQ(source_->Fresh()->token, "a");
  source_->Fresh();
  EXPECT_EQ(asked_.size(), 1u) << "once";
  Answer("b", absl::Hours(1));
  EXPECT_EQ(source_->Fresh()->token, "b");
}

TEST_F(TokenSourceTest, GivesNoneThatIsAboutToEnd) {
  Get();
  Answer("a", absl::Hours(1));
  clock_.Advance(absl::Minutes(60) - absl::Seconds(10));
  EXPECT_EQ(source_->Fresh(), nullptr);
}

TEST_F(TokenSourceTest, AFailureIsEverybodysWhoWaits) {
  const Slot first = Get();
  const Slot second = Get();
  Done<Credential> done = std::move(asked_.front());
  asked_.pop_front();
  std::move(done)(MakeError(absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE", "down"));
  EXPECT_THAT(**first, HasReason("MODEL_UNREACHABLE"));
  EXPECT_THAT(**second, HasReason("MODEL_UNREACHABLE"));
  const Slot third = Get();
  EXPECT_EQ(asked_.size(), 1u) << "it is tried again";
  Answer("a", absl::Hours(1));
  EXPECT_OK(**third);
}

TEST_F(TokenSourceTest, AFailedRefreshKeepsTheOldOneAndWaitsAMoment) {
  Get();
  Answer("a", absl::Hours(1));
  clock_.Advance(absl::Minutes(56));
  source_->Fresh();
  Done<Credential> done = std::move(asked_.front());
  asked_.pop_front();
  std::move(done)(MakeError(absl::StatusCode::kUnavailable, "MODEL_UNREACHABLE", "down"));
  EXPECT_EQ(source_->Fresh()->token, "a");
  EXPECT_TRUE(asked_.empty());
  clock_.Advance(absl::Seconds(11));
  source_->Fresh();
  EXPECT_EQ(asked_.size(), 1u);
}

TEST_F(TokenSourceTest, ForgetsWhatWasRefused) {
  Get();
  Answer("a", absl::Hours(1));
  const CredentialPtr old = source_->Fresh();
  source_->Forget(old);
  EXPECT_EQ(source_->Fresh(), nullptr);
  Get();
  Answer("b", absl::Hours(1));
  source_->Forget(old);
  EXPECT_EQ(source_->Fresh()->token, "b");
}

}  // namespace
}  // namespace assay::judge
