#include "services/judge/core/evaluation/evaluation_jobs.h"

#include <utility>
#include <vector>

#include "common/log/log.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::judge {

void EvaluationJobs::Kick(const names::EvaluationName& name) {
  {
    MutexLock lock(&mutex_);
    if (stopped_) return;
    auto [active, inserted] = active_.try_emplace(name);
    if (!inserted) {
      active->second.again = true;
      return;
    }
  }
  Launch(name);
}

void EvaluationJobs::Launch(const names::EvaluationName& name) {
  std::string id;
  {
    MutexLock lock(&mutex_);
    // An id of its own for each launch: the pool may still know the one before, whose thread is
    // about to end.
    id = StrCat(name.ToString(), "#", ++launches_);
  }
  pool_.Start(std::move(id),
              [this, name](const std::shared_ptr<CancellationToken>& stop) { Run(name, stop); });
}

void EvaluationJobs::Run(const names::EvaluationName& name,
                         const std::shared_ptr<CancellationToken>& stop) {
  while (true) {
    RunOnce(name, stop);
    MutexLock lock(&mutex_);
    const auto active = active_.find(name);
    if (!active->second.again || stop->IsCancelled()) {
      active_.erase(active);
      return;
    }
    active->second.again = false;
  }
}

void EvaluationJobs::RunOnce(const names::EvaluationName& name,
                             const std::shared_ptr<CancellationToken>& stop) {
  auto cancel = std::make_shared<CancellationToken>();
  const CancellationToken::Registration link = stop->OnCancel([cancel] { cancel->Cancel(); });
  {
    MutexLock lock(&mutex_);
    active_.at(name).cancel = cancel;
  }
  const absl::Status status = RunEvaluation(environment_, name, cancel);
  {
    MutexLock lock(&mutex_);
    active_.at(name).cancel = nullptr;
  }
  if (status.ok() || stop->IsCancelled()) return;
  log::Error("an evaluation cannot go on and is tried again",
             {{"evaluation", name.ToString()}, {"status", status}});
  timers_.RunAfter(options_.restart_delay, [self = self_, name] {
    MutexLock lock(&self->mutex);
    if (self->jobs != nullptr) self->jobs->Kick(name);
  });
}

void EvaluationJobs::Interrupt(const names::EvaluationName& name) {
  std::shared_ptr<CancellationToken> cancel;
  {
    MutexLock lock(&mutex_);
    const auto active = active_.find(name);
    if (active != active_.end()) cancel = active->second.cancel;
  }
  if (cancel != nullptr) cancel->Cancel();
}

absl::Status EvaluationJobs::ResumeAll() {
  ASSAY_ASSIGN_OR_RETURN(std::vector<names::EvaluationName> running,
                         environment_.store.ListRunning());
  for (const names::EvaluationName& name : running) Kick(name);
  if (!running.empty()) log::Info("evaluations go on", {{"count", running.size()}});
  return absl::OkStatus();
}

void EvaluationJobs::Stop() {
  {
    MutexLock lock(&self_->mutex);
    self_->jobs = nullptr;
  }
  {
    MutexLock lock(&mutex_);
    stopped_ = true;
  }
  pool_.Stop();
}

}  // namespace assay::judge
