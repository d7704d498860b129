#include "services/judge/core/evaluation/evaluation_watch.h"

#include <utility>

#include "absl/status/statusor.h"

namespace assay::judge {

struct EvaluationWatch::State : std::enable_shared_from_this<EvaluationWatch::State> {
  State(const EvaluationReader& reader, Executor& executor, TimerQueue& timers,
        absl::Duration interval)
      : reader(reader), executor(executor), timers(timers), interval(interval) {}

  // Sends a step after the interval; at most one is under way for each evaluation.
  void Schedule(const std::string& uid) {
    timers.RunAfter(interval, [self = shared_from_this(), uid] {
      self->executor.Run([self, uid] { self->Send(uid); });
    });
  }

  void Send(const std::string& uid) ABSL_LOCKS_EXCLUDED(mutex) {
    names::EvaluationName name;
    {
      MutexLock lock(&mutex);
      const auto found = watched.find(uid);
      if (found == watched.end()) return;
      found->second.is_stale = false;
      name = found->second.name;
    }
    absl::StatusOr<v1::Evaluation> evaluation = reader.Read(name);
    const bool is_over = !evaluation.ok() || evaluation->state() != v1::EVALUATION_STATE_RUNNING;
    std::vector<Stream> streams;
    bool again = false;
    {
      MutexLock lock(&mutex);
      const auto found = watched.find(uid);
      if (found == watched.end()) return;
      DropEnded(&found->second.streams);
      streams = found->second.streams;
      again = found->second.is_stale && !is_over && !streams.empty();
      found->second.is_due = again;
      if (is_over || streams.empty()) watched.erase(found);
    }
    for (const Stream& stream : streams) Step(uid, evaluation, is_over, stream);
    if (again) Schedule(uid);
  }

  void Step(const std::string& uid, const absl::StatusOr<v1::Evaluation>& evaluation, bool is_over,
            const Stream& stream) {
    if (!evaluation.ok()) return stream.sink->Finish(evaluation.status());
    if (!is_over && !*stream.keeps_up) return;
    v1::WatchEvaluationResponse response;
    *response.mutable_evaluation() = *evaluation;
    const bool has_room = stream.sink->Write(std::move(response));
    if (is_over) return stream.sink->Finish(absl::OkStatus());
    if (has_room || stream.sink->Ended()) return;
    *stream.keeps_up = false;
    stream.sink->WhenReady([self = shared_from_this(), uid, keeps_up = stream.keeps_up] {
      *keeps_up = true;
      self->Send(uid);
    });
  }

  static void DropEnded(std::vector<Stream>* streams) {
    std::erase_if(*streams, [](const Stream& stream) { return stream.sink->Ended(); });
  }

  const EvaluationReader& reader;
  Executor& executor;
  TimerQueue& timers;
  const absl::Duration interval;
  Mutex mutex;
  std::map<std::string, Watched> watched ABSL_GUARDED_BY(mutex);
};

EvaluationWatch::EvaluationWatch(const EvaluationReader& reader, Executor& executor,
                                 TimerQueue& timers, absl::Duration interval)
    : state_(std::make_shared<State>(reader, executor, timers, interval)) {}

void EvaluationWatch::Watch(const names::EvaluationName& name, Sink sink) {
  absl::StatusOr<storage::v1::EvaluationRecord> record = state_->reader.Require(name);
  if (!record.ok()) return sink->Finish(record.status());
  {
    MutexLock lock(&state_->mutex);
    Watched& watched = state_->watched[record->uid()];
    watched.name = name;
    // Streams that have ended without a change since.
    State::DropEnded(&watched.streams);
    watched.streams.push_back({std::move(sink)});
    watched.is_due = true;
  }
  // After it was entered, so that no change is missed; this step goes to all, which does no harm.
  state_->executor.Run([state = state_, uid = record->uid()] { state->Send(uid); });
}

void EvaluationWatch::Changed(const std::string& uid) {
  {
    MutexLock lock(&state_->mutex);
    const auto found = state_->watched.find(uid);
    if (found == state_->watched.end()) return;
    found->second.is_stale = true;
    if (found->second.is_due) return;
    found->second.is_due = true;
  }
  state_->Schedule(uid);
}

}  // namespace assay::judge
