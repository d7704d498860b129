// The rules of what an evaluation may ask for.
#ifndef ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_SPEC_H_
#define ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_SPEC_H_

#include <functional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "assay/judge/v1/evaluation_service.pb.h"
#include "common/names/resource_name.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace assay::judge {

inline constexpr int kMaxEvaluationJudges = 50;  // And as many scorers.
inline constexpr int kMaxRowsPerRequest = 1'000;
inline constexpr size_t kMaxRowFieldBytes = 1 << 20;  // Inputs, outputs, expectations: each.
inline constexpr int kDefaultParallelism = 16;
inline constexpr int kMaxParallelism = 256;

// Which addresses of scorers and predictors may be called: OK, or an error whose message says why
// not.
using AddressRule = std::function<absl::Status(std::string_view address)>;

// The specification with its defaults filled in: names of assessments, timeouts, parallelism; JSON
// as text. INVALID_ARGUMENT names every field at or below `spec` that breaks a rule. Thread-safe,
// as all here.
absl::StatusOr<v1::EvaluationSpec> CheckedSpec(const v1::EvaluationSpec& spec,
                                               const AddressRule& address_rule);

// Rows with JSON as text. INVALID_ARGUMENT names every bad field as `rows[i].inputs` and so on.
absl::StatusOr<std::vector<v1::EvaluationRow>> CheckedRows(
    const google::protobuf::RepeatedPtrField<v1::EvaluationRow>& rows,
    const names::ExperimentName& parent, bool has_predictor);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_SPEC_H_
