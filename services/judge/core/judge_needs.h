// What has to be loaded before a judge can run.
#ifndef ASSAY_SERVICES_JUDGE_CORE_JUDGE_NEEDS_H_
#define ASSAY_SERVICES_JUDGE_CORE_JUDGE_NEEDS_H_

#include "assay/registry/v1/judge.pb.h"

namespace assay::judge {

// Whether the judge, or a judge within it, looks at the spans of a trace or a session: beyond
// inputs, outputs and assessments. Thread-safe.
bool NeedsSpans(const registry::v1::JudgeDefinition& definition);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_JUDGE_NEEDS_H_
