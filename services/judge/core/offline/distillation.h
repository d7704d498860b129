// Distils guidelines from records of disagreement, as far as words go.
#ifndef ASSAY_SERVICES_JUDGE_CORE_OFFLINE_DISTILLATION_H_
#define ASSAY_SERVICES_JUDGE_CORE_OFFLINE_DISTILLATION_H_

#include <string>
#include <vector>

#include "services/judge/core/offline/prompt_reader.h"

namespace assay::judge::offline {

struct DistilledGuideline {
  std::string text;
  std::vector<std::string> source_traces;
};

// For each concept that people's reasons speak of, and for terms that reasons and responses share:
// what people made of the responses that show it, if they were of one mind and differed from the
// judge. At most 20, those with the most disagreements behind them first. Thread-safe.
std::vector<DistilledGuideline> DistilGuidelines(const DistillationTask& task);

}  // namespace assay::judge::offline

#endif  // ASSAY_SERVICES_JUDGE_CORE_OFFLINE_DISTILLATION_H_
