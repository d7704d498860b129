// A trace as text for a model.
#ifndef ASSAY_SERVICES_JUDGE_CORE_PROMPT_TRACE_H_
#define ASSAY_SERVICES_JUDGE_CORE_PROMPT_TRACE_H_

#include <cstddef>
#include <string>

#include "assay/trace/v1/trace.pb.h"

namespace assay::judge {

inline constexpr size_t kMaxTraceTextBytes = 100'000;
inline constexpr size_t kMaxTraceValueBytes = 8'000;

// The spans as an indented tree, by start time, each with name, duration, status, inputs, outputs
// and further attributes. A trace that does not fit into kMaxTraceTextBytes is shown in part:
// values above kMaxTraceValueBytes are cut, and spans that would exceed it left out, with a note
// that says so. Assessments are never shown. Spans whose parent is missing count as roots; cycles
// are cut. Thread-safe, as all here.
std::string TraceText(const trace::v1::Trace& trace);

// Whether TraceText shows all of it.
bool TraceTextFits(const trace::v1::Trace& trace);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_PROMPT_TRACE_H_
