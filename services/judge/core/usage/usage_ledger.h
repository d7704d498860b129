// Adds up usage in memory and writes it every second.
#ifndef ASSAY_SERVICES_JUDGE_CORE_USAGE_USAGE_LEDGER_H_
#define ASSAY_SERVICES_JUDGE_CORE_USAGE_USAGE_LEDGER_H_

#include <memory>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/clock/timer.h"
#include "common/exec/done.h"
#include "services/judge/core/model_client.h"
#include "services/judge/core/usage/usage_counts.h"
#include "services/judge/core/usage/usage_store.h"

namespace assay::judge {

// What a crash may lose is what was added within the interval; what could not be written is kept
// and written with the next. Thread-safe.
class UsageLedger {
 public:
  // All outlive the ledger; the store also its writes.
  UsageLedger(UsageStore& store, TimerQueue& timers, Clock& clock,
              absl::Duration interval = absl::Seconds(1));
  ~UsageLedger();

  // Counts for today. Short, and blocks nothing.
  void Add(const ModelAccount& account, std::string_view model_uri, const UsageCounts& counts);

  // Writes what was added before; `done` when it is durable, or with the error. May be inline if
  // there is nothing to write.
  void Flush(DoneStatus done);

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_USAGE_USAGE_LEDGER_H_
