#include "services/trace/store/completion_store.h"

#include <utility>

#include "common/rocks/ordered_code.h"
#include "common/rocks/scan.h"
#include "common/status/status_macros.h"
#include "services/trace/core/index_terms.h"
#include "services/trace/store/index_scan.h"
#include "services/trace/store/request_record.h"
#include "services/trace/store/trace_keys.h"

namespace assay::trace {
namespace {

absl::Status Unreadable() { return absl::DataLossError("a stored session cannot be read"); }

}  // namespace

absl::StatusOr<std::vector<DueTraces>> RocksCompletionStore::TracesDue(uint64_t from_ms,
                                                                       uint64_t now_ms,
                                                                       size_t limit) const {
  std::vector<DueTraces> due;
  size_t traces = 0;
  absl::Status broken;
  auto scanned = rocks::Scan(db_.db(), keys::kDue,
                             {.begin = keys::DueTracesAt(from_ms),
                              .end = keys::DueTracesAt(now_ms + 1),
                              .limit = static_cast<int64_t>(limit),
                              .fill_cache = false},
                             [&](std::string_view key, std::string_view value) {
                               DueTraces& entry = due.emplace_back();
                               broken = keys::DecodeDueTrace(key, value, &entry);
                               traces += entry.traces.size();
                               ForgetChanged(entry);
                               return broken.ok() && traces < limit ? rocks::ScanStep::Next()
                                                                    : rocks::ScanStep::Stop();
                             });
  if (!scanned.ok()) return scanned.status();
  if (!broken.ok()) return broken;
  return due;
}

void RocksCompletionStore::ForgetChanged(DueTraces& due) const {
  for (size_t i = 0; i < due.states.size(); ++i) {
    std::optional<DueState>& state = due.states[i];
    if (!state.has_value()) continue;
    if (db_.changed().MayHaveChanged(due.traces[i], due.sequence) ||
        db_.horizons().IsGone({state->experiment_number, state->bound_ms})) {
      state.reset();
    }
  }
}

absl::StatusOr<std::vector<DueSession>> RocksCompletionStore::SessionsDue(uint64_t from_ms,
                                                                          uint64_t now_ms,
                                                                          size_t limit) const {
  std::vector<DueSession> due;
  absl::Status broken;
  auto scanned = rocks::Scan(
      db_.db(), keys::kDue,
      {.begin = keys::DueSessionsAt(from_ms),
       .end = keys::DueSessionsAt(now_ms + 1),
       .limit = static_cast<int64_t>(limit),
       .fill_cache = false},
      [&](std::string_view key, std::string_view) {
        DueSession& entry = due.emplace_back();
        broken = keys::DecodeDueSession(key, &entry.due_ms, &entry.session.experiment_number,
                                        &entry.session.session);
        return broken.ok() ? rocks::ScanStep::Next() : rocks::ScanStep::Stop();
      });
  if (!scanned.ok()) return scanned.status();
  if (!broken.ok()) return broken;
  return due;
}

absl::StatusOr<std::vector<std::optional<SessionRecord>>> RocksCompletionStore::GetSessions(
    absl::Span<const SessionKey> keys) const {
  std::vector<std::string> wanted;
  wanted.reserve(keys.size());
  for (const SessionKey& key : keys) {
    wanted.push_back(keys::Session(key.experiment_number, key.session));
  }
  ASSAY_ASSIGN_OR_RETURN(auto values, db_.db().MultiGet(keys::kSessions, wanted));
  std::vector<std::optional<SessionRecord>> records(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i].has_value()) continue;
    if (!records[i].emplace().ParseFromString(*values[i])) return Unreadable();
  }
  return records;
}

absl::StatusOr<std::vector<SessionPosition>> RocksCompletionStore::ListSessions(
    uint32_t experiment_number, const std::optional<SessionPosition>& after, size_t limit) const {
  const std::string prefix = keys::SessionActivityPrefix(experiment_number);
  std::string begin = prefix;
  if (after.has_value()) {
    begin = keys::SessionActivity(experiment_number, after->last_activity_ms, after->session);
    begin.push_back('\0');
  }
  std::vector<SessionPosition> positions;
  absl::Status broken;
  auto scanned = rocks::Scan(
      db_.db(), keys::kSessions,
      {.begin = begin, .end = rocks::PrefixEnd(prefix), .limit = static_cast<int64_t>(limit)},
      [&](std::string_view key, std::string_view) {
        SessionPosition& position = positions.emplace_back();
        uint32_t number = 0;
        broken = keys::DecodeSessionActivity(key, &number, &position.last_activity_ms,
                                             &position.session);
        return broken.ok() ? rocks::ScanStep::Next() : rocks::ScanStep::Stop();
      });
  if (!scanned.ok()) return scanned.status();
  if (!broken.ok()) return broken;
  return positions;
}

