#include "tests/load/load_result.h"

#include <algorithm>
#include <cstddef>

#include "common/json/json_reader.h"
#include "common/strings/strings.h"

namespace assay::load {
namespace {

LoadClock::duration Seconds(double seconds) {
  return std::chrono::duration_cast<LoadClock::duration>(std::chrono::duration<double>(seconds));
}

// Of sorted values; the smallest that `share` of them do not exceed.
double QuantileMs(const std::vector<uint32_t>& sorted_us, double share) {
  if (sorted_us.empty()) return 0;
  const auto rank = static_cast<size_t>(share * static_cast<double>(sorted_us.size()));
  return sorted_us[std::min(rank, sorted_us.size() - 1)] / 1000.0;
}

}  // namespace

Window Window::StartingNow(double warm_up_seconds, double seconds) {
  const LoadClock::time_point begin = LoadClock::now() + Seconds(warm_up_seconds);
  return {.begin = begin, .end = begin + Seconds(seconds)};
}

void LoadResult::Count(const Window& window, LoadClock::time_point since,
                       const std::string& wrong) {
  const LoadClock::time_point now = LoadClock::now();
  if (!wrong.empty()) {
    if (failures_++ == 0) first_failure_ = wrong;
    return;
  }
  ++answers_;
  if (!window.Contains(now)) return;
  latencies_us_.push_back(static_cast<uint32_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(now - since).count()));
}

void LoadResult::Add(const LoadResult& other) {
  if (failures_ == 0) first_failure_ = other.first_failure_;
  answers_ += other.answers_;
  failures_ += other.failures_;
  latencies_us_.insert(latencies_us_.end(), other.latencies_us_.begin(), other.latencies_us_.end());
}

std::string LoadResult::Json(const Window& window) const {
  std::vector<uint32_t> sorted = latencies_us_;
  std::sort(sorted.begin(), sorted.end());
  return StrCat(
      "{\"answers\": ", answers_, ", \"failures\": ", failures_,
      ", \"first_failure\": ", json::JsonString(first_failure_), ", \"measured\": ", sorted.size(),
      ", \"seconds\": ", window.seconds(), ", \"p50_ms\": ", QuantileMs(sorted, 0.5),
      ", \"p90_ms\": ", QuantileMs(sorted, 0.9), ", \"p99_ms\": ", QuantileMs(sorted, 0.99),
      ", \"max_ms\": ", QuantileMs(sorted, 1), "}");
}

}  // namespace assay::load
