#include "tests/load/load_result.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::load {
namespace {

using ::testing::HasSubstr;

Window Wide() {
  const LoadClock::time_point now = LoadClock::now();
  return {.begin = now - std::chrono::hours(1), .end = now + std::chrono::hours(1)};
}

TEST(LoadResultTest, CountsFailuresApartAndKeepsTheFirst) {
  const Window window = Wide();
  LoadResult one;
  one.Count(window, LoadClock::now(), "");
  LoadResult two;
  two.Count(window, LoadClock::now(), "said \"no\"");
  two.Count(window, LoadClock::now(), "later");
  one.Add(two);
  EXPECT_EQ(one.answers(), 1U);
  EXPECT_EQ(one.failures(), 2U);
  EXPECT_THAT(one.Json(window), HasSubstr(R"("first_failure": "said \"no\"", "measured": 1)"));
}

TEST(LoadResultTest, MeasuresOnlyWhatIsAnsweredInTheWindow) {
  const LoadClock::time_point now = LoadClock::now();
  const Window later = {.begin = now + std::chrono::hours(1), .end = now + std::chrono::hours(2)};
  LoadResult result;
  result.Count(later, now, "");
  EXPECT_EQ(result.answers(), 1U);
  EXPECT_THAT(result.Json(later), HasSubstr(R"("measured": 0, "seconds": 3600, "p50_ms": 0,)"));
}

TEST(LoadResultTest, ReportsQuantiles) {
  const Window window = Wide();
  LoadResult result;
  for (int i = 1; i <= 100; ++i) {
    result.Count(window, LoadClock::now() - std::chrono::seconds(i), "");
  }
  const std::string json = result.Json(window);
  EXPECT_THAT(json, HasSubstr(R"("p50_ms": 51)"));
  EXPECT_THAT(json, HasSubstr(R"("p99_ms": 100)"));
}

}  // namespace
}  // namespace assay::load
