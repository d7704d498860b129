#include "common/clock/clock.h"

#include "absl/time/clock.h"

namespace assay::inline clock {
namespace {

class WallClock final : public Clock {
 public:
  absl::Time Now() override { return absl::Now(); }
};

}  // namespace

Clock& SystemClock() {
  static WallClock* const clock = new WallClock;  // Never destroyed: threads may outlive main.
  return *clock;
}

}  // namespace assay::inline clock
