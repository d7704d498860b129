// The trace service, as the judge service needs it.
#ifndef ASSAY_SERVICES_JUDGE_CORE_CALLS_TRACE_PORT_H_
#define ASSAY_SERVICES_JUDGE_CORE_CALLS_TRACE_PORT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "assay/trace/v1/trace.pb.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"

namespace assay::judge {

// A trace of one span, written in an application's place.
struct OneSpanTrace {
  std::string experiment;  // experiments/{experiment}
  std::string evaluation;  // experiments/{experiment}/evaluations/{evaluation}, or "".
  std::string trace_id;    // 32 hex digits.
  std::string span_id;     // 16 hex digits. Writing the same ids again changes nothing.
  std::string span_name;
  std::string inputs;         // JSON text.
  std::string outputs;        // JSON text, or "" if there are none.
  std::string error_message;  // "" if the application did not fail.
  absl::Time start_time;
  absl::Time end_time;
};

// Every method calls `done` exactly once, never inline. UNAVAILABLE (PEER_UNREACHABLE) when the
// service does not answer. Thread-safe.
class TracePort {
 public:
  virtual ~TracePort() = default;

  // NOT_FOUND if there is none. With its spans if `full`.
  virtual void GetTrace(std::string name, bool full, CallContext context,
                        Done<std::shared_ptr<const trace::v1::Trace>> done) = 0;

  // The traces of experiments/{experiment}/sessions/{session}, the oldest first, at most `most`,
  // without spans, and without inputs or outputs above 256 KiB. None for an unknown session.
  virtual void ListSessionTraces(
      std::string session, int most, CallContext context,
      Done<std::vector<std::shared_ptr<const trace::v1::Trace>>> done) = 0;

  // Binds the ids to the evaluation; repeating it changes nothing.
  virtual void PreregisterTraces(std::string experiment, std::string evaluation,
                                 std::vector<std::string> trace_ids, CallContext context,
                                 DoneStatus done) = 0;

  // Writes all of them, durable and complete before `done`. FAILED_PRECONDITION (SPAN_REJECTED) if
  // some were refused; which ones, only a call for each of them tells. At least one.
  virtual void WriteTraces(std::vector<OneSpanTrace> traces, CallContext context,
                           DoneStatus done) = 0;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_CALLS_TRACE_PORT_H_
