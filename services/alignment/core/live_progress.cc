#include "services/alignment/core/live_progress.h"

#include <algorithm>

namespace assay::alignment {
namespace {

constexpr absl::Duration kKeepEvery = absl::Seconds(1);

int64_t PerCent(int64_t done, int64_t total) { return 100 * done / std::max<int64_t>(total, 1); }

}  // namespace

LiveProgress::Worth LiveProgress::Note(const std::string& name, v1::AlignmentStage stage,
                                       int64_t done, int64_t total) {
  MutexLock lock(&mutex_);
  State& state = states_[name];
  // Steps of several threads arrive in any order.
  if (stage < state.stage || (stage == state.stage && done < state.done)) return {};
  const bool new_stage = stage != state.stage;
  const absl::Time now = clock_.Now();
  Worth worth;
  worth.telling = new_stage || PerCent(done, total) != PerCent(state.done, state.total);
  worth.keeping = new_stage || now - state.kept >= kKeepEvery;
  state = {stage, done, total, worth.keeping ? now : state.kept};
  return worth;
}

void LiveProgress::Forget(const std::string& name) {
  MutexLock lock(&mutex_);
  states_.erase(name);
}

void LiveProgress::FillIn(v1::Alignment& alignment) const {
  if (alignment.state() != v1::ALIGNMENT_STATE_RUNNING) return;
  MutexLock lock(&mutex_);
  const auto found = states_.find(alignment.name());
  if (found == states_.end()) return;
  alignment.set_stage(found->second.stage);
  alignment.set_steps_done(found->second.done);
  alignment.set_steps_total(found->second.total);
}

}  // namespace assay::alignment
