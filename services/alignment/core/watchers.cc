#include "services/alignment/core/watchers.h"

#include <utility>

namespace assay::alignment {

void Watchers::Add(std::string name, std::shared_ptr<Sink> sink) {
  auto watcher = std::make_shared<Watcher>(Watcher{std::move(name), std::move(sink)});
  strand_.Run([this, watcher = std::move(watcher)] {
    if (Send(watcher)) watchers_.push_back(watcher);
  });
}

void Watchers::Publish(std::string name) {
  strand_.Run([this, name = std::move(name)] {
    for (auto it = watchers_.begin(); it != watchers_.end();) {
      it = (*it)->name != name || Send(*it) ? std::next(it) : watchers_.erase(it);
    }
  });
}

bool Watchers::Send(const std::shared_ptr<Watcher>& watcher) {
  if (watcher->sink->Ended()) return false;
  if (watcher->waits) {
    watcher->missed = true;
    return true;
  }
  absl::StatusOr<v1::Alignment> state = look_(watcher->name);
  if (!state.ok()) {
    watcher->sink->Finish(state.status());
    return false;
  }
  const bool over = state->state() != v1::ALIGNMENT_STATE_RUNNING;
  v1::WatchAlignmentResponse response;
  *response.mutable_alignment() = *std::move(state);
  const bool room = watcher->sink->Write(std::move(response));
  if (over) {
    watcher->sink->Finish(absl::OkStatus());
    return false;
  }
  if (!room && !watcher->sink->Ended()) {
    watcher->waits = true;
    watcher->sink->WhenReady(
        [this, watcher] { strand_.Run([this, watcher] { Resume(watcher); }); });
  }
  return true;
}

void Watchers::Resume(const std::shared_ptr<Watcher>& watcher) {
  watcher->waits = false;
  if (!std::exchange(watcher->missed, false)) return;
  if (!Send(watcher)) watchers_.remove(watcher);
}

}  // namespace assay::alignment
