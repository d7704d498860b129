#include "services/trace/store/lifecycle_store.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "common/rocks/blob_space.h"
#include "common/rocks/disk_space.h"
#include "common/rocks/int64_add.h"
#include "common/rocks/ordered_code.h"
#include "common/rocks/scan.h"
#include "common/rocks/status.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "services/trace/core/trace_facts.h"
#include "services/trace/store/commit_retry.h"
#include "services/trace/store/erase_trace.h"
#include "services/trace/store/index_entries.h"
#include "services/trace/store/request_record.h"
#include "services/trace/store/trace_deletion.h"
#include "services/trace/store/trace_state.h"

namespace assay::trace {
namespace {

using Facts = storage::v1::TraceFactsRecord;
using Policy = storage::v1::ExperimentPolicyRecord;

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

absl::Status Unreadable(std::string_view what) {
  return absl::DataLossError("a stored " + std::string(what) + " cannot be read");
}

absl::Status NoSuchTrace(const std::string& experiment, const TraceId& trace) {
  return NotFound("trace", "experiments/" + experiment + "/traces/" + trace.Hex());
}

}  // namespace

struct RocksLifecycleStore::Change {
  std::string experiment;
  DecideChange decide;
  RequestKey key;
  // Of the last attempt.
  std::string answer;
  uint32_t number = 0;
  uint64_t horizon_ms = 0;
  int64_t bytes = 0;
};

absl::StatusOr<std::optional<std::string>> RocksLifecycleStore::FindAnswer(
    const RequestKey& key) const {
  ASSAY_ASSIGN_OR_RETURN(RequestRecord record, RequestRecord::Read(db_, key));
  return record.answer();
}

void RocksLifecycleStore::UpdateTags(TraceId trace, std::string experiment, TagChange change,
                                     RequestKey key, DoneStatus done) {
  CommitWithRetry(
      db_,
      [this, trace, experiment = std::move(experiment), change = std::move(change),
       key = std::move(key)](TraceWrite& write) {
        return PrepareTags(trace, experiment, change, key, write);
      },
      std::move(done));
}

absl::StatusOr<bool> RocksLifecycleStore::PrepareTags(const TraceId& trace,
                                                      const std::string& experiment,
                                                      const TagChange& change,
                                                      const RequestKey& key, TraceWrite& write) {
  ASSAY_ASSIGN_OR_RETURN(const RequestRecord request, RequestRecord::Read(db_, key));
  if (request.answer().has_value()) return false;
  ASSAY_RETURN_IF_ERROR(db_.CheckWritable());
  const std::string binding_key = keys::Binding(trace);
  const std::string facts_key = keys::Facts(trace);
  ASSAY_ASSIGN_OR_RETURN(auto stored, db_.db().MultiGet(keys::kTraces, {binding_key, facts_key}));
  storage::v1::TraceBindingRecord binding;
  Facts facts;
  if (!stored[0].has_value()) return NoSuchTrace(experiment, trace);
  if (!binding.ParseFromString(*stored[0])) return Unreadable("binding");
  if (stored[1].has_value() && !facts.ParseFromString(*stored[1])) return Unreadable("trace");
  if (StateOfBinding(binding, db_.horizons(), db_.NowMs()) != TraceState::kLive ||
      (experiment != "-" && binding.experiment() != experiment)) {
    return NoSuchTrace(experiment, trace);
  }
  Facts operand;
  operand.set_schema_version(1);
  operand.set_experiment_number(binding.experiment_number());
  operand.set_bound_ms(binding.bound_ms());
  operand.set_tags_by_client(true);
  std::map<std::string, std::string> tags(facts.tags().begin(), facts.tags().end());
  const IndexPlace place = PlaceOf(trace, {binding.experiment_number(), binding.bound_ms()}, facts);
  // A trace without spans has no start and stands in no index; its first spans see to that.
  const bool indexed = HasSpans(facts);
  for (const std::string& name : change.remove) {
    operand.add_removed_tags(name);
    const auto found = tags.find(name);
    if (found == tags.end()) continue;
    if (indexed) DeleteTerm(db_, place, TagField(name), found->second, write.batch);
    tags.erase(found);
  }
  for (const auto& [name, value] : change.set) {
    (*operand.mutable_tags())[name] = value;
    auto [known, added] = tags.try_emplace(name, value);
    if (indexed && !added) DeleteTerm(db_, place, TagField(name), known->second, write.batch);
    if (indexed) PutTerm(db_, place, TagField(name), value, write.batch);
    known->second = value;
  }
  if (tags.size() > kMaxTags) {
    return InvalidField("set", "would give the trace more than 100 tags", "TOO_MANY_TAGS");
  }
  write.checks.push_back(StillHolds(keys::kTraces, binding_key, std::move(stored[0])));
  write.checks.push_back(FactsUnchanged(trace, facts));
  write.batch.Merge(db_.family(keys::kTraces), facts_key, operand.SerializeAsString());
  request.Record(db_, "", write);
  return true;
}

void RocksLifecycleStore::DeleteTraces(std::string experiment, std::vector<TraceId> traces,
                                       RequestKey key, DeletionAnswer answer,
                                       Done<std::string> done) {
  std::make_shared<TraceDeletion>(db_, std::move(experiment), std::move(traces), std::move(key),
                                  std::move(answer), std::move(done),
                                  [this](int64_t bytes) { reclaimable_ += bytes; })
      ->Run();
}

absl::StatusOr<ExperimentState> RocksLifecycleStore::ReadExperiment(
    const std::string& experiment) const {
  const std::optional<uint32_t> number = db_.FindNumber(experiment);
  if (!number.has_value()) return ExperimentState();
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> policy,
                         db_.db().Get(keys::kMeta, keys::Policy(*number)));
  return ReadState(*number, policy);
}

