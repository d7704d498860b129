// The one place where a judgement meets its model: runs a JudgeMachine over a ModelClient.
#ifndef ASSAY_SERVICES_JUDGE_CORE_JUDGE_DRIVER_H_
#define ASSAY_SERVICES_JUDGE_CORE_JUDGE_DRIVER_H_

#include <memory>

#include "assay/common/v1/feedback.pb.h"
#include "common/clock/clock.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"
#include "services/judge/core/judge_machine.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// Blocks no thread: it goes on where the model client calls back. `done` is called exactly once,
// and inline only if `context` is cancelled or past its deadline already (call it from an
// executor). `models` and `clock` outlive the judgement.
void DriveJudge(std::unique_ptr<JudgeMachine> machine, ModelClient& models, Clock& clock,
                CallContext context, Done<common::v1::Feedback> done);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_JUDGE_DRIVER_H_
