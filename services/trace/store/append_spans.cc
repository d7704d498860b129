// The writes of RocksTraceStore that bind traces: spans, and ids registered in advance.
#include <memory>
#include <utility>

#include "assay/storage/v1/trace_records.pb.h"
#include "common/rocks/int64_add.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/trace/core/completion/completeness.h"
#include "services/trace/core/trace_scope.h"
#include "services/trace/store/chunk_codec.h"
#include "services/trace/store/index_entries.h"
#include "services/trace/store/judgements.h"
#include "services/trace/store/request_record.h"
#include "services/trace/store/rocks_trace_store.h"
#include "services/trace/store/trace_keys.h"
#include "services/trace/store/trace_write.h"

namespace assay::trace {
namespace {

constexpr size_t kMaxRemembered = 100'000;

std::string BindingBytes(const TraceBinding& binding, const keys::Lifetime& lifetime) {
  storage::v1::TraceBindingRecord record;
  record.set_schema_version(1);
  record.set_experiment(binding.experiment);
  record.set_evaluation(binding.evaluation);
  record.set_preregistered(binding.preregistered);
  record.set_experiment_number(lifetime.number);
  record.set_bound_ms(lifetime.bound_ms);
  return record.SerializeAsString();
}

constexpr uint64_t kMsPerSecond = 1000;
constexpr uint64_t kMsPerHour = 60 * 60 * kMsPerSecond;

// Rounded up to the second, so that the chunks of a second share an entry.
uint64_t DueAfter(uint64_t now_ms, absl::Duration idle_window) {
  const uint64_t due = now_ms + static_cast<uint64_t>(absl::ToInt64Milliseconds(idle_window));
  return (due + kMsPerSecond - 1) / kMsPerSecond * kMsPerSecond;
}

// What the store knows and the reader of the spans does not.
void Complete(uint64_t sequence, uint64_t now_ms, const keys::Lifetime& lifetime,
              TraceFacts* facts) {
  if (facts->has_root()) facts->mutable_root()->set_sequence(sequence);
  for (auto& used : *facts->mutable_span_usage()) used.set_sequence(sequence);
  facts->set_experiment_number(lifetime.number);
  facts->set_bound_ms(lifetime.bound_ms);
  facts->set_last_arrival_ms(now_ms);
  facts->set_last_sequence(sequence);
}

// A trace without spans before is completed with its first ones: nobody else can have completed it.
// One of a session is not, as its session is to be told in the same step.
bool CompletesAtOnce(const TraceChunk& chunk, bool bound) {
  return chunk.complete && !bound && chunk.facts.session().empty();
}

void CompleteFirst(uint64_t sequence, uint64_t now_ms, TraceFacts* facts) {
  storage::v1::CompletionRecord& completion = *facts->mutable_completion();
  completion.set_generation(1);
  completion.set_through_sequence(sequence);
  completion.set_complete_ms(now_ms);
  completion.set_requested(true);
}

// What the completer need not read of a trace that begins with these spans; nullopt for one that is
// there already.
std::optional<DueState> StateWhenDue(const TraceFacts& added, const TraceFacts& before,
                                     const keys::Lifetime& lifetime) {
  if (before.schema_version() != 0) return std::nullopt;
  return DueState{lifetime.number, lifetime.bound_ms, RootEnded(added), added.session()};
}

int64_t SpansOf(const TraceChunk& chunk) {
  return static_cast<int64_t>(chunk.directory.span_ids().size() / SpanId::kSize);
}

}  // namespace

struct RocksTraceStore::Append {
  std::vector<TraceChunk> chunks;
  std::vector<TraceId> traces;  // Of the chunks.
  bool latched = false;         // While true, nobody else adds to these traces.
  bool hasty = false;           // Chunks are packed for speed.
  bool register_experiments = false;
  Done<AppendResult> done;
  int attempts = 0;
};

struct RocksTraceStore::Preregistration {
  std::vector<TraceId> traces;
  TraceBinding binding;
  bool register_experiment = false;
  RequestKey key;
  Done<AppendResult> done;
  bool latched = false;  // As in an append: who binds a free trace does so alone.
  int attempts = 0;
};

void RocksTraceStore::AppendSpans(std::vector<TraceChunk> chunks, bool register_experiments,
                                  Done<AppendResult> done) {
  auto append = std::make_shared<Append>();
  append->chunks = std::move(chunks);
  append->register_experiments = register_experiments;
  append->done = std::move(done);
  constexpr int kMany = 4;
  int64_t bytes = 0;
  for (const TraceChunk& chunk : append->chunks) bytes += static_cast<int64_t>(chunk.otlp.size());
  const bool fast = arrivals_.Exceeds(bytes, db_.clock().Now());
  const bool busy = appending_.fetch_add(1, std::memory_order_relaxed) >= kMany || fast;
  const ChunkCodec codec =
      options_.codec.value_or(busy ? ChunkCodec::kLz4 : ChunkCodec::kZstdAiSpans);
  append->hasty = codec == ChunkCodec::kLz4;
  if (append->hasty) hasty_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  for (TraceChunk& chunk : append->chunks) {
    append->traces.push_back(chunk.trace);
    chunk.otlp = EncodeChunk(chunk.otlp, codec);
  }
  TryAppend(std::move(append));
}

void RocksTraceStore::TryAppend(std::shared_ptr<Append> append) {
  if (!append->latched) {
    append->latched =
        latches_.TryAcquire(append->traces, [&] { return [this, append] { TryAppend(append); }; });
    if (!append->latched) return;
  }
  Write write;
  absl::Status prepared =
      ++append->attempts > kMaxAttempts ? Contention() : PrepareAppend(*append, write);
  if (!prepared.ok()) {
    db_.executor().Run([this, append, prepared] { FinishAppend(*append, prepared); });
    return;
  }
  AppendResult result{.new_experiments = write.new_experiments,
                      .refused = std::move(write.refused),
                      .kept_elsewhere = write.kept_elsewhere,
                      .completed = static_cast<int64_t>(write.feed.size()),
                      .to_complete = std::move(write.to_complete)};
  std::vector<std::string> experiments = std::move(write.experiments);
  std::vector<uint64_t> sessions = std::move(write.sessions);
  if (!sessions.empty()) options_.open_sessions->NoteArrivals(sessions);
  db_.Commit(std::move(write),
             [this, append, result = std::move(result), experiments = std::move(experiments),
              sessions = std::move(sessions)](absl::Status status) {
               // The commit may have taken long.
               if (!sessions.empty()) options_.open_sessions->NoteArrivals(sessions);
               if (Collided(status)) return TryAppend(append);
               if (!status.ok()) return FinishAppend(*append, std::move(status));
               Remember(experiments);
               FinishAppend(*append, result);
             });
}

void RocksTraceStore::FinishAppend(Append& append, absl::StatusOr<AppendResult> result) {
  appending_.fetch_sub(1, std::memory_order_relaxed);
  for (TraceLatches::Retry& retry : latches_.Release(append.traces)) {
    db_.executor().Run(std::move(retry));
  }
  std::move(append.done)(std::move(result));
}

absl::Status RocksTraceStore::PrepareAppend(Append& append, Write& write) const {
  ASSAY_RETURN_IF_ERROR(db_.CheckWritable());
  ASSAY_ASSIGN_OR_RETURN(std::vector<TraceRecords> records, ReadForWrite(append.traces));
  constexpr size_t kBesidesSpans = 4096;  // About what facts and index entries take.
  size_t bytes = 0;
  for (const TraceChunk& chunk : append.chunks) bytes += chunk.otlp.size() + kBesidesSpans;
  write.batch = rocks::WriteBatch(bytes);
  const uint64_t sequence = db_.NextSequence();
  RequestGroups groups(append.chunks, sequence);
  for (size_t i = 0; i < append.chunks.size(); ++i) {
    TraceChunk& chunk = append.chunks[i];
    if (records[i].state == TraceState::kDeleted) {
      write.refused[kRefusedDeleted] += SpansOf(chunk);
      continue;
    }
    ASSAY_ASSIGN_OR_RETURN(const bool too_late, JudgesDeletedTrace(db_, chunk.facts, write));
    if (too_late) {
      write.refused[kRefusedJudgement] += SpansOf(chunk);
    } else {
      ASSAY_RETURN_IF_ERROR(PrepareChunk(append, chunk, sequence, records[i], groups, write));
    }
  }
  groups.Put(db_, write.batch);
  PutDue(sequence, write);
  if (append.hasty) {
    write.batch.Put(db_.family(keys::kMeta), keys::Hasty(sequence),
                    keys::HastyValue(append.traces));
  }
  for (const auto& [counter, bytes] : write.usage) {
    write.batch.Merge(db_.family(keys::kUsage), keys::Usage(counter.first, counter.second),
                      rocks::EncodeFixedInt64(bytes));
  }
  return absl::OkStatus();
}

absl::Status RocksTraceStore::PrepareChunk(const Append& append, TraceChunk& chunk,
                                           uint64_t sequence, TraceRecords& records,
                                           RequestGroups& groups, Write& write) const {
  const StoredTrace& stored = records.stored;
  const bool bound = records.state == TraceState::kLive;
  const TraceBinding& binding = bound ? stored.binding : chunk.claimed;
  keys::Lifetime lifetime;
  if (bound) {
    lifetime = {stored.experiment_number, stored.bound_ms};
    // A registration in advance is meant to win; the default is no experiment that anybody named.
    if (!binding.preregistered && chunk.claimed.experiment != binding.experiment &&
        chunk.claimed.experiment != kDefaultExperiment) {
      write.kept_elsewhere += SpanCount(chunk.facts);
    }
    // Whoever deletes the trace changes its binding.
    write.checks.push_back(
        StillHolds(keys::kTraces, keys::Binding(chunk.trace), std::move(records.binding)));
  } else {
    lifetime = Bind(chunk.trace, binding, records.binding, /*with_facts=*/true, write);
    if (append.register_experiments) {
      ASSAY_RETURN_IF_ERROR(RegisterExperiment(binding.experiment, write));
    }
  }
  const uint64_t now_ms = db_.NowMs();
  Complete(sequence, now_ms, lifetime, &chunk.facts);
  chunk.facts.clear_completion();  // Of an attempt before.
  const bool completed = CompletesAtOnce(chunk, bound);
  if (completed) {
    CompleteFirst(sequence, now_ms, &chunk.facts);
    write.feed.push_back(
        CompletionEvent(binding.experiment, chunk.trace, chunk.facts.completion()));
  } else if (chunk.complete) {
    write.to_complete.push_back(chunk.trace);
  }
  NoteSession(stored.facts, chunk.facts, write);
  write.batch.Put(db_.family(keys::kChunks), keys::Chunk(chunk.trace, sequence, lifetime),
                  chunk.otlp);
  write.batch.Put(db_.family(keys::kDirectory), keys::Directory(chunk.trace, sequence, lifetime),
                  chunk.directory.SerializeAsString());
  const bool placed = AddToIndex(db_, chunk.trace, lifetime, binding.evaluation, stored.facts,
                                 chunk.facts, groups, write.batch);
  // The first facts of a trace are put whole: nothing has to be merged to read them.
  if (bound) {
    write.batch.Merge(db_.family(keys::kTraces), keys::Facts(chunk.trace),
                      chunk.facts.SerializeAsString());
  } else {
    write.batch.Put(db_.family(keys::kTraces), keys::Facts(chunk.trace),
                    chunk.facts.SerializeAsString());
  }
  // Tags may be set meanwhile, at the place that the trace had.
  if (placed && bound) {
    write.checks.push_back(
        StillHolds(keys::kTraces, keys::Facts(chunk.trace), std::move(records.facts)));
  }
  if (!completed) {
    write.due.traces.push_back(chunk.trace);
    write.due.states.push_back(StateWhenDue(chunk.facts, stored.facts, lifetime));
  }
  if (bound) db_.NoteChanged(chunk.trace);
  write.usage[{lifetime.number, lifetime.bound_ms / kMsPerHour}] += chunk.facts.span_bytes();
  return absl::OkStatus();
}

// The traces of a request are due together, by few entries: each is written, deleted and merged. One
// alone shares its entry with what else comes of it in the same second.
void RocksTraceStore::PutDue(uint64_t sequence, Write& write) const {
  constexpr size_t kMaxTogether = 64;
  const uint64_t due_ms = DueAfter(db_.NowMs(), options_.idle_window);
  const DueTraces& all = write.due;
  for (size_t i = 0; i < all.traces.size(); i += kMaxTogether) {
    const auto some = absl::MakeConstSpan(all.traces).subspan(i, kMaxTogether);
    DueTraces due{.due_ms = due_ms, .traces = {some.begin(), some.end()}};
    if (some.size() > 1) {
      const auto states = absl::MakeConstSpan(all.states).subspan(i, kMaxTogether);
      due.sequence = sequence;
      due.states.assign(states.begin(), states.end());
    }
    write.batch.Put(db_.family(keys::kDue), keys::DueTrace(due), keys::DueTraceValue(due));
  }
}

void RocksTraceStore::NoteSession(const TraceFacts& before, const TraceFacts& added,
                                  Write& write) const {
  const std::string& session = before.session().empty() ? added.session() : before.session();
  if (options_.open_sessions == nullptr || session.empty()) return;
  write.sessions.push_back(OpenSessions::KeyOf(added.experiment_number(), session));
}

keys::Lifetime RocksTraceStore::Bind(const TraceId& trace, const TraceBinding& binding,
                                     const std::optional<std::string>& before, bool with_facts,
                                     Write& write) const {
  const uint32_t number = db_.NumberFor(binding.experiment, write);
  const keys::Lifetime lifetime{number, db_.BoundMsNow(number)};
  // What is known of a trace that had the id before must not be added to.
  if (before.has_value() && !with_facts) {
    write.batch.Delete(db_.family(keys::kTraces), keys::Facts(trace));
  }
  write.batch.Put(db_.family(keys::kTraces), keys::Binding(trace), BindingBytes(binding, lifetime));
  return lifetime;
}

bool RocksTraceStore::IsRemembered(const std::string& experiment) const {
  MutexLock lock(&mutex_);
  return remembered_.contains(experiment);
}

void RocksTraceStore::Remember(const std::vector<std::string>& experiments) {
  if (experiments.empty()) return;
  MutexLock lock(&mutex_);
  if (remembered_.size() > kMaxRemembered) remembered_.clear();
  remembered_.insert(experiments.begin(), experiments.end());
}

absl::Status RocksTraceStore::RegisterExperiment(const std::string& experiment,
                                                 Write& write) const {
  if (IsRemembered(experiment)) return absl::OkStatus();
  for (const std::string& seen : write.experiments) {
    if (seen == experiment) return absl::OkStatus();
  }
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> known,
                         db_.db().Get(keys::kMeta, keys::Known(experiment)));
  write.experiments.push_back(experiment);
  if (known.has_value()) return absl::OkStatus();
  write.batch.Put(db_.family(keys::kMeta), keys::Pending(experiment), "");
  write.new_experiments = true;
  return absl::OkStatus();
}

