// What travels with a call through every layer.
#ifndef ASSAY_COMMON_EXEC_CALL_CONTEXT_H_
#define ASSAY_COMMON_EXEC_CALL_CONTEXT_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/exec/cancellation.h"

namespace assay::inline exec {

// Who waits for a call: people and their programs, or a job that can wait. Where calls queue, the
// interactive ones go first.
enum class Priority { kInteractive, kJob };

// A value: copy it to give a part of the work a tighter deadline. Copies share the cancellation
// token.
struct CallContext {
  absl::Time deadline = absl::InfiniteFuture();
  std::shared_ptr<CancellationToken> cancel;  // May be null: never cancelled.
  std::string principal = "local";            // Who asks; scopes request ids.
  std::string request_method;                 // "assay.judge.v1.JudgeService/Judge"; "" in jobs.
  int depth = 0;                              // Nesting of calls back into our services.
  std::string traceparent;                    // W3C trace context of the caller; "" if none.
  // Of a nested call: the experiment of the judgement that it is a part of, whose budget pays.
  std::string experiment;
  Priority priority = Priority::kInteractive;

  bool Cancelled() const { return cancel != nullptr && cancel->IsCancelled(); }

  // Until the deadline; never below zero.
  absl::Duration Remaining(absl::Time now) const;

  // CANCELLED or DEADLINE_EXCEEDED if there is no use in going on, else OK.
  absl::Status Check(absl::Time now) const;

  // A copy whose deadline is no later than `limit`.
  CallContext WithDeadlineAtMost(absl::Time limit) const;
};

}  // namespace assay::inline exec

#endif  // ASSAY_COMMON_EXEC_CALL_CONTEXT_H_
