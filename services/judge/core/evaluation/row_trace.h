// Sees to it that a row has a trace: loads the one it names, or makes one around the application.
#ifndef ASSAY_SERVICES_JUDGE_CORE_EVALUATION_ROW_TRACE_H_
#define ASSAY_SERVICES_JUDGE_CORE_EVALUATION_ROW_TRACE_H_

#include <memory>
#include <string>
#include <vector>

#include "assay/trace/v1/trace.pb.h"
#include "common/clock/clock.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"
#include "common/exec/executor.h"
#include "services/judge/core/calls/trace_port.h"
#include "services/judge/core/evaluation/gathering.h"
#include "services/judge/core/evaluation/patience.h"

namespace assay::judge {

using TracePtr = std::shared_ptr<const trace::v1::Trace>;

// Calls of the trace service, for the rows of one evaluation, that wait until it answers.
// Thread-safe. What it is given outlives it and its calls, and it outlives the `done`s of its calls;
// `done` is never called inline.
class RowTrace {
 public:
  RowTrace(TracePort& traces, const Patience& patience, Clock& clock, TroubleReport report,
           const GatheringOptions& groups);

  void Preregister(std::string experiment, std::string evaluation, std::string trace_id,
                   CallContext context, DoneStatus done) const;
  void Load(std::string name, bool full, CallContext context, Done<TracePtr> done) const;

  // Waits up to `wait` for the application's own spans, then writes `span` as the root unless the
  // application has sent a root of its own. The application's spans are children of `span`. Spans of
  // many rows go in one call.
  void Complete(OneSpanTrace span, std::string name, absl::Duration wait, CallContext context,
                DoneStatus done);

 private:
  struct Watch;
  struct Written {
    OneSpanTrace span;
    CallContext context;
    DoneStatus done;
  };
  void Look(std::shared_ptr<Watch> watch);
  void Write(OneSpanTrace span, CallContext context, DoneStatus done);
  // Writes a group; one by one if some are refused.
  void WriteGroup(std::vector<Written> group, Task ended);

  TracePort& traces_;
  const Patience& patience_;
  Clock& clock_;
  const TroubleReport report_;
  Gathering<Written> gathering_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_EVALUATION_ROW_TRACE_H_
