#include "services/judge/store/kv_answer_store.h"

#include <string>

#include "common/clock/fake_clock.h"
#include "common/exec/executor.h"
#include "common/kv/testing/memory_store.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::judge {
namespace {

using testing::Eq;
using testing::Optional;

class KvAnswerStoreTest : public testing::Test {
 protected:
  absl::Status Record(const RequestKey& key, const std::string& answer) {
    absl::Status result = absl::UnknownError("not called");
    store_.Record(key, answer, [&](absl::Status status) { result = std::move(status); });
    return result;
  }

  FakeClock clock_;
  InlineExecutor executor_;
  kv::MemoryStore kv_store_{executor_, clock_};
  KvAnswerStore store_{kv_store_, clock_};
  const RequestKey key_{"alice", "Judge", "r1", std::string(32, 'a')};
};

TEST_F(KvAnswerStoreTest, FindsTheAnswerForADay) {
  EXPECT_THAT(store_.Find(key_), IsOkAndHolds(Eq(std::nullopt)));
  ASSERT_THAT(Record(key_, "good"), IsOk());
  clock_.Advance(absl::Hours(24) - absl::Seconds(1));
  EXPECT_THAT(store_.Find(key_), IsOkAndHolds(Optional(Eq("good"))));
  clock_.Advance(absl::Seconds(2));
  EXPECT_THAT(store_.Find(key_), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(KvAnswerStoreTest, RefusesAnotherBody) {
  ASSERT_THAT(Record(key_, "good"), IsOk());
  RequestKey other = key_;
  other.body_sha256 = std::string(32, 'b');
  EXPECT_THAT(store_.Find(other), HasReason("REQUEST_ID_REUSED"));
}

TEST_F(KvAnswerStoreTest, KeepsPrincipalsAndMethodsApart) {
  ASSERT_THAT(Record(key_, "good"), IsOk());
  RequestKey other = key_;
  other.principal = "bob";
  EXPECT_THAT(store_.Find(other), IsOkAndHolds(Eq(std::nullopt)));
  other = key_;
  other.method = "Complete";
  EXPECT_THAT(store_.Find(other), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(KvAnswerStoreTest, RefusesAnIdThatIsTooLong) {
  RequestKey key = key_;
  key.request_id = std::string(129, 'x');
  EXPECT_THAT(store_.Find(key), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace assay::judge
