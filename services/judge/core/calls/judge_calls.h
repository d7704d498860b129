// Single judgements: resolve the judge, gather what it looks at, run it once per request id, log
// the verdict if asked.
#ifndef ASSAY_SERVICES_JUDGE_CORE_CALLS_JUDGE_CALLS_H_
#define ASSAY_SERVICES_JUDGE_CORE_CALLS_JUDGE_CALLS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "assay/judge/v1/judge_service.pb.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"
#include "common/exec/executor.h"
#include "common/sync/mutex.h"
#include "services/judge/core/calls/feedback_port.h"
#include "services/judge/core/calls/judge_resolver.h"
#include "services/judge/core/calls/recorded_calls.h"
#include "services/judge/core/calls/trace_port.h"
#include "services/judge/core/judge_runner.h"

namespace assay::judge {

// Thread-safe. What it is given outlives it and its calls.
class JudgeCalls {
 public:
  JudgeCalls(JudgeRunner& runner, const JudgeResolver& resolver, TracePort& traces,
             FeedbackPort& feedback, RecordedCalls& recorded, Executor& storage)
      : runner_(runner),
        resolver_(resolver),
        traces_(traces),
        feedback_(feedback),
        recorded_(recorded),
        storage_(storage) {}

  // As JudgeService.Judge. Takes CPU time of the caller's thread: requests that wait for nothing
  // are rendered on it. What blocks goes to `storage`. `done` is called exactly once, inline only
  // for requests that are refused at once or whose judge asks for nothing.
  void Judge(CallContext context, v1::JudgeRequest request, Done<v1::JudgeResponse> done)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Returns when every `done` has been called and has returned. For the end of the process: streams
  // end without waiting for their calls.
  void WaitUntilIdle() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Call;  // One judgement on its way.
  struct Judged;

  void Begin(CallContext context, v1::JudgeRequest request, Done<v1::JudgeResponse> done);
  void BeginRecorded(std::shared_ptr<Call> call, Done<v1::JudgeResponse> finish);
  void Resolve(std::shared_ptr<Call> call);
  void LoadTrace(std::shared_ptr<Call> call);
  void LoadSpansForMissing(std::shared_ptr<Call> call, bool has_spans);
  void Run(std::shared_ptr<Call> call);
  void Log(CallContext context, const v1::JudgeRequest& request, v1::JudgeResponse response,
           Done<v1::JudgeResponse> done);

  JudgeRunner& runner_;
  const JudgeResolver& resolver_;
  TracePort& traces_;
  FeedbackPort& feedback_;
  RecordedCalls& recorded_;
  Executor& storage_;
  Mutex mutex_;
  CondVar idle_;
  int64_t in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Whether a verdict cost nothing and may come out otherwise next time, so that it is not recorded
// under a request id.
bool IsTransient(const common::v1::Feedback& feedback);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_CALLS_JUDGE_CALLS_H_
