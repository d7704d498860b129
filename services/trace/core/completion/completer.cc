#include "services/trace/core/completion/completer.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "common/log/log.h"
#include "common/names/resource_name.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::trace {
namespace {

// Requests that are answered by one commit.
constexpr size_t kRequestBatch = 256;
// Requests that may wait.
constexpr size_t kMaxWaiting = 10'000;
// Traces of a session that are read at once.
constexpr size_t kSessionPage = 100;
// How often due entries are looked for from the beginning: one whose commit took long may lie behind
// what is worked off.
constexpr absl::Duration kRescan = absl::Seconds(30);

absl::Status NoSpans(const std::string& experiment, const TraceId& trace) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "TRACE_HAS_NO_SPANS",
                   StrCat("no span of trace ", names::TraceName{experiment, trace.Hex()}.ToString(),
                          " has arrived"));
}

// What `read` says of each trace. One that is damaged must not hold up the others: nullopt.
template <class Record, class Read>
absl::StatusOr<std::vector<std::optional<Record>>> ReadEach(const std::vector<TraceId>& traces,
                                                            Read read) {
  absl::StatusOr<std::vector<std::optional<Record>>> all = read(absl::MakeConstSpan(traces));
  if (all.ok() || all.status().code() != absl::StatusCode::kDataLoss) return all;
  std::vector<std::optional<Record>> readable;
  for (const TraceId& trace : traces) {
    absl::StatusOr<std::vector<std::optional<Record>>> one = read(absl::MakeConstSpan(&trace, 1));
    if (!one.ok() && one.status().code() != absl::StatusCode::kDataLoss) return one.status();
    if (!one.ok()) {
      log::Error("a trace is damaged and cannot be completed",
                 {{"trace", trace.Hex()}, {"error", one.status()}});
    }
    readable.push_back(one.ok() ? std::move(one->front()) : std::nullopt);
  }
  return readable;
}

absl::Status Stopping() {
  return MakeError(absl::StatusCode::kUnavailable, "DRAINING",
                   "the server is shutting down; connect again");
}

}  // namespace

struct Completer::Step {
  Phase phase = Phase::kNone;
  absl::Time now;
  std::vector<Request> requests;
  CompletionWrite write;
  std::set<TraceId> completed;
  std::map<SessionKey, std::string> touched;  // With the experiment.
  bool more = false;                          // There is more due of this phase.
  uint64_t worked_off_ms = 0;                 // The next step of this phase begins here.
  absl::Duration lag;
  int64_t sessions_completed = 0;

  bool empty() const {
    return completed.empty() && write.sessions.empty() && write.settled_traces.empty() &&
           write.settled_sessions.empty() && write.requests.empty();
  }
};

Completer::Completer(TraceStore& traces, CompletionStore& store, Executor& executor,
                     TimerQueue& timers, Clock& clock, CompleterOptions options)
    : traces_(traces),
      store_(store),
      executor_(executor),
      timers_(timers),
      clock_(clock),
      options_(std::move(options)) {}

void Completer::Start() { Tick(); }

void Completer::Stop() {
  std::deque<Request> waiting;
  TimerQueue::Id timer = 0;
  {
    MutexLock lock(&mutex_);
    stopped_ = true;
    phase_ = Phase::kNone;
    waiting.swap(requests_);
    timer = std::exchange(timer_, 0);
  }
  if (timer != 0) timers_.Cancel(timer);
  for (Request& request : waiting) {
    executor_.Run([done = std::move(request.done)]() mutable { std::move(done)(Stopping()); });
  }
}

void Completer::Tick() {
  MutexLock lock(&mutex_);
  if (stopped_) return;
  if (phase_ == Phase::kNone) phase_ = Phase::kTraces;
  Schedule();
  timer_ = timers_.RunAfter(options_.sweep_interval, [this] { Tick(); });
}

void Completer::Schedule() {
  if (running_ || stopped_ || (requests_.empty() && phase_ == Phase::kNone)) return;
  running_ = true;
  executor_.Run([this] { RunStep(); });
}

void Completer::Complete(std::string experiment, const TraceId& trace, RequestKey request,
                         DoneStatus done) {
  absl::Status refused;
  {
    MutexLock lock(&mutex_);
    if (stopped_) {
      refused = Stopping();
    } else if (requests_.size() >= kMaxWaiting) {
      refused = Overloaded("the queue of completions", absl::Seconds(1));
    } else {
      requests_.push_back({std::move(experiment), trace, std::move(request), std::move(done), {}});
      Schedule();
      return;
    }
  }
  executor_.Run([refused, done = std::move(done)]() mutable { std::move(done)(refused); });
}

