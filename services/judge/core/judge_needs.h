// What has to be loaded before a judge can run.
#ifndef ASSAY_SERVICES_JUDGE_CORE_JUDGE_NEEDS_H_
#define ASSAY_SERVICES_JUDGE_CORE_JUDGE_NEEDS_H_

#include "assay/registry/v1/judge.pb.h"
#include "services/judge/core/subject.h"

namespace assay::judge {

// Whether the judge, or a judge within it, looks at the spans of a trace or a session: beyond
// inputs, outputs and assessments. Thread-safe.
bool NeedsSpans(const registry::v1::JudgeDefinition& definition);

// Whether a judge by instructions needs inputs or outputs that neither the request nor the root
// span of its trace has, so that it may look for them among the spans (TraceReading). The subject's
// trace is loaded, at least without spans. Thread-safe.
bool LooksForMissing(const registry::v1::JudgeDefinition& definition, const Subject& subject);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_JUDGE_NEEDS_H_
