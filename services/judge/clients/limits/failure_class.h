// What stands behind the failure of a model call: it decides what is done about it.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_FAILURE_CLASS_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_FAILURE_CLASS_H_

#include <string_view>

#include "absl/status/status.h"

namespace assay::judge {

enum class FailureClass {
  kNone,       // It did not fail.
  kTransient,  // Unreachable, failing, too slow: try again.
  kRate,       // Too much at a time: slow down, try again.
  kQuota,      // Nothing left at the provider: no use in trying again.
  kBudget,     // Nothing left of the experiment's budget; the model was not asked.
  kPermanent,  // Refused for what it is, or not configured.
  kCancelled,  // The caller gave up, or its time is over: says nothing about the provider.
};

// Of an attempt (attempt_error.h) or of a whole call. Thread-safe, as all here.
FailureClass FailureClassOf(const absl::Status& status);

// "TRANSIENT", "RATE", ...; "" for kNone.
std::string_view FailureClassName(FailureClass failure);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_LIMITS_FAILURE_CLASS_H_
