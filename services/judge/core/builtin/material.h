// What built-in judges read of a subject, as blocks of a prompt.
#ifndef ASSAY_SERVICES_JUDGE_CORE_BUILTIN_MATERIAL_H_
#define ASSAY_SERVICES_JUDGE_CORE_BUILTIN_MATERIAL_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/json/safe_json.h"
#include "services/judge/core/subject.h"

namespace assay::judge {

// INVALID_ARGUMENT about `field`, reason MISSING_JUDGE_INPUT. Thread-safe, as all here.
absl::Status MissingBuiltinInput(std::string_view field, std::string_view what);

// A block of JSON over several lines. `json_text` must be valid.
std::string JsonBlock(std::string_view name, std::string_view json_text);

// The blocks `request` and `response`, read from inputs and outputs as chat messages, model
// responses or plain text; MISSING_JUDGE_INPUT without them.
absl::StatusOr<std::string> RequestBlock(const Subject& subject);
absl::StatusOr<std::string> ResponseBlock(const Subject& subject);

// The subject's expectations; nullopt if it has none. INVALID_ARGUMENT if they are no JSON object.
absl::StatusOr<std::optional<json::Node>> ExpectationsOf(const Subject& subject);

// The member `name` of the expectations as JSON; nullopt if it is not there, null or empty.
absl::StatusOr<std::optional<std::string>> ExpectationNamed(const Subject& subject,
                                                            std::string_view name);

// The blocks `expected_response` and `expected_facts`, those of them that there are;
// MISSING_JUDGE_INPUT without both.
absl::StatusOr<std::string> ExpectedBlocks(const Subject& subject);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_BUILTIN_MATERIAL_H_
