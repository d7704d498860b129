// The options of an alignment: rules and defaults.
#ifndef ASSAY_SERVICES_ALIGNMENT_CORE_OPTIONS_H_
#define ASSAY_SERVICES_ALIGNMENT_CORE_OPTIONS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "assay/alignment/v1/alignment_service.pb.h"
#include "assay/registry/v1/judge.pb.h"

namespace assay::alignment {

// The options with defaults filled in; `judge` gives the default reflection model. INVALID_ARGUMENT
// names the field below `options` and what is allowed. Thread-safe, as all here.
absl::StatusOr<v1::AlignmentOptions> EffectiveOptions(const v1::AlignmentOptions& requested,
                                                      const registry::v1::JudgeDefinition& judge);

// What a judge needs of a trace.
struct NeededFields {
  bool inputs = false;
  bool outputs = false;
};

// FAILED_PRECONDITION (JUDGE_NOT_ALIGNABLE) for a judge that needs what a trace does not hold:
// expectations, or guidelines that come with each row.
absl::StatusOr<NeededFields> FieldsNeededBy(const registry::v1::JudgeDefinition& judge,
                                            std::string_view revision);

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_CORE_OPTIONS_H_
