#include "common/exec/parallel_map.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <vector>

#include "common/exec/executor.h"
#include "common/status/status_matchers.h"
#include "gtest/gtest.h"

namespace assay::inline exec {
namespace {

std::vector<int> Numbers(int n) {
  std::vector<int> numbers(n);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

TEST(ParallelMapTest, KeepsOrderAndWidth) {
  ThreadPool pool("test", 4);
  std::atomic<int> in_flight = 0;
  std::atomic<int> most = 0;
  const auto answers = ParallelMap<int, int>(Numbers(200), 3, [&](const int& x, Done<int> done) {
    const int now = ++in_flight;
    int seen = most.load();
    while (now > seen && !most.compare_exchange_weak(seen, now)) {
    }
    pool.Run([&in_flight, x, done = std::move(done)]() mutable {
      --in_flight;
      std::move(done)(x * x);
    });
  });
  ASSERT_EQ(answers.size(), 200u);
  for (int i = 0; i < 200; ++i) EXPECT_THAT(answers[i], IsOkAndHolds(i * i));
  EXPECT_LE(most, 3);
}

TEST(ParallelMapTest, AnswersNothingForNothing) {
  EXPECT_TRUE((ParallelMap<int, int>({}, 4, [](const int&, Done<int>) { FAIL(); }).empty()));
}

TEST(ParallelMapTest, KeepsErrorsBesideAnswers) {
  const auto answers = ParallelMap<int, int>(Numbers(2), 0, [](const int& x, Done<int> done) {
    if (x == 0) {
      std::move(done)(absl::UnavailableError("no"));
    } else {
      std::move(done)(x);
    }
  });
  EXPECT_THAT(answers[0], StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(answers[1], IsOkAndHolds(1));
}

TEST(ParallelMapTest, DroppedAnswerBecomesAnError) {
  const auto answers = ParallelMap<int, int>(Numbers(3), 2, [](const int&, Done<int>) {});
  for (const auto& answer : answers) EXPECT_THAT(answer, StatusIs(absl::StatusCode::kInternal));
}

TEST(ParallelMapTest, StartsNothingMoreOnceCancelled) {
  CancellationToken cancel;
  int started = 0;
  const auto answers = ParallelMap<int, int>(
      Numbers(5), 1,
      [&](const int& x, Done<int> done) {
        if (++started == 2) cancel.Cancel();
        std::move(done)(x);
      },
      &cancel);
  EXPECT_EQ(started, 2);
  EXPECT_THAT(answers[1], IsOkAndHolds(1));
  EXPECT_THAT(answers[2], StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(answers[4], StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace assay::inline exec
