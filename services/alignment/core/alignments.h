// Alignments: creating, reading, watching and cancelling them, registering what came of them, and
// running their jobs.
#ifndef ASSAY_SERVICES_ALIGNMENT_CORE_ALIGNMENTS_H_
#define ASSAY_SERVICES_ALIGNMENT_CORE_ALIGNMENTS_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "assay/alignment/v1/alignment_service.pb.h"
#include "common/clock/clock.h"
#include "common/exec/call_context.h"
#include "common/exec/executor.h"
#include "common/exec/stream_sink.h"
#include "common/jobs/job_pool.h"
#include "services/alignment/core/alignment_store.h"
#include "services/alignment/core/live_progress.h"
#include "services/alignment/core/ports.h"
#include "services/alignment/core/watchers.h"

namespace assay::alignment {

struct AlignmentsOptions {
  int max_running = 2;          // Jobs at a time; others wait their turn.
  int preparation_threads = 4;  // Labelled sets and registrations at a time.
};

// Thread-safe. Reads block on storage; what takes longer answers by `done`. Errors are those of the
// methods in protos/assay/alignment/v1/alignment_service.proto.
class Alignments {
 public:
  // All outlive this. `executor` is drained before this is destroyed, and after Stop().
  Alignments(AlignmentStore& store, const Ports& ports, Executor& executor, Clock& clock,
             const AlignmentsOptions& options);
  ~Alignments();

  // Takes up what was running when the service ended. Once, before the first call.
  absl::Status ResumeRunning();
  // Ends what runs; the store keeps it RUNNING, and the next start takes it up. New work is refused
  // from here on.
  void Stop();

  void Create(const CallContext& context, const v1::CreateAlignmentRequest& request,
              Done<v1::CreateAlignmentResponse> done);
  absl::StatusOr<v1::GetAlignmentResponse> Get(const v1::GetAlignmentRequest& request) const;
  absl::StatusOr<v1::ListAlignmentsResponse> List(const v1::ListAlignmentsRequest& request) const;
  void Watch(const v1::WatchAlignmentRequest& request,
             std::shared_ptr<StreamSink<v1::WatchAlignmentResponse>> sink);
  void Cancel(const v1::CancelAlignmentRequest& request, Done<v1::CancelAlignmentResponse> done);
  void Register(const CallContext& context, const v1::RegisterAlignmentRequest& request,
                Done<v1::RegisterAlignmentResponse> done);

 private:
  absl::StatusOr<v1::CreateAlignmentResponse> CreateNow(const CallContext& context,
                                                        const v1::CreateAlignmentRequest& request);
  // The alignment as it is now, with candidate and report if it has them.
  absl::StatusOr<v1::Alignment> Look(const names::AlignmentName& name) const;
  void StartJob(const names::AlignmentName& name);
  void RunJob(const names::AlignmentName& name, const std::shared_ptr<CancellationToken>& cancel);
  // Keeps the end of a job, unless it was cancelled meanwhile.
  absl::Status KeepEnd(const names::AlignmentName& name, absl::StatusOr<AlignmentResult> result);
  void NoteProgress(const names::AlignmentName& name, v1::AlignmentStage stage, int64_t done,
                    int64_t total);
  class JobListener;

  AlignmentStore& store_;
  const Ports ports_;
  Executor& executor_;
  Clock& clock_;
  LiveProgress progress_;
  Watchers watchers_;
  ThreadPool preparation_;
  jobs::JobPool pool_;
};

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_CORE_ALIGNMENTS_H_