absl::StatusOr<ExperimentState> RocksLifecycleStore::ReadState(
    uint32_t number, const std::optional<std::string>& policy) const {
  Policy record;
  if (policy.has_value() && !record.ParseFromString(*policy)) return Unreadable("policy");
  ExperimentState state{.version = record.version(), .horizon_ms = record.horizon_ms()};
  if (record.version() > 0) {
    state.rule = RetentionRule{.max_age_ms = record.max_age_ms(), .max_bytes = record.max_bytes()};
  }
  const std::string prefix = keys::UsagePrefix(number);
  absl::Status broken;
  auto scanned = rocks::Scan(db_.db(), keys::kUsage,
                             {.begin = prefix, .end = rocks::PrefixEnd(prefix), .limit = kNoLimit},
                             [&](std::string_view key, std::string_view value) {
                               uint32_t found = 0;
                               UsageHour usage;
                               broken = keys::DecodeUsage(key, &found, &usage.hour);
                               if (!broken.ok()) return rocks::ScanStep::Stop();
                               usage.bytes = rocks::DecodeFixedInt64(value).value_or(0);
                               if ((usage.hour + 1) * kHourMs > state.horizon_ms)
                                 state.usage.push_back(usage);
                               return rocks::ScanStep::Next();
                             });
  if (!scanned.ok()) return scanned.status();
  if (!broken.ok()) return broken;
  return state;
}

void RocksLifecycleStore::ChangeExperiment(std::string experiment, DecideChange decide,
                                           RequestKey key, Done<std::string> done) {
  auto change = std::make_shared<Change>();
  change->experiment = std::move(experiment);
  change->decide = std::move(decide);
  change->key = std::move(key);
  CommitWithRetry(
      db_, [this, change](TraceWrite& write) { return PrepareChange(*change, write); },
      [this, change, done = std::move(done)](absl::Status status) mutable {
        if (!status.ok()) return std::move(done)(std::move(status));
        // Not before it is durable: what has been gone must not come back.
        if (change->number != 0) db_.horizons().Raise(change->number, change->horizon_ms);
        reclaimable_ += change->bytes;
        std::move(done)(std::move(change->answer));
      });
}

