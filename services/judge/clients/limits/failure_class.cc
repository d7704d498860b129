#include "services/judge/clients/limits/failure_class.h"

#include <optional>
#include <string>

#include "common/status/errors.h"

namespace assay::judge {
namespace {

bool SaysTooMuch(const absl::Status& status) {
  // 429, and Anthropic's word for an overloaded service.
  const std::optional<std::string> http_status = ErrorMetadata(status, "http_status");
  return http_status == "429" || http_status == "529";
}

}  // namespace

FailureClass FailureClassOf(const absl::Status& status) {
  if (status.ok()) return FailureClass::kNone;
  if (status.code() == absl::StatusCode::kCancelled) return FailureClass::kCancelled;
  const std::string reason = ErrorReason(status);
  if (reason == "BUDGET_EXHAUSTED" || reason == "MODEL_PRICE_UNKNOWN") return FailureClass::kBudget;
  if (reason == "MODEL_QUOTA_EXHAUSTED") return FailureClass::kQuota;
  if (reason == "MODEL_UNREACHABLE" || reason == "MODEL_TIMEOUT") {
    return SaysTooMuch(status) ? FailureClass::kRate : FailureClass::kTransient;
  }
  // Our own line is full: nobody was asked.
  if (reason == "OVERLOADED") return FailureClass::kRate;
  if (status.code() == absl::StatusCode::kDeadlineExceeded) return FailureClass::kCancelled;
  return FailureClass::kPermanent;
}

std::string_view FailureClassName(FailureClass failure) {
  switch (failure) {
    case FailureClass::kNone:
      return "";
    case FailureClass::kTransient:
      return "TRANSIENT";
    case FailureClass::kRate:
      return "RATE";
    case FailureClass::kQuota:
      return "QUOTA";
    case FailureClass::kBudget:
      return "BUDGET";
    case FailureClass::kPermanent:
      return "PERMANENT";
    case FailureClass::kCancelled:
      return "CANCELLED";
  }
  return "";
}

}  // namespace assay::judge
