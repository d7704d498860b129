// Where the time of a trace went.
#ifndef ASSAY_SERVICES_JUDGE_CORE_AGENT_TIMING_REPORT_H_
#define ASSAY_SERVICES_JUDGE_CORE_AGENT_TIMING_REPORT_H_

#include <string>

#include "services/judge/core/agent/trace_index.h"

namespace assay::judge {

// A JSON object: totals, the slowest spans by their own time (what their children leave), sums by
// type, and pairs of siblings that ran at the same time. Names are cut at 30 characters, lists at
// 20 entries. Thread-safe.
std::string TimingReport(const TraceIndex& index);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_AGENT_TIMING_REPORT_H_