absl::StatusOr<bool> RocksLifecycleStore::PrepareChange(Change& change, TraceWrite& write) {
  change.number = 0;
  change.bytes = 0;
  ASSAY_ASSIGN_OR_RETURN(const RequestRecord request, RequestRecord::Read(db_, change.key));
  if (request.answer().has_value()) {
    change.answer = *request.answer();
    return false;
  }
  const uint32_t number = db_.NumberFor(change.experiment, write);
  const std::string policy_key = keys::Policy(number);
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> stored, db_.db().Get(keys::kMeta, policy_key));
  ASSAY_ASSIGN_OR_RETURN(const ExperimentState state, ReadState(number, stored));
  ASSAY_ASSIGN_OR_RETURN(ExperimentChange decided, change.decide(state));
  change.answer = std::move(decided.answer);
  const bool raised = decided.horizon_ms > state.horizon_ms;
  if (!raised && !decided.rule.has_value()) {
    request.Record(db_, change.answer, write);
    return !write.checks.empty();
  }
  Policy policy;
  if (stored.has_value() && !policy.ParseFromString(*stored)) return Unreadable("policy");
  policy.set_schema_version(1);
  policy.set_experiment(change.experiment);
  policy.set_experiment_number(number);
  if (decided.rule.has_value()) {
    policy.set_max_age_ms(decided.rule->max_age_ms);
    policy.set_max_bytes(decided.rule->max_bytes);
    policy.set_version(state.version + 1);
  }
  if (raised) {
    change.number = number;
    change.horizon_ms = decided.horizon_ms;
    policy.set_horizon_ms(decided.horizon_ms);
    const uint64_t now_ms = db_.NowMs();
    bool took = false;
    for (const UsageHour& usage : state.usage) {
      const uint64_t begin_ms = usage.hour * kHourMs;
      took = took || (usage.bytes > 0 && begin_ms < decided.horizon_ms);
      // A horizon that is not in the past leaves nothing of the present hour either.
      const bool whole = begin_ms + kHourMs <= decided.horizon_ms ||
                         (begin_ms < decided.horizon_ms && decided.horizon_ms > now_ms);
      if (!whole) continue;
      change.bytes += usage.bytes;
      write.batch.Delete(db_.family(keys::kUsage), keys::Usage(number, usage.hour));
    }
    if (took) {
      storage::v1::FeedRecord& event = write.feed.emplace_back();
      event.set_schema_version(1);
      event.set_experiment(change.experiment);
      event.set_time_ms(now_ms);
      event.set_expired_before_ms(decided.horizon_ms);
    }
  }
  write.checks.push_back(StillHolds(keys::kMeta, policy_key, std::move(stored)));
  write.batch.Put(db_.family(keys::kMeta), policy_key, policy.SerializeAsString());
  request.Record(db_, change.answer, write);
  return true;
}

std::vector<std::string> RocksLifecycleStore::Experiments() const {
  std::vector<std::string> names;
  for (auto& [experiment, number] : db_.Experiments()) names.push_back(std::move(experiment));
  return names;
}

absl::StatusOr<StoreSize> RocksLifecycleStore::Size() const {
  StoreSize size;
  ASSAY_ASSIGN_OR_RETURN(size.bytes, rocks::DirectoryBytes(db_.db().path()));
  constexpr int64_t kMaxCounted = 100'000;  // Entries, each of one trace or more.
  const std::string prefix = keys::DueTracePrefix();
  absl::Status broken;
  auto scanned = rocks::Scan(
      db_.db(), keys::kDue,
      {.begin = prefix, .end = rocks::PrefixEnd(prefix), .limit = kMaxCounted, .fill_cache = false},
      [&](std::string_view key, std::string_view value) {
        DueTraces due;
        broken = keys::DecodeDueTrace(key, value, &due);
        size.waiting_traces += static_cast<int64_t>(due.traces.size());
        return broken.ok() ? rocks::ScanStep::Next() : rocks::ScanStep::Stop();
      });
  ASSAY_RETURN_IF_ERROR(scanned.status());
  ASSAY_RETURN_IF_ERROR(broken);
  return size;
}

absl::Status RocksLifecycleStore::ReclaimSpace() {
  const int64_t before = reclaimable_;
  // The index twice: the first time traces leave their groups, then groups go that all have left.
  for (const keys::Family family : {keys::kDirectory, keys::kIndex, keys::kTraces,
                                    keys::kAssessments, keys::kSessions, keys::kIndex}) {
    ASSAY_RETURN_IF_ERROR(Compact(family));
  }
  ASSAY_RETURN_IF_ERROR(rocks::ReclaimBlobSpace(db_.db(), keys::kChunks, &stop_reclaiming_));
  reclaimable_ -= before;
  return absl::OkStatus();
}

absl::Status RocksLifecycleStore::Compact(keys::Family family) {
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  options.canceled = &stop_reclaiming_;
  return rocks::FromRocks(
      db_.db().raw().CompactRange(options, db_.family(family), nullptr, nullptr),
      "bring space back");
}

}  // namespace assay::trace