void RocksTraceStore::ExperimentCreated(std::string experiment, DoneStatus done) {
  Write write;
  write.batch.Delete(db_.family(keys::kMeta), keys::Pending(experiment));
  write.batch.Put(db_.family(keys::kMeta), keys::Known(experiment), "");
  db_.Commit(std::move(write), std::move(done));
}

void RocksTraceStore::Preregister(std::vector<TraceId> traces, TraceBinding binding,
                                  bool register_experiment, RequestKey key,
                                  Done<AppendResult> done) {
  auto work = std::make_shared<Preregistration>();
  work->traces = std::move(traces);
  work->binding = std::move(binding);
  work->binding.preregistered = true;
  work->register_experiment = register_experiment;
  work->key = std::move(key);
  work->done = std::move(done);
  TryPreregister(std::move(work));
}

void RocksTraceStore::TryPreregister(std::shared_ptr<Preregistration> work) {
  if (!work->latched) {
    work->latched =
        latches_.TryAcquire(work->traces, [&] { return [this, work] { TryPreregister(work); }; });
    if (!work->latched) return;
  }
  Write write;
  absl::StatusOr<bool> needed =
      ++work->attempts > kMaxAttempts ? Contention() : PreparePreregistration(*work, write);
  if (!needed.ok() || !*needed) {
    db_.executor().Run([this, work, status = needed.status()] {
      if (!status.ok()) return FinishPreregister(*work, status);
      FinishPreregister(*work, AppendResult());
    });
    return;
  }
  const AppendResult result{.new_experiments = write.new_experiments};
  std::vector<std::string> experiments = std::move(write.experiments);
  db_.Commit(std::move(write),
             [this, work, result, experiments = std::move(experiments)](absl::Status status) {
               if (Collided(status)) return TryPreregister(work);
               if (!status.ok()) return FinishPreregister(*work, std::move(status));
               Remember(experiments);
               FinishPreregister(*work, result);
             });
}

