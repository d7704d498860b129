// How the lexical stand-in answers the built-in judges: by shares of words, word lists and counts.
#ifndef ASSAY_SERVICES_JUDGE_CORE_OFFLINE_BUILTIN_MEASURES_H_
#define ASSAY_SERVICES_JUDGE_CORE_OFFLINE_BUILTIN_MEASURES_H_

#include <optional>
#include <string>

#include "services/judge/core/offline/lexical_text.h"
#include "services/judge/core/offline/prompt_reader.h"

namespace assay::judge::offline {

struct BuiltinMeasure {
  double goodness = 0;  // From 0 (worst) to 1 (best).
  std::string why;      // For people.
};

// Of `task.builtin`, with `request` and `response` in place of the task's own, and its other blocks;
// nullopt if it is no built-in judge. docs/offline_model.md lists what is measured. Thread-safe.
std::optional<BuiltinMeasure> MeasureBuiltin(const JudgingTask& task, const LexicalText& request,
                                             const LexicalText& response);

}  // namespace assay::judge::offline

#endif  // ASSAY_SERVICES_JUDGE_CORE_OFFLINE_BUILTIN_MEASURES_H_
