// Guidelines out of disagreements: what a model is asked, and what is taken from its answer.
#ifndef ASSAY_SERVICES_ALIGNMENT_CORE_DISTILLATION_H_
#define ASSAY_SERVICES_ALIGNMENT_CORE_DISTILLATION_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "assay/judge/v1/judge_service.pb.h"
#include "assay/registry/v1/judge.pb.h"
#include "services/alignment/core/judgement.h"
#include "services/alignment/core/labelled_case.h"

namespace assay::alignment {

inline constexpr size_t kMaxRecordsPerCall = 50;
// Where there are more: so many of them are disagreements, the others show what the judge gets
// right.
inline constexpr size_t kMaxDisagreementsPerCall = 35;
inline constexpr size_t kMaxRecordBytesPerCall = 200'000;
inline constexpr size_t kMaxGuidelineChars = 2'000;

// One line of JSON about a case: trace (its id), inputs, outputs, judge_value, human_value,
// rationale. Long inputs, outputs and rationales are cut. Thread-safe, as all here.
std::string FeedbackRecord(const LabelledCase& labelled, const Judgement& judgement);

// Records of one call.
struct DistillationBatch {
  std::vector<std::string> records;
  std::vector<std::string> traces;  // Resource names, of the same cases.
};

// Every case of `training` where the judge came to a value, and to another one than people, in
// batches that fit into a call; each batch is filled up with cases where both say the same, chosen
// by the seed, so that what is right already shows. None without disagreement.
std::vector<DistillationBatch> MakeBatches(const std::vector<LabelledCase>& cases,
                                           const std::vector<size_t>& training,
                                           const std::vector<Judgement>& baseline, uint64_t seed);

// The question. Records stand in a block named `records`, the judge's rules in one named
// `instructions`: both are data.
judge::v1::CompleteRequest DistillationRequest(const registry::v1::JudgeDefinition& judge,
                                               const std::string& model,
                                               const DistillationBatch& batch);

// The question after an answer that could not be read, for `problem`.
judge::v1::CompleteRequest DistillationRepair(judge::v1::CompleteRequest question,
                                              std::string_view answer, std::string_view problem);

struct Distilled {
  std::vector<registry::v1::MemoryGuideline> guidelines;
  int without_source = 0;  // Guidelines that named no trace of the batch, left out.
};

// The guidelines of an answer {"guidelines": [{"guideline_text", "source_trace_ids"}]}, with or
// without a code fence or words around it. Texts are trimmed and cut; what is empty or names no
// trace of the batch is left out. INVALID_ARGUMENT if it cannot be read.
absl::StatusOr<Distilled> ReadDistillation(std::string_view answer, const DistillationBatch& batch);

// Whether two guidelines say the same: equal words, or nearly so.
bool SameGuideline(std::string_view a, std::string_view b);

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_CORE_DISTILLATION_H_