void RocksTraceStore::FinishPreregister(Preregistration& work,
                                        absl::StatusOr<AppendResult> result) {
  for (TraceLatches::Retry& retry : latches_.Release(work.traces)) {
    db_.executor().Run(std::move(retry));
  }
  std::move(work.done)(std::move(result));
}

// False if the same request was answered before.
absl::StatusOr<bool> RocksTraceStore::PreparePreregistration(Preregistration& work,
                                                             Write& write) const {
  ASSAY_ASSIGN_OR_RETURN(const RequestRecord request, RequestRecord::Read(db_, work.key));
  if (request.answer().has_value()) return false;
  ASSAY_RETURN_IF_ERROR(db_.CheckWritable());
  request.Record(db_, "", write);
  ASSAY_ASSIGN_OR_RETURN(std::vector<TraceRecords> records, ReadForWrite(work.traces));
  for (size_t i = 0; i < work.traces.size(); ++i) {
    const TraceBinding& bound = records[i].stored.binding;
    if (records[i].state == TraceState::kDeleted) {
      return PreconditionFailed("TRACE_DELETED", work.traces[i].Hex(),
                                "was deleted within 24 hours; choose another id");
    }
    if (records[i].state == TraceState::kFree) {
      Bind(work.traces[i], work.binding, records[i].binding, /*with_facts=*/false, write);
    } else if (bound.experiment != work.binding.experiment ||
               bound.evaluation != work.binding.evaluation) {
      return AlreadyExists(
          "trace", StrCat("experiments/", bound.experiment, "/traces/", work.traces[i].Hex()));
    }
  }
  if (work.register_experiment) {
    ASSAY_RETURN_IF_ERROR(RegisterExperiment(work.binding.experiment, write));
  }
  return true;
}

}  // namespace assay::trace
