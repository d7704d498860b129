// Which experiment and evaluation a resource's spans belong to.
#ifndef ASSAY_SERVICES_TRACE_CORE_TRACE_SCOPE_H_
#define ASSAY_SERVICES_TRACE_CORE_TRACE_SCOPE_H_

#include <string>
#include <string_view>

#include "services/trace/core/trace_store.h"

namespace assay::trace {

inline constexpr std::string_view kDefaultExperiment = "default";
inline constexpr std::string_view kRejectExperiment = "INVALID_EXPERIMENT";
inline constexpr std::string_view kRejectEvaluation = "INVALID_EVALUATION";

// What the request itself says (its metadata); empty where it says nothing.
struct RequestScope {
  std::string experiment;
  std::string evaluation;
};

// The binding that a Resource message asks for: its attributes `assay.experiment` and
// `assay.evaluation`, else the request's, else the experiment `default` and no evaluation. Ids and
// full resource names are taken. Empty, or the reason why its spans are rejected. Thread-safe.
std::string_view ResolveBinding(std::string_view resource, const RequestScope& request,
                                TraceBinding* binding);

// Whether a Resource message says of its spans that their traces are whole: its attribute
// `assay.complete` is true (or the text "true"). Thread-safe.
bool SaysComplete(std::string_view resource);

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_TRACE_SCOPE_H_
