// What came of a load.
#ifndef ASSAY_TESTS_LOAD_LOAD_RESULT_H_
#define ASSAY_TESTS_LOAD_LOAD_RESULT_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace assay::load {

using LoadClock = std::chrono::steady_clock;

// When answers count: the load runs from the beginning to `end`, and what is answered before
// `begin` only warms it up.
struct Window {
  LoadClock::time_point begin;
  LoadClock::time_point end;

  static Window StartingNow(double warm_up_seconds, double seconds);
  bool Contains(LoadClock::time_point time) const { return begin <= time && time < end; }
  double seconds() const { return std::chrono::duration<double>(end - begin).count(); }
};

// Not thread-safe.
class LoadResult {
 public:
  // `wrong` is empty for a good answer. `since` is when the call began, or was due.
  void Count(const Window& window, LoadClock::time_point since, const std::string& wrong);
  void Add(const LoadResult& other);

  uint64_t answers() const { return answers_; }  // Good ones, in the window or not.
  uint64_t failures() const { return failures_; }
  // {"answers": all, "failures": n, "first_failure": "...", "measured": in the window, "seconds":
  // of the window, "p50_ms", "p90_ms", "p99_ms", "max_ms"}. Latencies are 0 if nothing was
  // measured.
  std::string Json(const Window& window) const;

 private:
  uint64_t answers_ = 0;
  uint64_t failures_ = 0;
  std::string first_failure_;
  std::vector<uint32_t> latencies_us_;  // In the window.
};

}  // namespace assay::load

#endif  // ASSAY_TESTS_LOAD_LOAD_RESULT_H_