absl::Duration Completer::Lag() const {
  MutexLock lock(&mutex_);
  return lag_;
}

void Completer::RunStep() {
  auto step = std::make_shared<Step>();
  step->now = clock_.Now();
  {
    MutexLock lock(&mutex_);
    step->phase = phase_;
    while (!requests_.empty() && step->requests.size() < kRequestBatch) {
      step->requests.push_back(std::move(requests_.front()));
      requests_.pop_front();
    }
  }
  absl::Status prepared = Prepare(*step);
  if (!prepared.ok() || step->empty()) return EndStep(step, prepared);
  CompletionWrite write = std::move(step->write);
  store_.Commit(std::move(write),
                [this, step](const absl::Status& status) { EndStep(step, status); });
}

void Completer::EndStep(const std::shared_ptr<Step>& step, const absl::Status& status) {
  if (!status.ok()) {
    log::Warning("traces could not be completed, and will be later", {{"error", status}});
  }
  const auto completed = static_cast<int64_t>(step->completed.size());
  if (status.ok() && options_.on_completed && (completed > 0 || step->sessions_completed > 0)) {
    options_.on_completed(completed, step->sessions_completed);
  }
  for (Request& request : step->requests) {
    std::move(request.done)(request.answer.ok() ? status : request.answer);
  }
  if (status.ok() && step->phase == Phase::kTraces && !step->more &&
      options_.open_sessions != nullptr) {
    options_.open_sessions->AllSettled(step->now);
  }
  if (status.ok() && step->phase != Phase::kNone) {
    (step->phase == Phase::kTraces ? due_traces_ : due_sessions_).from_ms = step->worked_off_ms;
  }
  MutexLock lock(&mutex_);
  running_ = false;
  if (step->phase == Phase::kTraces) lag_ = step->lag;
  if (step->phase != Phase::kNone && !stopped_) {
    if (!status.ok()) {
      phase_ = Phase::kNone;  // The next tick tries again.
    } else if (!step->more) {
      phase_ = step->phase == Phase::kTraces ? Phase::kSessions : Phase::kNone;
    }
  }
  Schedule();
}

uint64_t Completer::BeginOf(Sweep& sweep, absl::Time now) {
  if (now >= sweep.rescan) {
    sweep.from_ms = 0;
    sweep.rescan = now + kRescan;
  }
  return sweep.from_ms;
}

absl::Status Completer::Prepare(Step& step) {
  ASSAY_RETURN_IF_ERROR(PrepareRequests(step));
  if (step.phase == Phase::kTraces) ASSAY_RETURN_IF_ERROR(PrepareDueTraces(step));
  ASSAY_RETURN_IF_ERROR(TouchSessions(step));
  // What was just touched is not due; sessions are decided by what is already written.
  if (step.phase == Phase::kSessions) ASSAY_RETURN_IF_ERROR(PrepareDueSessions(step));
  return absl::OkStatus();
}

absl::Status Completer::PrepareRequests(Step& step) {
  if (step.requests.empty()) return absl::OkStatus();
  std::vector<TraceId> ids;
  for (const Request& request : step.requests) ids.push_back(request.trace);
  ASSAY_ASSIGN_OR_RETURN(auto stored, ReadTraces(ids));
  std::map<std::string, std::string> bodies;  // Of requests in this very step.
  for (size_t i = 0; i < ids.size(); ++i) {
    Request& request = step.requests[i];
    absl::StatusOr<bool> answered = store_.WasAnswered(request.key);
    if (!answered.ok() || *answered) {
      request.answer = answered.status();
      continue;
    }
    if (!stored[i].has_value() ||
        (request.experiment != "-" && request.experiment != stored[i]->binding.experiment)) {
      request.answer =
          NotFound("trace", names::TraceName{request.experiment, request.trace.Hex()}.ToString());
      continue;
    }
    if (!HasSpans(stored[i]->facts)) {
      request.answer = NoSpans(stored[i]->binding.experiment, request.trace);
      continue;
    }
    if (!request.key.request_id.empty()) {
      const std::string id =
          StrCat(request.key.principal.size(), ":", request.key.principal, request.key.request_id);
      const auto [seen, is_new] = bodies.try_emplace(id, request.key.body_sha256);
      if (!is_new && seen->second != request.key.body_sha256) {
        request.answer = InvalidField("request_id", "was used for another request within 24 hours",
                                      "REQUEST_ID_REUSED");
        continue;
      }
      if (is_new) step.write.requests.push_back(request.key);
    }
    if (IsComplete(stored[i]->facts)) continue;
    CompleteTrace(request.trace, stored[i]->binding.experiment, stored[i]->facts, true, step);
  }
  return absl::OkStatus();
}

