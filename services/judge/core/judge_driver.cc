#include "services/judge/core/judge_driver.h"

#include <utility>

namespace assay::judge {

namespace {

// One judgement in flight. It owns itself through the callback that waits for the model.
struct Drive {
  std::unique_ptr<JudgeMachine> machine;
  ModelClient& models;
  Clock& clock;
  CallContext context;
  Done<common::v1::Feedback> done;
};

void Advance(std::unique_ptr<Drive> drive, JudgeEvent event) {
  JudgeStep step = drive->machine->Next(std::move(event));
  if (auto* finished = std::get_if<JudgeFinished>(&step)) {
    std::move(drive->done)(std::move(finished->feedback));
    return;
  }
  if (absl::Status status = drive->context.Check(drive->clock.Now()); !status.ok()) {
    std::move(drive->done)(std::move(status));
    return;
  }
  ModelClient& models = drive->models;
  CallContext context = drive->context;
  models.Complete(std::get<CallModel>(std::move(step)).request, std::move(context),
                  [drive = std::move(drive)](absl::StatusOr<ModelResponse> response) mutable {
                    const absl::Time now = drive->clock.Now();
                    Advance(std::move(drive), ModelAnswered{std::move(response), now});
                  });
}

}  // namespace

void DriveJudge(std::unique_ptr<JudgeMachine> machine, ModelClient& models, Clock& clock,
                CallContext context, Done<common::v1::Feedback> done) {
  auto drive = std::unique_ptr<Drive>(
      new Drive{std::move(machine), models, clock, std::move(context), std::move(done)});
  const absl::Time now = clock.Now();
  Advance(std::move(drive), JudgeStarted{now});
}

}  // namespace assay::judge