absl::StatusOr<std::vector<TracePosition>> RocksCompletionStore::TracesOfSession(
    const SessionKey& session, const std::optional<TracePosition>& after, bool newest_first,
    size_t limit) const {
  return ReadPositions(
      db_,
      {.prefix = keys::TermPrefix(session.experiment_number, kTermSession, session.session),
       .after = after,
       .newest_first = newest_first},
      limit);
}

absl::StatusOr<bool> RocksCompletionStore::WasAnswered(const RequestKey& request) const {
  ASSAY_ASSIGN_OR_RETURN(RequestRecord record, RequestRecord::Read(db_, request));
  return record.answer().has_value();
}

void RocksCompletionStore::PutTraces(const CompletionWrite& write, TraceWrite& out) const {
  for (const CompletedTrace& completed : write.traces) {
    // Else it is completed with what made it due.
    if (completed.completion.requested()) db_.NoteChanged(completed.trace);
    storage::v1::TraceFactsRecord facts;
    facts.set_schema_version(1);
    facts.set_experiment_number(completed.experiment_number);
    facts.set_bound_ms(completed.bound_ms);
    *facts.mutable_completion() = completed.completion;
    out.batch.Merge(db_.family(keys::kTraces), keys::Facts(completed.trace),
                    facts.SerializeAsString());
    out.feed.push_back(
        CompletionEvent(completed.experiment, completed.trace, completed.completion));
  }
  for (const DueTraces& due : write.settled_traces) {
    out.batch.Delete(db_.family(keys::kDue), keys::DueTrace(due));
  }
  for (const DueTraces& due : write.armed_traces) {
    out.batch.Put(db_.family(keys::kDue), keys::DueTrace(due), keys::DueTraceValue(due));
  }
}

void RocksCompletionStore::PutSessions(const CompletionWrite& write, TraceWrite& out) const {
  const auto due_key = [](const DueSession& due) {
    return keys::DueSession(due.due_ms, due.session.experiment_number, due.session.session);
  };
  for (const SessionChange& change : write.sessions) {
    const SessionKey& key = change.key;
    const uint64_t activity = change.record.last_activity_ms();
    out.batch.Put(db_.family(keys::kSessions), keys::Session(key.experiment_number, key.session),
                  change.record.SerializeAsString());
    if (change.replaced_activity_ms != activity) {
      if (change.replaced_activity_ms != 0) {
        out.batch.Delete(
            db_.family(keys::kSessions),
            keys::SessionActivity(key.experiment_number, change.replaced_activity_ms, key.session));
      }
      out.batch.Put(db_.family(keys::kSessions),
                    keys::SessionActivity(key.experiment_number, activity, key.session), "");
    }
    if (change.completed_in.empty()) continue;
    storage::v1::FeedRecord& event = out.feed.emplace_back();
    event.set_schema_version(1);
    event.set_experiment(change.completed_in);
    event.set_time_ms(change.record.complete_ms());
    event.mutable_session_completed()->set_session(key.session);
    event.mutable_session_completed()->set_generation(change.record.generation());
  }
  for (const DueSession& due : write.settled_sessions) {
    out.batch.Delete(db_.family(keys::kDue), due_key(due));
  }
  for (const DueSession& due : write.armed_sessions) {
    out.batch.Put(db_.family(keys::kDue), due_key(due), "");
  }
}

void RocksCompletionStore::Commit(CompletionWrite write, DoneStatus done) {
  TraceWrite out;
  PutTraces(write, out);
  PutSessions(write, out);
  for (const RequestKey& key : write.requests) {
    absl::StatusOr<RequestRecord> record = RequestRecord::Read(db_, key);
    if (!record.ok()) {
      return db_.executor().Run([status = record.status(), done = std::move(done)]() mutable {
        std::move(done)(std::move(status));
      });
    }
    record->Record(db_, "", out);
  }
  db_.Commit(std::move(out), std::move(done));
}

}  // namespace assay::trace
