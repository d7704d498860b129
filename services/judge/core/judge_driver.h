// The one place where a judgement meets the world: runs a Judging over models and users' scorers.
#ifndef ASSAY_SERVICES_JUDGE_CORE_JUDGE_DRIVER_H_
#define ASSAY_SERVICES_JUDGE_CORE_JUDGE_DRIVER_H_

#include <memory>

#include "common/clock/clock.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"
#include "services/judge/core/judgement_trace.h"
#include "services/judge/core/judging.h"
#include "services/judge/core/model_client.h"
#include "services/judge/core/user_ports.h"

namespace assay::judge {

// What a judgement does its I/O with. The references outlive it.
struct JudgingPorts {
  ModelClient& models;
  ScorerPort& scorers;
  Clock& clock;
  std::shared_ptr<CallRecorder> recorder;  // Hears of every call of a model. May be null.
};

// Blocks no thread: it goes on where a port calls back. `done` is called exactly once, and inline
// only if the judging asks for nothing or `context` is cancelled or past its deadline already (call
// it from an executor).
void DriveJudging(std::unique_ptr<Judging> judging, const JudgingPorts& ports, CallContext context,
                  Done<JudgeVerdict> done);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_JUDGE_DRIVER_H_
