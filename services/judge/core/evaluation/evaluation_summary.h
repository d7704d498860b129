// What the results of an evaluation add up to: counts, means, shares of categories.
#ifndef ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_SUMMARY_H_
#define ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_SUMMARY_H_

#include <string>
#include <vector>

#include "assay/judge/v1/evaluation_service.pb.h"
#include "assay/storage/v1/judge_records.pb.h"
#include "google/protobuf/map.h"

namespace assay::judge {

// The types of judges' values by the name of their assessments. Scorers declare none: their short
// texts count as categories while there are at most kMaxCategories different ones.
using ValueTypes = google::protobuf::Map<std::string, common::v1::ValueType>;
inline constexpr size_t kMaxCategories = 255;

// A row's result, and how each judge and scorer ended (a scorer may give several feedbacks, or
// none).
struct RowOutcome {
  v1::EvaluationRowResult result;
  std::vector<common::v1::Outcome> judgements;
  common::v1::Usage usage;  // Of the judges.
};

// How a judge or scorer ended, by what it gave: ERROR if any of it failed, else VALUE if there is
// one, else SKIPPED, else ABSTAINED (so does a scorer that gives nothing).
common::v1::Outcome JudgementOutcome(const std::vector<v1::EvaluationResult>& results);

// Counts one row. Thread-safe, as all here.
void AddToTally(const RowOutcome& row, const ValueTypes& types,
                storage::v1::EvaluationTallyRecord* tally);

// Fills in progress, summaries (by name), metrics and usage. yes and true count 1, no and false 0,
// numbers themselves; there is a mean only where every value counts as a number.
void Summarize(const storage::v1::EvaluationRecord& record,
               const storage::v1::EvaluationTallyRecord& tally, v1::Evaluation* evaluation);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_SUMMARY_H_
