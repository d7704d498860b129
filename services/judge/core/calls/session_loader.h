// Loads the traces of a session, within bounds.
#ifndef ASSAY_SERVICES_JUDGE_CORE_CALLS_SESSION_LOADER_H_
#define ASSAY_SERVICES_JUDGE_CORE_CALLS_SESSION_LOADER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/exec/call_context.h"
#include "common/exec/done.h"
#include "services/judge/core/calls/trace_port.h"

namespace assay::judge {

inline constexpr int kMaxSessionTraces = 200;
inline constexpr int64_t kMaxSessionBytes = int64_t{32} << 20;  // Of spans as they came.

using SessionTraces = std::vector<std::shared_ptr<const trace::v1::Trace>>;

// The traces of experiments/{experiment}/sessions/{session}, the oldest first, each with its whole
// inputs and outputs, and with its spans if `spans`. NOT_FOUND if the session has none,
// FAILED_PRECONDITION with SESSION_TOO_LARGE beyond kMaxSessionTraces or kMaxSessionBytes, and what
// the port says. `done` is called exactly once, never inline. `traces` outlives the call.
// Thread-safe.
void LoadSession(TracePort& traces, std::string session, bool spans, CallContext context,
                 Done<SessionTraces> done);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_CALLS_SESSION_LOADER_H_
