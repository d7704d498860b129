// Judges of what a trace's searches returned: retrieval_relevance, retrieval_sufficiency and
// retrieval_groundedness.
#ifndef ASSAY_SERVICES_JUDGE_CORE_BUILTIN_RETRIEVAL_JUDGING_H_
#define ASSAY_SERVICES_JUDGE_CORE_BUILTIN_RETRIEVAL_JUDGING_H_

#include <cstddef>
#include <memory>

#include "absl/status/statusor.h"
#include "services/judge/core/judging.h"
#include "services/judge/core/judging_setup.h"

namespace assay::judge {

inline constexpr size_t kMaxJudgedSpans = 50;  // Of one judgement; metadata says what is left out.
inline constexpr size_t kMaxJudgedChunks = 500;  // Likewise.

// One question for each chunk, all at the same time. Additional feedbacks: each chunk's on its span
// (metadata `chunk_index`, `doc_uri`), and each span's share of relevant chunks as
// `<name>/precision`. The verdict on the trace is `yes` if each span has a relevant chunk; `no` if
// one has chunks that are all irrelevant, or no chunk; else, where errors leave it open, an ERROR
// with the first error's code. Its parts are the spans.
absl::StatusOr<std::unique_ptr<Judging>> MakeRetrievalRelevance(const JudgingSetup& setup);

// One question for each span, whose answers are additional feedbacks and parts; the verdict on the
// trace is a question of its own about the documents of all spans together, where there are several.
absl::StatusOr<std::unique_ptr<Judging>> MakeRetrievalSufficiency(const JudgingSetup& setup);
absl::StatusOr<std::unique_ptr<Judging>> MakeRetrievalGroundedness(const JudgingSetup& setup);

// Errors of all: INVALID_ARGUMENT MISSING_JUDGE_INPUT, FAILED_PRECONDITION MODEL_NOT_CONFIGURED.
// A trace without a RETRIEVER span gives an ERROR feedback, NO_RETRIEVER_SPAN. Thread-safe.

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_BUILTIN_RETRIEVAL_JUDGING_H_
