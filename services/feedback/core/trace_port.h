// What the feedback service asks the trace service.
#ifndef ASSAY_SERVICES_FEEDBACK_CORE_TRACE_PORT_H_
#define ASSAY_SERVICES_FEEDBACK_CORE_TRACE_PORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "assay/trace/v1/trace_service.pb.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"

namespace assay::feedback {

// Thread-safe. `done` is called exactly once, never inline.
class TracePort {
 public:
  virtual ~TracePort() = default;

  // Those of `traces` (resource names, distinct) that do not exist. UNAVAILABLE (PEER_UNREACHABLE)
  // if the trace service cannot be asked.
  virtual void FindMissing(std::vector<std::string> traces, CallContext context,
                           Done<std::vector<std::string>> done) = 0;
};

// Thread-safe. `done` is called exactly once, never inline.
class ProjectionPort {
 public:
  virtual ~ProjectionPort() = default;

  // Applies changes in their order; repeated ones change nothing. Answers with the last sequence
  // number that is applied and durable.
  virtual void Apply(const std::string& store_id, std::vector<trace::v1::AssessmentChange> changes,
                     CallContext context, Done<int64_t> done) = 0;
};

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_CORE_TRACE_PORT_H_
