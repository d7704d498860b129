// What alignments need of the other services.
#ifndef ASSAY_SERVICES_ALIGNMENT_CORE_PORTS_H_
#define ASSAY_SERVICES_ALIGNMENT_CORE_PORTS_H_

#include <string>

#include "assay/feedback/v1/feedback_service.pb.h"
#include "assay/judge/v1/judge_service.pb.h"
#include "assay/registry/v1/judge_registry_service.pb.h"
#include "assay/trace/v1/trace.pb.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"

namespace assay::alignment {

// All ports are thread-safe. `done` is called exactly once, never inline, on an executor that is
// never blocked. Errors are those that the service's contract names, and CANCELLED,
// DEADLINE_EXCEEDED and UNAVAILABLE (the last after the implementation has waited for a service
// that is away as long as the context's deadline allows).
class FeedbackPort {
 public:
  virtual ~FeedbackPort() = default;
  virtual void ListAssessedTraces(feedback::v1::ListAssessedTracesRequest request,
                                  const CallContext& context,
                                  Done<feedback::v1::ListAssessedTracesResponse> done) = 0;
};

class TracePort {
 public:
  virtual ~TracePort() = default;
  // By resource name, without its spans.
  virtual void GetTrace(std::string name, const CallContext& context,
                        Done<trace::v1::Trace> done) = 0;
};

class JudgePort {
 public:
  virtual ~JudgePort() = default;
  virtual void Judge(judge::v1::JudgeRequest request, const CallContext& context,
                     Done<judge::v1::JudgeResponse> done) = 0;
};

class ModelPort {
 public:
  virtual ~ModelPort() = default;
  virtual void Complete(judge::v1::CompleteRequest request, const CallContext& context,
                        Done<judge::v1::CompleteResponse> done) = 0;
};

class RegistryPort {
 public:
  virtual ~RegistryPort() = default;
  virtual void GetJudge(std::string name, const CallContext& context,
                        Done<registry::v1::Judge> done) = 0;
  // By any of the four forms that name a revision.
  virtual void GetRevision(std::string name, const CallContext& context,
                           Done<registry::v1::JudgeRevision> done) = 0;
  virtual void CreateRevision(registry::v1::CreateJudgeRevisionRequest request,
                              const CallContext& context,
                              Done<registry::v1::JudgeRevision> done) = 0;
  virtual void SetAlias(registry::v1::SetJudgeAliasRequest request, const CallContext& context,
                        Done<registry::v1::Judge> done) = 0;
};

// All outlive whoever holds them.
struct Ports {
  FeedbackPort* feedback = nullptr;
  TracePort* trace = nullptr;
  JudgePort* judge = nullptr;
  ModelPort* model = nullptr;
  RegistryPort* registry = nullptr;
};

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_CORE_PORTS_H_
