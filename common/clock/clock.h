// Time as a dependency.
#ifndef ASSAY_COMMON_CLOCK_CLOCK_H_
#define ASSAY_COMMON_CLOCK_CLOCK_H_

#include "absl/time/time.h"

namespace assay::inline clock {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() = 0;
};

// The machine's wall clock. Lives for ever.
Clock& SystemClock();

}  // namespace assay::inline clock

#endif  // ASSAY_COMMON_CLOCK_CLOCK_H_
