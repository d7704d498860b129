// What binds a call that comes from within another judgement.
#ifndef ASSAY_SERVICES_JUDGE_CORE_CALLS_OUTER_CALL_H_
#define ASSAY_SERVICES_JUDGE_CORE_CALLS_OUTER_CALL_H_

#include <string_view>

#include "absl/status/status.h"
#include "common/exec/call_context.h"

namespace assay::judge {

// A scorer that calls back spends the budget of the judgement that asked it: INVALID_ARGUMENT
// (NESTED_EXPERIMENT_MISMATCH) naming `field` if the call is a part of a judgement of another
// experiment than `experiment`. Thread-safe.
absl::Status CheckOuterCall(const CallContext& context, std::string_view experiment,
                            std::string_view field);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_CALLS_OUTER_CALL_H_
