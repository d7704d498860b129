// One question of a built-in judge to a model.
#ifndef ASSAY_SERVICES_JUDGE_CORE_BUILTIN_QUESTION_H_
#define ASSAY_SERVICES_JUDGE_CORE_BUILTIN_QUESTION_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "services/judge/core/judging.h"
#include "services/judge/core/judging_setup.h"

namespace assay::judge {

// What the system message says before the name of a built-in judge, outside of all blocks.
inline constexpr std::string_view kBuiltinLead = "This is the built-in judge ";

struct BuiltinQuestion {
  std::string_view prompt;  // One of prompts.h.
  std::string material;     // Fenced blocks.
  // Of a question about a part (a chunk, a span, a turn): a suffix of the idempotency key that no
  // other part has. Learned guidelines count for parts too; labelled examples do not, since people
  // gave their values to the whole.
  std::string part = {};
};

// The machine that asks it. `setup.definition` is a valid built-in judge. Errors: FAILED_PRECONDITION
// MODEL_NOT_CONFIGURED. Thread-safe.
absl::StatusOr<std::unique_ptr<Judging>> MakeBuiltinQuestion(const JudgingSetup& setup,
                                                             BuiltinQuestion question);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_BUILTIN_QUESTION_H_
