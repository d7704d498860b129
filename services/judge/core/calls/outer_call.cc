#include "services/judge/core/calls/outer_call.h"

#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judge {

absl::Status CheckOuterCall(const CallContext& context, std::string_view experiment,
                            std::string_view field) {
  if (context.experiment.empty() || context.experiment == experiment) return absl::OkStatus();
  return InvalidField(field,
                      StrCat("must be ", json::PreviewOf(context.experiment, 300),
                             ": the call is a part of a judgement of that experiment"),
                      "NESTED_EXPERIMENT_MISMATCH");
}

}  // namespace assay::judge
