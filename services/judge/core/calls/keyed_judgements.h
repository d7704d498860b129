// Judgements that travel in bulk: each under its client's key, each answered for itself.
#ifndef ASSAY_SERVICES_JUDGE_CORE_CALLS_KEYED_JUDGEMENTS_H_
#define ASSAY_SERVICES_JUDGE_CORE_CALLS_KEYED_JUDGEMENTS_H_

#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "assay/judge/v1/judge_service.pb.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"
#include "common/exec/executor.h"
#include "common/exec/stream_sink.h"
#include "common/sync/mutex.h"
#include "services/judge/core/calls/judge_calls.h"

namespace assay::judge {

inline constexpr size_t kMaxKeyChars = 128;
inline constexpr int kMaxBatchRequests = 1'000;

// Why a request of a stream was refused. Thread-safe.
v1::RequestError RequestErrorOf(const absl::Status& status);

// The requests of one JudgeStream. Thread-safe. `judgements` outlives it and its calls.
class JudgeStreamSession : public std::enable_shared_from_this<JudgeStreamSession> {
 public:
  explicit JudgeStreamSession(JudgeCalls& judgements) : judgements_(judgements) {}

  // Always answers with a result: a bad request with its `error` (DUPLICATE_KEY if a request under
  // that key is in flight). `done` as JudgeCalls::Judge.
  void Judge(CallContext context, v1::JudgeStreamRequest request,
             Done<v1::JudgeStreamResponse> done) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  absl::Status Enter(const std::string& key) ABSL_LOCKS_EXCLUDED(mutex_);

  JudgeCalls& judgements_;
  Mutex mutex_;
  std::set<std::string> in_flight_ ABSL_GUARDED_BY(mutex_);
};

// As JudgeService.JudgeBatch: a bounded number of the requests at a time; `sink` gets the results
// as they finish, and the end. INVALID_ARGUMENT ends it at once. The references outlive the calls.
void JudgeBatch(JudgeCalls& judgements, Executor& executor, CallContext context,
                const v1::JudgeBatchRequest& request,
                std::shared_ptr<StreamSink<v1::JudgeBatchResponse>> sink);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_CALLS_KEYED_JUDGEMENTS_H_
