// The errors that Assay's services answer with: a canonical code, a message that says what and
// which, and google.rpc details, carried as payloads of absl::Status under their type URL
// ("type.googleapis.com/google.rpc.ErrorInfo" and so on). Every error has an ErrorInfo with domain
// "assay". All functions are thread-safe; none throws.
#ifndef ASSAY_COMMON_STATUS_ERRORS_H_
#define ASSAY_COMMON_STATUS_ERRORS_H_

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

// The vocabulary packages (status, sync, clock, exec) are inline namespaces: `assay::InvalidField`
// and `assay::status::InvalidField` are the same function.
namespace assay::inline status {

inline constexpr std::string_view kErrorDomain = "assay";

// An error with an ErrorInfo. `reason` is UPPER_SNAKE and stable: programs branch on it. `code`
// must not be OK (it becomes INTERNAL if it is). `metadata` must hold no secret.
absl::Status MakeError(
    absl::StatusCode code, std::string_view reason, std::string_view message,
    std::initializer_list<std::pair<std::string_view, std::string_view>> metadata = {});

// INVALID_ARGUMENT about one field of the request, with BadRequest. `field` is its path
// ("judge.model_uri"), `description` says what is wrong and what is allowed. An empty reason means
// INVALID_FIELD.
absl::Status InvalidField(std::string_view field, std::string_view description,
                          std::string_view reason = "INVALID_FIELD");

// NOT_FOUND with ResourceInfo. `resource_type` is a word for people ("judge").
absl::Status NotFound(std::string_view resource_type, std::string_view resource_name,
                      std::string_view reason = "RESOURCE_NOT_FOUND");

// ALREADY_EXISTS, reason RESOURCE_ALREADY_EXISTS, with ResourceInfo.
absl::Status AlreadyExists(std::string_view resource_type, std::string_view resource_name);

// ABORTED, reason ETAG_MISMATCH: somebody else wrote in between; read again and retry.
absl::Status EtagMismatch(std::string_view resource_name);

// UNAVAILABLE, reason OVERLOADED, with RetryInfo. `what` names what is full ("judge queue").
absl::Status Overloaded(std::string_view what, absl::Duration retry_after);

// FAILED_PRECONDITION with PreconditionFailure: `subject` names what is not in the needed state,
// `description` how to get there.
absl::Status PreconditionFailed(std::string_view reason, std::string_view subject,
                                std::string_view description);

// Adds (or replaces) one entry of ErrorInfo.metadata. Gives the status an ErrorInfo if it had none.
// Returns an OK status as it is.
absl::Status AddErrorMetadata(absl::Status status, std::string_view key, std::string_view value);

// The same code and payloads with "<prefix>: " before the message. Returns an OK status as it is.
absl::Status PrefixError(std::string_view prefix, const absl::Status& status);

// ErrorInfo.reason, or "" if there is none.
std::string ErrorReason(const absl::Status& status);

// One entry of ErrorInfo.metadata, or nullopt.
std::optional<std::string> ErrorMetadata(const absl::Status& status, std::string_view key);

struct FieldViolation {
  std::string field;
  std::string description;
  bool operator==(const FieldViolation&) const = default;
};

// BadRequest.field_violations, or empty.
std::vector<FieldViolation> FieldViolations(const absl::Status& status);

// RetryInfo.retry_delay, or nullopt.
std::optional<absl::Duration> RetryAfter(const absl::Status& status);

// Collects what is wrong with one request, so that the client hears of everything at once. Not
// thread-safe.
class FieldErrors {
 public:
  void Add(std::string_view field, std::string_view description);
  // Takes over the violations of `status` (or its message, under `field`); ignores OK.
  void Add(std::string_view field, const absl::Status& status);

  bool empty() const { return violations_.empty(); }

  // OK if nothing was added; else INVALID_ARGUMENT with one BadRequest. The first violation is in
  // the message. At most 2.5 KB of violations are carried (a serialized status must stay under 4
  // KB); metadata "violations_left_out" counts the others.
  absl::Status ToStatus(std::string_view reason = "INVALID_FIELD") const;

 private:
  std::vector<FieldViolation> violations_;
};

}  // namespace assay::inline status

#endif  // ASSAY_COMMON_STATUS_ERRORS_H_
