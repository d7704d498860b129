#include "services/judge/core/judge_driver.h"

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "common/sync/mutex.h"

namespace assay::judge {

namespace {

// One judging in flight. It owns itself through the callback that waits for a port.
struct Drive {
  std::unique_ptr<Judging> judging;
  const JudgingPorts ports;
  const CallContext context;
  Done<JudgeVerdict> done;
};
using DrivePtr = std::unique_ptr<Drive>;

void Advance(DrivePtr drive, JudgeEvent event);

// Gathers the verdicts of a CallAll, and lets the parent go on after the last one.
class Gathering {
 public:
  Gathering(DrivePtr parent, size_t count)
      : parent_(std::move(parent)),
        unanswered_(count),
        verdicts_(count, absl::UnknownError("not asked")) {}

  void Take(size_t place, absl::StatusOr<JudgeVerdict> verdict) ABSL_LOCKS_EXCLUDED(mutex_) {
    AllFinished all;
    {
      MutexLock lock(&mutex_);
      verdicts_[place] = std::move(verdict);
      if (--unanswered_ > 0) return;
      all.verdicts = std::move(verdicts_);
    }
    all.now = parent_->ports.clock.Now();
    Advance(std::move(parent_), std::move(all));
  }

 private:
  DrivePtr parent_;  // Taken by the last one that answers.
  Mutex mutex_;
  size_t unanswered_ ABSL_GUARDED_BY(mutex_);
  std::vector<absl::StatusOr<JudgeVerdict>> verdicts_ ABSL_GUARDED_BY(mutex_);
};

// What is known of a call before it is made; empty if nobody records it.
std::optional<RecordedModelCall> BeginRecord(const Drive& drive, const ModelRequest& request) {
  if (drive.ports.recorder == nullptr) return std::nullopt;
  RecordedModelCall call;
  call.model_uri = request.model_uri;
  call.messages = request.messages;
  call.parameters = request.parameters;
  call.start = drive.ports.clock.Now();
  return call;
}

void AskModel(DrivePtr drive, ModelRequest request) {
  ModelClient& models = drive->ports.models;
  CallContext context = drive->context;
  std::optional<RecordedModelCall> record = BeginRecord(*drive, request);
  models.Complete(std::move(request), std::move(context),
                  [drive = std::move(drive),
                   record = std::move(record)](absl::StatusOr<ModelResponse> response) mutable {
                    const absl::Time now = drive->ports.clock.Now();
                    if (record.has_value()) {
                      record->response = response;
                      record->end = now;
                      drive->ports.recorder->Add(*std::move(record));
                    }
                    Advance(std::move(drive), ModelAnswered{std::move(response), now});
                  });
}

void AskScorer(DrivePtr drive, CallScorer call) {
  ScorerPort& scorers = drive->ports.scorers;
  CallContext context = drive->context;
  scorers.Score(call.scorer, std::move(call.request), std::move(context),
                [drive = std::move(drive)](absl::StatusOr<v1::ScoreResponse> response) mutable {
                  const absl::Time now = drive->ports.clock.Now();
                  Advance(std::move(drive), ScorerAnswered{std::move(response), now});
                });
}

void AskAll(DrivePtr drive, std::vector<std::unique_ptr<Judging>> judgings) {
  const absl::Time now = drive->ports.clock.Now();
  if (judgings.empty()) return Advance(std::move(drive), AllFinished{{}, now});
  const JudgingPorts ports = drive->ports;
  const CallContext context = drive->context;
  auto gathering = std::make_shared<Gathering>(std::move(drive), judgings.size());
  for (size_t place = 0; place < judgings.size(); ++place) {
    DriveJudging(std::move(judgings[place]), ports, context,
                 [gathering, place](absl::StatusOr<JudgeVerdict> verdict) {
                   gathering->Take(place, std::move(verdict));
                 });
  }
}

void Advance(DrivePtr drive, JudgeEvent event) {
  JudgeStep step = drive->judging->Next(std::move(event));
  if (auto* finished = std::get_if<JudgeFinished>(&step)) {
    std::move(drive->done)(std::move(finished->verdict));
    return;
  }
  if (absl::Status status = drive->context.Check(drive->ports.clock.Now()); !status.ok()) {
    std::move(drive->done)(std::move(status));
    return;
  }
  if (auto* model = std::get_if<CallModel>(&step)) {
    return AskModel(std::move(drive), std::move(model->request));
  }
  if (auto* scorer = std::get_if<CallScorer>(&step)) {
    return AskScorer(std::move(drive), std::move(*scorer));
  }
  AskAll(std::move(drive), std::move(std::get<CallAll>(step).judgings));
}

}  // namespace

void DriveJudging(std::unique_ptr<Judging> judging, const JudgingPorts& ports, CallContext context,
                  Done<JudgeVerdict> done) {
  const absl::Time now = ports.clock.Now();
  Advance(DrivePtr(new Drive{std::move(judging), ports, std::move(context), std::move(done)}),
          JudgeStarted{now});
}

}  // namespace assay::judge
