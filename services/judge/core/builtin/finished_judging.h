// Built-in judgements that need no model: decided by code, or without anything to judge.
#ifndef ASSAY_SERVICES_JUDGE_CORE_BUILTIN_FINISHED_JUDGING_H_
#define ASSAY_SERVICES_JUDGE_CORE_BUILTIN_FINISHED_JUDGING_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "services/judge/core/judging.h"
#include "services/judge/core/judging_setup.h"

namespace assay::judge {

// Finishes at once with a verdict that is known already.
class FinishedJudging final : public Judging {
 public:
  explicit FinishedJudging(JudgeVerdict verdict) : verdict_(std::move(verdict)) {}
  JudgeStep Next(JudgeEvent) override { return JudgeFinished{std::move(verdict_)}; }

 private:
  JudgeVerdict verdict_;
};

// `yes` or `no` by code: the source is CODE and the judge's name.
std::unique_ptr<Judging> DecidedByCode(const JudgingSetup& setup, bool yes, std::string rationale);

// An ERROR feedback in the name of the judge's model.
std::unique_ptr<Judging> FailedJudging(const JudgingSetup& setup, std::string_view code,
                                       std::string_view message);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_BUILTIN_FINISHED_JUDGING_H_
