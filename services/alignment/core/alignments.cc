#include "services/alignment/core/alignments.h"

#include <optional>
#include <utility>
#include <vector>

#include "common/exec/await.h"
#include "common/filter/page_token.h"
#include "common/judging/judge_definition.h"
#include "common/log/log.h"
#include "common/names/random_id.h"
#include "common/names/resource_name.h"
#include "common/proto/time.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/alignment/core/alignment_job.h"
#include "services/alignment/core/labelled_set.h"
#include "services/alignment/core/options.h"
#include "services/alignment/core/paid_calls.h"
#include "services/alignment/core/registration.h"

namespace assay::alignment {
namespace {

constexpr size_t kMaxPageBytes = 3 << 20;

absl::Status Ended() { return absl::FailedPreconditionError("the alignment has ended"); }

std::string CodeOf(const absl::Status& status) {
  const std::string reason = ErrorReason(status);
  return reason.empty() ? absl::StatusCodeToString(status.code()) : reason;
}

}  // namespace

class Alignments::JobListener final : public ProgressListener {
 public:
  JobListener(Alignments& alignments, names::AlignmentName name)
      : alignments_(alignments), name_(std::move(name)) {}
  void OnProgress(v1::AlignmentStage stage, int64_t done, int64_t total) override {
    alignments_.NoteProgress(name_, stage, done, total);
  }

