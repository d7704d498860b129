// Paths into what a judge looks at: `outputs.message`, `inputs.messages[0].content`.
#ifndef ASSAY_COMMON_JUDGING_JUDGE_PATH_H_
#define ASSAY_COMMON_JUDGING_JUDGE_PATH_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace assay::judging {

inline constexpr size_t kMaxPathBytes = 1'000;
inline constexpr size_t kMaxNameBytes = 250;

enum class PathRoot { kInputs, kOutputs, kExpectations };

struct JudgePath {
  PathRoot root = PathRoot::kInputs;
  std::string below;  // A path as json::JsonPathFind takes it; "" for the whole.

  bool operator==(const JudgePath&) const = default;
};

// "inputs" and so on.
std::string_view PathRootName(PathRoot root);

// `inputs`, `outputs` or `expectations`, and what may follow: `.name`, `[index]`, names that are
// none in back quotes. Errors: INVALID_ARGUMENT about `field`, with `reason`. Thread-safe, as all
// here.
absl::StatusOr<JudgePath> ParseJudgePath(std::string_view path, std::string_view field,
                                         std::string_view reason = "INVALID_FIELD");

// Whether `name` matches [A-Za-z_][A-Za-z0-9_]* and has at most kMaxNameBytes.
bool IsVariableName(std::string_view name);

}  // namespace assay::judging

#endif  // ASSAY_COMMON_JUDGING_JUDGE_PATH_H_
