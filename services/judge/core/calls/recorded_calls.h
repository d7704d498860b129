// Calls that cost money, made once per request id: what was answered is recorded before it is
// passed on, and a repeated request gets the record. Requests with one id at the same time share
// one call; if the one that made it is cancelled, the next one makes it. A call whose caller leaves
// goes on, as its answer is worth having: whoever repeats the request gets it.
#ifndef ASSAY_SERVICES_JUDGE_CORE_CALLS_RECORDED_CALLS_H_
#define ASSAY_SERVICES_JUDGE_CORE_CALLS_RECORDED_CALLS_H_

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "common/exec/call_context.h"
#include "common/exec/cancellation.h"
#include "common/exec/done.h"
#include "common/request/request_key.h"
#include "common/sync/mutex.h"
#include "services/judge/core/calls/answer_store.h"

namespace assay::judge {

// An answer to a call, and whether it is worth keeping: a failure that cost nothing is not.
struct CallAnswer {
  std::string bytes;
  bool record = true;
};

// Thread-safe. The store outlives it; it outlives every call in flight.
class RecordedCalls {
 public:
  using Work = absl::AnyInvocable<void(Done<CallAnswer>) &&>;

  // The context of work whose answer is recorded, and what keeps it so: hold it until the end of
  // the work.
  struct Outliving {
    CallContext context;
    std::shared_ptr<void> hold;
  };

  explicit RecordedCalls(AnswerStore& store) : store_(store) {}

  // A copy of `context` that is not cancelled when its caller leaves; its deadline holds. After
  // Stop() it is, or would be.
  Outliving Outlive(const CallContext& context) const;

  // The end of the process is near: work whose caller has left is cancelled, other work as soon as
  // its caller leaves.
  void Stop() { stop_->Cancel(); }

  // Calls `work` unless the key has an answer or a call under way; an empty request_id always
  // calls. `done` gets the answer once it is durable (if it is recorded), or the error of `work`,
  // which is not recorded. Blocks on storage for the look-up; may call `done` inline.
  void Do(RequestKey key, Work work, Done<std::string> done) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using FlightKey = std::pair<std::string, std::string>;  // principal and method; request id
  struct Waiter {
    Work work;
    Done<std::string> done;
  };
  struct Flight {
    std::string body_sha256;
    std::deque<Waiter> waiting;  // The first one's work is under way.
  };

  void Call(RequestKey key, const FlightKey& flight_key, Work work);
  void Finish(const RequestKey& key, const FlightKey& flight_key,
              const absl::StatusOr<std::string>& answer) ABSL_LOCKS_EXCLUDED(mutex_);

  AnswerStore& store_;
  const std::shared_ptr<CancellationToken> stop_ = std::make_shared<CancellationToken>();
  Mutex mutex_;
  std::map<FlightKey, Flight> flights_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_CALLS_RECORDED_CALLS_H_
