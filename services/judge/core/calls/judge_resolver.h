// From what a request names to a judge that can be run.
#ifndef ASSAY_SERVICES_JUDGE_CORE_CALLS_JUDGE_RESOLVER_H_
#define ASSAY_SERVICES_JUDGE_CORE_CALLS_JUDGE_RESOLVER_H_

#include <string>
#include <string_view>

#include "assay/registry/v1/judge.pb.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"
#include "services/judge/core/calls/registry_port.h"
#include "services/judge/core/judge_runner.h"

namespace assay::judge {

// The name of the assessments of a judge that is defined in a request and not named there.
std::string_view DefaultAssessmentName(const registry::v1::JudgeDefinition& definition);

// Finds registered judges and checks inline ones. Thread-safe. The registry outlives it and its
// calls.
class JudgeResolver {
 public:
  explicit JudgeResolver(RegistryPort& registry) : registry_(registry) {}

  // A registered judge: `name` in any of its forms; the assessment is named `assessment_name`, or
  // by the judge's id. `done` as RegistryPort::GetRevision.
  void Registered(std::string name, std::string assessment_name, CallContext context,
                  Done<ResolvedJudge> done) const;

  // A judge defined in a request. INVALID_ARGUMENT for a broken rule, naming fields below `field`.
  static absl::StatusOr<ResolvedJudge> Inline(registry::v1::JudgeDefinition definition,
                                              std::string assessment_name, std::string_view field);

 private:
  RegistryPort& registry_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_CALLS_JUDGE_RESOLVER_H_