 private:
  Alignments& alignments_;
  const names::AlignmentName name_;
};

Alignments::Alignments(AlignmentStore& store, const Ports& ports, Executor& executor, Clock& clock,
                       const AlignmentsOptions& options)
    : store_(store),
      ports_(ports),
      executor_(executor),
      clock_(clock),
      progress_(clock),
      watchers_(executor,
                [this](const std::string& name) -> absl::StatusOr<v1::Alignment> {
                  ASSAY_ASSIGN_OR_RETURN(const names::AlignmentName parsed,
                                         names::AlignmentName::Parse(name));
                  return Look(parsed);
                }),
      preparation_("align-prepare", options.preparation_threads),
      pool_(options.max_running) {}

Alignments::~Alignments() { Stop(); }

absl::Status Alignments::ResumeRunning() {
  ASSAY_ASSIGN_OR_RETURN(const std::vector<names::AlignmentName> running, store_.ListRunning());
  for (const names::AlignmentName& name : running) {
    log::Info("alignment taken up again", {{"alignment", name.ToString()}});
    StartJob(name);
  }
  return absl::OkStatus();
}

void Alignments::Stop() {
  preparation_.Shutdown();
  pool_.Stop();
}

void Alignments::Create(const CallContext& context, const v1::CreateAlignmentRequest& request,
                        Done<v1::CreateAlignmentResponse> done) {
  preparation_.Run([this, context, request, done = std::move(done)]() mutable {
    std::move(done)(CreateNow(context, request));
  });
}

absl::StatusOr<v1::CreateAlignmentResponse> Alignments::CreateNow(
    const CallContext& context, const v1::CreateAlignmentRequest& request) {
  ASSAY_ASSIGN_OR_RETURN(const names::ExperimentName parent,
                         names::ExperimentName::Parse(request.parent(), "parent"));
  ASSAY_ASSIGN_OR_RETURN(const names::JudgeRef ref,
                         names::JudgeRef::Parse(request.judge(), "judge"));
  if (ref.experiment != parent.experiment) {
    return InvalidField("judge", "must belong to the experiment that `parent` names");
  }
  if (!request.alignment_id().empty()) {
    ASSAY_RETURN_IF_ERROR(names::CheckSlug(request.alignment_id(), "alignment_id"));
  }
  v1::CreateAlignmentResponse response;
  const RequestKey key = MakeRequestKey(context, "CreateAlignment", request);
  ASSAY_ASSIGN_OR_RETURN(std::optional<v1::Alignment> answered,
                         Await<std::optional<v1::Alignment>>(
                             [&](auto done) { store_.FindAnswer(key, std::move(done)); }));
  if (answered.has_value()) {
    *response.mutable_alignment() = *std::move(answered);
    return response;
  }
  const names::AlignmentName name{parent.experiment, request.alignment_id().empty()
                                                         ? names::RandomId("alignment")
                                                         : request.alignment_id()};
  // The labelled set is costly: a name that is taken is better refused before.
  ASSAY_ASSIGN_OR_RETURN(const std::optional<v1::Alignment> taken, store_.Find(name));
  if (taken.has_value()) return AlreadyExists("alignment", name.ToString());

  ASSAY_ASSIGN_OR_RETURN(const registry::v1::JudgeRevision revision,
                         Await<registry::v1::JudgeRevision>([&](auto done) {
                           ports_.registry->GetRevision(ref.ToString(), context, std::move(done));
                         }));
  const registry::v1::JudgeDefinition& judge = revision.definition();
  ASSAY_ASSIGN_OR_RETURN(v1::AlignmentOptions options, EffectiveOptions(request.options(), judge));
  ASSAY_ASSIGN_OR_RETURN(const NeededFields needed, FieldsNeededBy(judge, revision.name()));
  ASSAY_ASSIGN_OR_RETURN(
      BuiltLabelledSet set,
      BuildLabelledSet({parent.ToString(), ref.judge, judging::EffectiveValueType(judge), needed},
                       ports_, context));
  ASSAY_RETURN_IF_ERROR(CheckEnoughLabels(set.summary, options.minimum_labels()));

  v1::Alignment alignment;
  alignment.set_name(name.ToString());
  alignment.set_judge_revision(revision.name());
  *alignment.mutable_options() = std::move(options);
  alignment.set_state(v1::ALIGNMENT_STATE_RUNNING);
  alignment.set_stage(v1::ALIGNMENT_STAGE_BASELINE);
  alignment.set_steps_total(set.summary.labelled_count());
  *alignment.mutable_labelled_set() = std::move(set.summary);
  *alignment.mutable_create_time() = proto::ToTimestamp(clock_.Now());
  AlignmentInput input{names::RandomId(), ref.Judge().ToString(), judge, std::move(set.cases)};
  ASSAY_ASSIGN_OR_RETURN(*response.mutable_alignment(), Await<v1::Alignment>([&](auto done) {
    store_.Insert(key, std::move(alignment), std::move(input), std::move(done));
  }));
  // A repeated request may have met the first one here: its answer names the alignment that runs.
  ASSAY_ASSIGN_OR_RETURN(const names::AlignmentName created,
                         names::AlignmentName::Parse(response.alignment().name()));
  StartJob(created);
  return response;
}

absl::StatusOr<v1::Alignment> Alignments::Look(const names::AlignmentName& name) const {
  ASSAY_ASSIGN_OR_RETURN(std::optional<v1::Alignment> alignment, store_.Find(name));
  if (!alignment.has_value()) return NotFound("alignment", name.ToString());
  progress_.FillIn(*alignment);
  if (alignment->state() == v1::ALIGNMENT_STATE_SUCCEEDED) {
    ASSAY_ASSIGN_OR_RETURN(std::optional<AlignmentResult> result, store_.FindResult(name));
    if (result.has_value()) {
      *alignment->mutable_candidate() = std::move(result->candidate);
      *alignment->mutable_report() = std::move(result->report);
    }
  }
  return *std::move(alignment);
}

absl::StatusOr<v1::GetAlignmentResponse> Alignments::Get(
    const v1::GetAlignmentRequest& request) const {
  ASSAY_ASSIGN_OR_RETURN(const names::AlignmentName name,
                         names::AlignmentName::Parse(request.name()));
  v1::GetAlignmentResponse response;
  ASSAY_ASSIGN_OR_RETURN(*response.mutable_alignment(), Look(name));
  return response;
}

absl::StatusOr<v1::ListAlignmentsResponse> Alignments::List(
    const v1::ListAlignmentsRequest& request) const {
  ASSAY_ASSIGN_OR_RETURN(const names::ExperimentName parent,
                         names::ExperimentName::Parse(request.parent(), "parent"));
  ASSAY_ASSIGN_OR_RETURN(const int page_size, filter::EffectivePageSize(request.page_size()));
  const filter::PageScope scope{"ListAlignments", request.parent(), "", ""};
  ASSAY_ASSIGN_OR_RETURN(std::string cursor, filter::DecodePageToken(scope, request.page_token()));
  ASSAY_ASSIGN_OR_RETURN(std::vector<v1::Alignment> alignments,
                         store_.List(parent.experiment, cursor, page_size + 1));
  v1::ListAlignmentsResponse response;
  size_t bytes = 0;
  for (v1::Alignment& alignment : alignments) {
    if (response.alignments_size() == page_size || bytes > kMaxPageBytes) {
      response.set_next_page_token(filter::EncodePageToken(scope, cursor));
      break;
    }
    ASSAY_ASSIGN_OR_RETURN(const names::AlignmentName name,
                           names::AlignmentName::Parse(alignment.name()));
    cursor = name.alignment;
    progress_.FillIn(alignment);
    bytes += alignment.ByteSizeLong();
    *response.add_alignments() = std::move(alignment);
  }
  return response;
}

void Alignments::Watch(const v1::WatchAlignmentRequest& request,
                       std::shared_ptr<StreamSink<v1::WatchAlignmentResponse>> sink) {
  watchers_.Add(request.name(), std::move(sink));
}

void Alignments::Cancel(const v1::CancelAlignmentRequest& request,
                        Done<v1::CancelAlignmentResponse> done) {
  absl::StatusOr<names::AlignmentName> name = names::AlignmentName::Parse(request.name());
  if (!name.ok()) return std::move(done)(name.status());
  auto change = [now =
                     clock_.Now()](const v1::Alignment& current) -> absl::StatusOr<v1::Alignment> {
    v1::Alignment changed = current;
    if (current.state() == v1::ALIGNMENT_STATE_RUNNING) {
      changed.set_state(v1::ALIGNMENT_STATE_CANCELLED);
      *changed.mutable_end_time() = proto::ToTimestamp(now);
    }
    return changed;
  };
  store_.Apply({}, *name, std::move(change), std::nullopt,
               [this, name = name->ToString(),
                done = std::move(done)](absl::StatusOr<v1::Alignment> alignment) mutable {
                 if (!alignment.ok()) return std::move(done)(alignment.status());
                 pool_.Cancel(name);
                 watchers_.Publish(name);
                 v1::CancelAlignmentResponse response;
                 *response.mutable_alignment() = *std::move(alignment);
                 std::move(done)(std::move(response));
               });
}

void Alignments::Register(const CallContext& context, const v1::RegisterAlignmentRequest& request,
                          Done<v1::RegisterAlignmentResponse> done) {
  preparation_.Run([this, context, request, done = std::move(done)]() mutable {
    std::move(done)(RegisterCandidate(context, request, store_, *ports_.registry));
  });
}

void Alignments::StartJob(const names::AlignmentName& name) {
  // An id that is at work already is no error: the job is the same.
  pool_.Start(name.ToString(), [this, name](const std::shared_ptr<CancellationToken>& cancel) {
    RunJob(name, cancel);
  });
}

void Alignments::RunJob(const names::AlignmentName& name,
                        const std::shared_ptr<CancellationToken>& cancel) {
  absl::StatusOr<std::optional<v1::Alignment>> alignment = store_.Find(name);
  if (!alignment.ok() || !alignment->has_value() ||
      (*alignment)->state() != v1::ALIGNMENT_STATE_RUNNING) {
    return;
  }
  absl::StatusOr<AlignmentInput> input = store_.ReadInput(name);
  absl::StatusOr<AlignmentResult> result = absl::UnknownError("the alignment was not run");
  if (!input.ok()) {
    result = input.status();
  } else {
    const std::unique_ptr<jobs::Journal> journal = store_.OpenJournal(input->uid);
    PaidCalls calls(*journal, *ports_.judge, *ports_.model, clock_, input->uid, cancel);
    JobListener listener(*this, name);
    result = RunAlignment(**alignment, *input, calls, listener);
  }
  const absl::Status why = result.status();
  // A cancelled token means that Cancel() has written the state already, or that the service ends
  // and goes on later.
  if (!cancel->IsCancelled()) {
    const absl::Status kept = KeepEnd(name, std::move(result));
    if (!kept.ok()) log::Error("the end of an alignment was not kept", {{"error", kept}});
  }
  progress_.Forget(name.ToString());
  watchers_.Publish(name.ToString());
  absl::StatusOr<std::optional<v1::Alignment>> now = store_.Find(name);
  if (input.ok() && now.ok() && now->has_value() &&
      (*now)->state() != v1::ALIGNMENT_STATE_RUNNING) {
    if (absl::Status forgotten = store_.ForgetJournal(input->uid); !forgotten.ok()) {
      log::Warning("the journal of an alignment was not removed", {{"error", forgotten}});
    }
    log::Info("alignment ended", {{"alignment", name.ToString()},
                                  {"state", v1::AlignmentState_Name((*now)->state())},
                                  {"status", why}});
  }
}

absl::Status Alignments::KeepEnd(const names::AlignmentName& name,
                                 absl::StatusOr<AlignmentResult> result) {
  const absl::Status status = result.status();
  auto change = [now = clock_.Now(),
                 status](const v1::Alignment& current) -> absl::StatusOr<v1::Alignment> {
    if (current.state() != v1::ALIGNMENT_STATE_RUNNING) return Ended();
    v1::Alignment changed = current;
    *changed.mutable_end_time() = proto::ToTimestamp(now);
    changed.set_steps_done(0);
    changed.set_steps_total(0);
    if (status.ok()) {
      changed.set_state(v1::ALIGNMENT_STATE_SUCCEEDED);
      changed.set_stage(v1::ALIGNMENT_STAGE_DONE);
    } else {
      changed.set_state(v1::ALIGNMENT_STATE_FAILED);
      changed.mutable_error()->set_code(CodeOf(status));
      changed.mutable_error()->set_message(
          std::string(status.message().data(), status.message().size()));
    }
    return changed;
  };
  std::optional<AlignmentResult> kept;
  if (result.ok()) kept = *std::move(result);
  const absl::StatusOr<v1::Alignment> ended = Await<v1::Alignment>([&](auto done) {
    store_.Apply({}, name, std::move(change), std::move(kept), std::move(done));
  });
  if (absl::IsFailedPrecondition(ended.status())) return absl::OkStatus();
  return ended.status();
}

void Alignments::NoteProgress(const names::AlignmentName& name, v1::AlignmentStage stage,
                              int64_t done, int64_t total) {
  const LiveProgress::Worth worth = progress_.Note(name.ToString(), stage, done, total);
  if (worth.telling) watchers_.Publish(name.ToString());
  if (!worth.keeping) return;
  auto change = [stage, done,
                 total](const v1::Alignment& current) -> absl::StatusOr<v1::Alignment> {
    if (current.state() != v1::ALIGNMENT_STATE_RUNNING) return Ended();
    v1::Alignment changed = current;
    changed.set_stage(stage);
    changed.set_steps_done(done);
    changed.set_steps_total(total);
    return changed;
  };
  // Progress is told in memory first; one that is not kept is only older after a restart.
  store_.Apply({}, name, std::move(change), std::nullopt, [](absl::StatusOr<v1::Alignment>) {});
}

}  // namespace assay::alignment
