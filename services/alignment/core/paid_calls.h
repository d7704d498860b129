// Calls that cost something: each is made once, whatever happens in between.
#ifndef ASSAY_SERVICES_ALIGNMENT_CORE_PAID_CALLS_H_
#define ASSAY_SERVICES_ALIGNMENT_CORE_PAID_CALLS_H_

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "assay/common/v1/feedback.pb.h"
#include "common/clock/clock.h"
#include "common/exec/cancellation.h"
#include "common/exec/done.h"
#include "common/jobs/journal.h"
#include "common/sync/mutex.h"
#include "services/alignment/core/ports.h"

namespace assay::alignment {

// Answers are recorded in the journal under the step's key before they are passed on; a step that
// is recorded asks nobody. The request carries an id made of the alignment's uid and the step, so
// that an answer given right before a crash, and not recorded here, comes from the judge service's
// own record. Thread-safe.
class PaidCalls {
 public:
  // All outlive this and its answers. `uid` is the alignment's; `cancel` may be null.
  PaidCalls(jobs::Journal& journal, JudgePort& judge, ModelPort& model, Clock& clock,
            std::string uid, std::shared_ptr<CancellationToken> cancel)
      : journal_(journal),
        judge_(judge),
        model_(model),
        clock_(clock),
        uid_(std::move(uid)),
        cancel_(std::move(cancel)) {}

  // A trace that cannot be judged (NOT_FOUND, INVALID_ARGUMENT) is an answer with an error, and
  // recorded as such. Other errors are passed on and not recorded.
  void Judge(const std::string& step, judge::v1::JudgeRequest request,
             Done<judge::v1::JudgeResponse> done);
  void Complete(const std::string& step, judge::v1::CompleteRequest request,
                Done<judge::v1::CompleteResponse> done);

  // What all answers consumed, those from the journal included.
  common::v1::Usage usage() const ABSL_LOCKS_EXCLUDED(mutex_);
  // CANCELLED once the job shall end.
  absl::Status CheckCancelled() const;
  const CancellationToken* cancel() const { return cancel_.get(); }

 private:
  CallContext Context() const;
  std::string RequestId(const std::string& step) const;
  void Count(const common::v1::Usage& usage) ABSL_LOCKS_EXCLUDED(mutex_);

  jobs::Journal& journal_;
  JudgePort& judge_;
  ModelPort& model_;
  Clock& clock_;
  const std::string uid_;
  const std::shared_ptr<CancellationToken> cancel_;
  mutable Mutex mutex_;
  common::v1::Usage usage_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_CORE_PAID_CALLS_H_
