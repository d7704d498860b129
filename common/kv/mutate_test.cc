#include "common/kv/mutate.h"

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "assay/storage/v1/request_record.pb.h"
#include "common/clock/fake_clock.h"
#include "common/exec/call_context.h"
#include "common/exec/executor.h"
#include "common/kv/testing/memory_store.h"
#include "common/status/status_matchers.h"
#include "common/sync/mutex.h"
#include "common/sync/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::kv {
namespace {

using testing::AllOf;
using testing::Eq;
using testing::HasSubstr;
using testing::Optional;

class MutateTest : public testing::Test {
 protected:
  // Appends one entry and answers its number.
  absl::StatusOr<std::string> Append(RequestKey key) {
    absl::StatusOr<std::string> result = absl::UnknownError("not called");
    Mutate(
        store_, executor_, clock_, std::move(key),
        [this](Transaction& transaction) -> absl::StatusOr<std::string> {
          ++runs_;
          transaction.Put("entry" + std::to_string(runs_), "x");
          return "answer" + std::to_string(runs_);
        },
        [&](absl::StatusOr<std::string> answer) { result = std::move(answer); });
    return result;
  }

  size_t Entries() { return store_.Scan({.begin = "entry", .end = "entrz"})->size(); }

  FakeClock clock_;
  InlineExecutor executor_;
  MemoryStore store_{executor_, clock_};
  int runs_ = 0;
  const RequestKey key_{"alice", "Create", "id-1", "hash-1"};
};

TEST_F(MutateTest, ARepeatedRequestGetsTheFirstAnswerAndHasNoEffect) {
  EXPECT_THAT(Append(key_), IsOkAndHolds(Eq("answer1")));
  clock_.Advance(absl::Hours(24) - absl::Seconds(1));
  EXPECT_THAT(Append(key_), IsOkAndHolds(Eq("answer1")));
  EXPECT_EQ(Entries(), 1);
}

TEST_F(MutateTest, ARecordIsForgottenAfterADay) {
  EXPECT_THAT(Append(key_), IsOk());
  clock_.Advance(absl::Hours(24));
  EXPECT_THAT(Append(key_), IsOkAndHolds(Eq("answer2")));
  EXPECT_THAT(Append(key_), IsOkAndHolds(Eq("answer2")));
}

TEST_F(MutateTest, RefusesAnIdThatWasUsedForAnotherBody) {
  EXPECT_THAT(Append(key_), IsOk());
  RequestKey other = key_;
  other.body_sha256 = "hash-2";
  EXPECT_THAT(Append(other),
              AllOf(StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("request_id")),
                    HasReason("REQUEST_ID_REUSED")));
  EXPECT_EQ(Entries(), 1);
}

TEST_F(MutateTest, IdsBelongToAPrincipalAndAMethod) {
  RequestKey other_principal = key_, other_method = key_;
  other_principal.principal = "bob";
  other_method.method = "Update";
  EXPECT_THAT(Append(key_), IsOkAndHolds(Eq("answer1")));
  EXPECT_THAT(Append(other_principal), IsOkAndHolds(Eq("answer2")));
  EXPECT_THAT(Append(other_method), IsOkAndHolds(Eq("answer3")));
}

TEST_F(MutateTest, WithoutAnIdEveryCallHasItsEffect) {
  RequestKey none = key_;
  none.request_id.clear();
  EXPECT_THAT(Append(none), IsOkAndHolds(Eq("answer1")));
  EXPECT_THAT(Append(none), IsOkAndHolds(Eq("answer2")));
  EXPECT_EQ(store_.Scan({})->size(), 2);
}

TEST_F(MutateTest, RefusesAnIdThatIsTooLong) {
  RequestKey longest = key_, longer = key_;
  longest.request_id = std::string(kMaxRequestIdBytes, 'i');
  longer.request_id = std::string(kMaxRequestIdBytes + 1, 'i');
  EXPECT_THAT(Append(longest), IsOk());
  EXPECT_THAT(Append(longer), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("128")));
}

TEST_F(MutateTest, ErrorsAreNotRecorded) {
  bool fail = true;
  const auto call = [&] {
    absl::StatusOr<std::string> result = absl::UnknownError("not called");
    Mutate(
        store_, executor_, clock_, key_,
        [&](Transaction& transaction) -> absl::StatusOr<std::string> {
          transaction.Put("entry", "x");
          if (fail) return absl::NotFoundError("not yet");
          return "done";
        },
        [&](absl::StatusOr<std::string> answer) { result = std::move(answer); });
    return result;
  };
  EXPECT_THAT(call(), StatusIs(absl::StatusCode::kNotFound));
  store_.FailCommitsWith(absl::UnavailableError("disk"));
  fail = false;
  EXPECT_THAT(call(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(store_.Scan({})->size(), 0);
  store_.FailCommitsWith(absl::OkStatus());
  EXPECT_THAT(call(), IsOkAndHolds(Eq("done")));
}

TEST(MutateConcurrencyTest, CallsWithOneIdAtTheSameTimeHaveOneEffect) {
  constexpr int kCalls = 16;
  FakeClock clock;
  ThreadPool pool("mutate", 4);
  MemoryStore store(pool, clock);
  std::atomic<int> runs = 0;
  Mutex mutex;
  std::set<std::string> answers;
  int left = kCalls;
  Notification finished;
  for (int i = 0; i < kCalls; ++i) {
    Mutate(
        store, pool, clock, {"alice", "Create", "id", "hash"},
        [&](Transaction& transaction) -> absl::StatusOr<std::string> {
          const std::string name = std::to_string(++runs);
          transaction.Put("entry" + name, "x");
          transaction.Add("effects", 1);
          return name;
        },
        [&](absl::StatusOr<std::string> answer) {
          MutexLock lock(&mutex);
          answers.insert(answer.ok() ? *answer : std::string(answer.status().message()));
          if (--left == 0) finished.Notify();
        });
  }
  ASSERT_TRUE(finished.WaitFor(absl::Seconds(60)));
  pool.Shutdown();
  ASSERT_EQ(answers.size(), 1);
  EXPECT_THAT(store.Get("entry" + *answers.begin()), IsOkAndHolds(Optional(Eq("x"))));
  EXPECT_EQ(store.Scan({.begin = "entry", .end = "entrz"})->size(), 1);
}

TEST_F(MutateTest, AnswersProtosFromTheRecord) {
  using Message = storage::v1::RequestRecord;
  const auto call = [&] {
    std::string answer;
    MutateProto<Message>(
        store_, executor_, clock_, key_,
        [&](Transaction& transaction) -> absl::StatusOr<Message> {
          Message message;
          message.set_response("run " + std::to_string(++runs_));
          transaction.Put("entry", "x");
          return message;
        },
        [&](absl::StatusOr<Message> message) {
          answer = message.ok() ? message->response() : std::string(message.status().message());
        });
    return answer;
  };
  EXPECT_EQ(call(), "run 1");
  EXPECT_EQ(call(), "run 1");
}

}  // namespace
}  // namespace assay::kv
