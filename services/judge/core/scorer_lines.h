// Bounds how many calls of one users' server are under way at a time.
#ifndef ASSAY_SERVICES_JUDGE_CORE_SCORER_LINES_H_
#define ASSAY_SERVICES_JUDGE_CORE_SCORER_LINES_H_

#include <cstddef>
#include <memory>

#include "common/clock/timer.h"
#include "common/exec/executor.h"
#include "services/judge/core/user_ports.h"

namespace assay::judge {

// One line for each address and depth of nesting: a scorer's calls back into the judge service
// never wait for the slots that their callers hold. `Scorer.max_concurrency` calls (32 if it says
// none) are inside `inner`; the others wait, first come, first served, and leave the line when they
// are cancelled (CANCELLED) or their deadline passes (DEADLINE_EXCEEDED SCORER_TIMEOUT). Beyond
// `max_waiting` in a line a call is refused with UNAVAILABLE OVERLOADED. Thread-safe.
class ScorerLines final : public ScorerPort {
 public:
  static constexpr size_t kMaxWaiting = 65'536;

  // All of them outlive the calls.
  ScorerLines(ScorerPort& inner, Executor& executor, TimerQueue& timers,
              size_t max_waiting = kMaxWaiting);
  ~ScorerLines() override;

  void Score(const v1::Scorer& scorer, v1::ScoreRequest request, CallContext context,
             Done<v1::ScoreResponse> done) override;

 private:
  class Lines;
  const std::shared_ptr<Lines> lines_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_SCORER_LINES_H_
