// knowledge_retention: the last turn of each prefix of a conversation.
#ifndef ASSAY_SERVICES_JUDGE_CORE_BUILTIN_RETENTION_JUDGING_H_
#define ASSAY_SERVICES_JUDGE_CORE_BUILTIN_RETENTION_JUDGING_H_

#include <cstddef>
#include <memory>

#include "absl/status/statusor.h"
#include "services/judge/core/judging.h"
#include "services/judge/core/judging_setup.h"

namespace assay::judge {

// The tokens grow with the square of the turns: of a longer conversation the last ones are judged,
// each with all that comes before it, and the metadata `turns_left_out` says how many are not.
inline constexpr size_t kMaxJudgedTurns = 50;

// One question for each trace of the session in which the assistant answers, all at the same time.
// The worst verdict is that on the conversation: `no` if one is `no`; else an ERROR with the code
// of the first that has none; else `yes`. Parts: `turn 1`, `turn 2`, ... by the place of the trace
// in the session. `last_turn_judge`, where the definition has one, is asked in place of the own
// prompt. Errors: INVALID_ARGUMENT MISSING_JUDGE_INPUT, FAILED_PRECONDITION MODEL_NOT_CONFIGURED.
// Thread-safe.
absl::StatusOr<std::unique_ptr<Judging>> MakeKnowledgeRetention(const JudgingSetup& setup,
                                                                const JudgingMaker& make_judging);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_BUILTIN_RETENTION_JUDGING_H_