absl::Status Completer::PrepareDueTraces(Step& step) {
  ASSAY_ASSIGN_OR_RETURN(
      std::vector<DueTraces> due,
      store_.TracesDue(BeginOf(due_traces_, step.now), ToUnixMs(step.now), options_.batch));
  std::vector<TraceId> ids;
  size_t traces = 0;
  for (const DueTraces& entry : due) {
    traces += entry.traces.size();
    for (size_t i = 0; i < entry.traces.size(); ++i) {
      if (entry.states.empty() || !entry.states[i].has_value()) {
        ids.push_back(entry.traces[i]);
      } else {
        DecideUnread(entry.traces[i], *entry.states[i], entry.sequence, step);
      }
    }
  }
  step.more = traces >= options_.batch;
  step.worked_off_ms = step.more ? due.back().due_ms : ToUnixMs(step.now);
  if (due.empty()) return absl::OkStatus();
  step.lag = step.now - FromUnixMs(due.front().due_ms);
  ASSAY_RETURN_IF_ERROR(ReadAndDecide(std::move(ids), step));
  step.write.settled_traces = std::move(due);
  return absl::OkStatus();
}

absl::Status Completer::ReadAndDecide(std::vector<TraceId> ids, Step& step) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  ASSAY_ASSIGN_OR_RETURN(
      auto known, ReadEach<TraceFacts>(ids, [this](auto some) { return traces_.GetFacts(some); }));
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!known[i].has_value() || IsComplete(*known[i])) continue;
    // Without an ended root nothing is decided: the chunk that brings it makes the trace due again.
    if (!RootEnded(*known[i])) {
      NoteUnended(*known[i]);
      continue;
    }
    const uint64_t last = known[i]->last_arrival_ms();
    if (FromUnixMs(last) + options_.idle_window > step.now) {
      step.write.armed_traces.push_back({DueMs(last, options_.idle_window), {ids[i]}});
    } else {
      CompleteTrace(ids[i], store_.ExperimentOf(known[i]->experiment_number()), *known[i], false,
                    step);
    }
  }
  return absl::OkStatus();
}

void Completer::DecideUnread(const TraceId& trace, const DueState& state, uint64_t sequence,
                             Step& step) {
  TraceFacts facts;
  facts.set_experiment_number(state.experiment_number);
  facts.set_bound_ms(state.bound_ms);
  facts.set_session(state.session);
  facts.set_last_sequence(sequence);
  if (!state.root_ended) return NoteUnended(facts);
  CompleteTrace(trace, store_.ExperimentOf(state.experiment_number), facts, false, step);
}

void Completer::NoteUnended(const TraceFacts& facts) {
  if (options_.open_sessions == nullptr || facts.session().empty()) return;
  options_.open_sessions->NoteUnended(
      OpenSessions::KeyOf(facts.experiment_number(), facts.session()));
}

absl::StatusOr<std::vector<std::optional<StoredTrace>>> Completer::ReadTraces(
    const std::vector<TraceId>& traces) {
  return ReadEach<StoredTrace>(traces, [this](auto some) { return traces_.GetTraces(some); });
}

void Completer::CompleteTrace(const TraceId& trace, std::string experiment, const TraceFacts& facts,
                              bool requested, Step& step) {
  if (!step.completed.insert(trace).second) return;
  if (!facts.session().empty()) {
    step.touched[{facts.experiment_number(), facts.session()}] = experiment;
  }
  CompletedTrace& completed = step.write.traces.emplace_back();
  completed.trace = trace;
  completed.experiment = std::move(experiment);
  completed.experiment_number = facts.experiment_number();
  completed.bound_ms = facts.bound_ms();
  completed.completion.set_generation(facts.completion().generation() + 1);
  completed.completion.set_through_sequence(facts.last_sequence());
  completed.completion.set_complete_ms(ToUnixMs(step.now));
  completed.completion.set_requested(requested);
}

absl::Status Completer::TouchSessions(Step& step) {
  if (step.touched.empty()) return absl::OkStatus();
  std::vector<SessionKey> keys;
  for (const auto& [key, experiment] : step.touched) keys.push_back(key);
  ASSAY_ASSIGN_OR_RETURN(auto records, store_.GetSessions(keys));
  const uint64_t now_ms = ToUnixMs(step.now);
  for (size_t i = 0; i < keys.size(); ++i) {
    SessionChange& change = step.write.sessions.emplace_back();
    change.key = keys[i];
    if (records[i].has_value()) {
      change.record = *std::move(records[i]);
      change.replaced_activity_ms = change.record.last_activity_ms();
    } else {
      change.record.set_schema_version(1);
      change.record.set_session(keys[i].session);
      change.record.set_first_activity_ms(now_ms);
    }
    // Each activity is later than the one before, so that it is told apart from what the last
    // completion covered.
    change.record.set_last_activity_ms(std::max(now_ms, change.replaced_activity_ms + 1));
    step.write.armed_sessions.push_back(
        {DueMs(change.record.last_activity_ms(), options_.session_idle_window), keys[i]});
  }
  return absl::OkStatus();
}

absl::Status Completer::PrepareDueSessions(Step& step) {
  ASSAY_ASSIGN_OR_RETURN(std::vector<DueSession> due,
                         store_.SessionsDue(BeginOf(due_sessions_, step.now), ToUnixMs(step.now),
                                            options_.session_batch));
  step.more = due.size() == options_.session_batch;
  step.worked_off_ms = step.more ? due.back().due_ms : ToUnixMs(step.now);
  if (due.empty()) return absl::OkStatus();
  std::vector<SessionKey> keys;
  for (const DueSession& entry : due) keys.push_back(entry.session);
  ASSAY_ASSIGN_OR_RETURN(auto records, store_.GetSessions(keys));
  std::set<SessionKey> decided;
  for (size_t i = 0; i < due.size(); ++i) {
    // One that a request of this step has touched is due again later.
    if (step.touched.contains(keys[i]) || !decided.insert(keys[i]).second) continue;
    ASSAY_RETURN_IF_ERROR(DecideSession(due[i], records[i], step));
  }
  step.write.settled_sessions = std::move(due);
  return absl::OkStatus();
}

absl::Status Completer::DecideSession(const DueSession& due,
                                      const std::optional<SessionRecord>& record, Step& step) {
  if (!record.has_value() || record->last_activity_ms() <= record->through_activity_ms()) {
    return absl::OkStatus();
  }
  const absl::Duration window = options_.session_idle_window;
  if (FromUnixMs(record->last_activity_ms()) + window > step.now) {
    step.write.armed_sessions.push_back({DueMs(record->last_activity_ms(), window), due.session});
    return absl::OkStatus();
  }
  ASSAY_ASSIGN_OR_RETURN(bool in_progress, HasTraceInProgress(due.session, step.now));
  if (in_progress) {
    // Its completion makes the session due again; this is for a trace that never completes. It is
    // later than `now`, so it is none of the entries that this step settles.
    const absl::Duration pause = std::max(window, absl::Seconds(1));
    step.write.armed_sessions.push_back({DueMs(ToUnixMs(step.now), pause), due.session});
    return absl::OkStatus();
  }
  SessionChange& change = step.write.sessions.emplace_back();
  change.key = due.session;
  change.record = *record;
  change.replaced_activity_ms = record->last_activity_ms();
  change.record.set_generation(record->generation() + 1);
  change.record.set_through_activity_ms(record->last_activity_ms());
  change.record.set_complete_ms(ToUnixMs(step.now));
  change.completed_in = store_.ExperimentOf(due.session.experiment_number);
  ++step.sessions_completed;
  return absl::OkStatus();
}

absl::StatusOr<bool> Completer::HasTraceInProgress(const SessionKey& session, absl::Time now) {
  if (options_.open_sessions != nullptr &&
      !options_.open_sessions->MayBeOpen(
          OpenSessions::KeyOf(session.experiment_number, session.session), now)) {
    return false;
  }
  std::optional<TracePosition> after;
  for (size_t seen = 0; seen < options_.max_session_traces; seen += kSessionPage) {
    ASSAY_ASSIGN_OR_RETURN(std::vector<TracePosition> page,
                           store_.TracesOfSession(session, after, true, kSessionPage));
    std::vector<TraceId> ids;
    for (const TracePosition& position : page) ids.push_back(position.trace);
    ASSAY_ASSIGN_OR_RETURN(auto stored, ReadTraces(ids));
    for (const std::optional<StoredTrace>& trace : stored) {
      if (trace.has_value() && trace->facts.session() == session.session &&
          HoldsSessionOpen(trace->facts, now)) {
        return true;
      }
    }
    if (page.size() < kSessionPage) break;
    after = page.back();
  }
  return false;
}

}  // namespace assay::trace
