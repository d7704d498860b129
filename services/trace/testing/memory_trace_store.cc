#include "services/trace/testing/memory_trace_store.h"

#include "common/names/resource_name.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::trace {

void InMemoryTraceStore::FailWritesWith(absl::Status status) {
  MutexLock lock(&mutex_);
  failure_ = std::move(status);
}

bool InMemoryTraceStore::Register(const std::string& experiment) {
  return !known_.contains(experiment) && pending_.insert(experiment).second;
}

absl::StatusOr<AppendResult> InMemoryTraceStore::Append(std::vector<TraceChunk> chunks,
                                                        bool register_experiments) {
  if (!failure_.ok()) return failure_;
  AppendResult result;
  const uint64_t sequence = ++sequence_;
  for (TraceChunk& chunk : chunks) {
    auto [place, unbound] = traces_.try_emplace(chunk.trace);
    StoredTrace& stored = place->second;
    if (unbound) {
      stored.binding = chunk.claimed;
      if (register_experiments && Register(stored.binding.experiment)) {
        result.new_experiments = true;
      }
    }
    if (chunk.facts.has_root()) chunk.facts.mutable_root()->set_sequence(sequence);
    MergeFacts(chunk.facts, &stored.facts);
    times_[stored.binding.experiment].insert({chunk.facts.start_unix_nano(), chunk.trace});
    chunks_[{chunk.trace, sequence}] = std::move(chunk.otlp);
  }
  return result;
}

void InMemoryTraceStore::AppendSpans(std::vector<TraceChunk> chunks, bool register_experiments,
                                     Done<AppendResult> done) {
  absl::StatusOr<AppendResult> result;
  {
    MutexLock lock(&mutex_);
    result = Append(std::move(chunks), register_experiments);
  }
  executor_.Run([result, done = std::move(done)]() mutable { std::move(done)(std::move(result)); });
}

absl::StatusOr<AppendResult> InMemoryTraceStore::Bind(const std::vector<TraceId>& traces,
                                                      const TraceBinding& binding,
                                                      bool register_experiment,
                                                      const RequestKey& key) {
  if (!failure_.ok()) return failure_;
  const std::tuple id(key.principal, key.method, key.request_id);
  const absl::Time now = clock_.Now();
  if (auto seen = requests_.find(id);
      !key.request_id.empty() && seen != requests_.end() && seen->second.expires_at > now) {
    if (seen->second.body_sha256 == key.body_sha256) return AppendResult();
    return InvalidField("request_id", "was used for another request within 24 hours",
                        "REQUEST_ID_REUSED");
  }
  for (const TraceId& trace : traces) {
    auto place = traces_.find(trace);
    if (place == traces_.end()) continue;
    const TraceBinding& found = place->second.binding;
    if (found.experiment != binding.experiment || found.evaluation != binding.evaluation) {
      return AlreadyExists("trace",
                           StrCat("experiments/", found.experiment, "/traces/", trace.Hex()));
    }
  }
  for (const TraceId& trace : traces) {
    if (auto [place, unbound] = traces_.try_emplace(trace); unbound) {
      place->second.binding = binding;
      place->second.binding.preregistered = true;
    }
  }
  if (!key.request_id.empty()) requests_[id] = {key.body_sha256, now + absl::Hours(24)};
  return AppendResult{.new_experiments = register_experiment && Register(binding.experiment)};
}

void InMemoryTraceStore::Preregister(std::vector<TraceId> traces, TraceBinding binding,
                                     bool register_experiment, RequestKey key,
                                     Done<AppendResult> done) {
  absl::StatusOr<AppendResult> result;
  {
    MutexLock lock(&mutex_);
    result = Bind(traces, binding, register_experiment, key);
  }
  executor_.Run([result, done = std::move(done)]() mutable { std::move(done)(std::move(result)); });
}

absl::StatusOr<std::optional<StoredTrace>> InMemoryTraceStore::GetTrace(
    const TraceId& trace) const {
  MutexLock lock(&mutex_);
  auto place = traces_.find(trace);
  if (place == traces_.end()) return std::nullopt;
  return place->second;
}

absl::StatusOr<std::vector<std::optional<StoredTrace>>> InMemoryTraceStore::GetTraces(
    absl::Span<const TraceId> traces) const {
  std::vector<std::optional<StoredTrace>> stored;
  for (const TraceId& trace : traces) stored.push_back(*GetTrace(trace));
  return stored;
}

absl::Status InMemoryTraceStore::ReadChunks(
    const TraceId& trace,
    absl::FunctionRef<bool(uint64_t sequence, std::string_view otlp)> visit) const {
  std::vector<std::pair<uint64_t, std::string>> found;
  {
    MutexLock lock(&mutex_);
    for (auto place = chunks_.lower_bound({trace, 0});
         place != chunks_.end() && place->first.first == trace; ++place) {
      found.emplace_back(place->first.second, place->second);
    }
  }
  for (const auto& [sequence, otlp] : found) {
    if (!visit(sequence, otlp)) break;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> InMemoryTraceStore::ReadChunk(const TraceId& trace,
                                                                         uint64_t sequence) const {
  MutexLock lock(&mutex_);
  auto place = chunks_.find({trace, sequence});
  if (place == chunks_.end()) return std::nullopt;
  return place->second;
}

absl::Status InMemoryTraceStore::ScanTraces(
    const TraceScan& scan, absl::FunctionRef<bool(const TracePosition& entry)> visit) const {
  std::vector<TracePosition> entries;
  {
    MutexLock lock(&mutex_);
    if (auto place = times_.find(scan.experiment); place != times_.end()) {
      entries.assign(place->second.begin(), place->second.end());
    }
  }
  if (!scan.newest_first) entries = {entries.rbegin(), entries.rend()};
  const LatestFirst before;
  for (const TracePosition& entry : entries) {
    if (scan.after.has_value() &&
        !(scan.newest_first ? before(*scan.after, entry) : before(entry, *scan.after))) {
      continue;
    }
    if (!visit(entry)) break;
  }
  return absl::OkStatus();
}

absl::StatusOr<TracesOfIndex> InMemoryTraceStore::TracesWithAssessment(const AssessmentIndex& index,
                                                                       size_t limit) const {
  TracesOfIndex result;
  MutexLock lock(&mutex_);
  for (const auto& [trace, assessments] : assessments_) {
    for (const auto& [name, assessment] : assessments) {
      if (assessment.experiment != index.experiment ||
          assessment.digest.expectation() != index.expectation ||
          assessment.digest.assessment_name() != index.assessment_name) {
        continue;
      }
      if (result.traces.size() == limit) {
        result.complete = false;
        return result;
      }
      result.traces.push_back(trace);
      break;
    }
  }
  return result;
}

absl::StatusOr<std::vector<v1::AssessmentDigest>> InMemoryTraceStore::AssessmentsOf(
    const TraceId& trace, size_t limit) const {
  std::vector<v1::AssessmentDigest> digests;
  MutexLock lock(&mutex_);
  auto place = assessments_.find(trace);
  if (place == assessments_.end()) return digests;
  for (const auto& [name, assessment] : place->second) {
    if (digests.size() == limit) break;
    digests.push_back(assessment.digest);
  }
  return digests;
}

int64_t InMemoryTraceStore::Apply(const std::string& feedback_store,
                                  const std::vector<v1::AssessmentChange>& changes) {
  int64_t& applied = applied_[feedback_store];
  for (const v1::AssessmentChange& change : changes) {
    if (change.sequence() <= applied) continue;
    const names::TraceName name = *names::TraceName::Parse(change.trace());
    const TraceId trace = *TraceId::FromHex(name.trace);
    if (change.valid()) {
      assessments_[trace][change.digest().assessment()] = {name.experiment, change.digest()};
    } else {
      assessments_[trace].erase(change.digest().assessment());
    }
    applied = change.sequence();
  }
  return applied;
}

void InMemoryTraceStore::ApplyAssessments(std::string feedback_store,
                                          std::vector<v1::AssessmentChange> changes,
                                          Done<int64_t> done) {
  absl::StatusOr<int64_t> result;
  {
    MutexLock lock(&mutex_);
    if (failure_.ok()) {
      result = Apply(feedback_store, changes);
    } else {
      result = failure_;
    }
  }
  executor_.Run([result, done = std::move(done)]() mutable { std::move(done)(std::move(result)); });
}

absl::StatusOr<int64_t> InMemoryTraceStore::AppliedSequence(std::string_view feedback_store) const {
  MutexLock lock(&mutex_);
  auto place = applied_.find(feedback_store);
  return place == applied_.end() ? 0 : place->second;
}

absl::StatusOr<std::vector<std::string>> InMemoryTraceStore::PendingExperiments(
    size_t limit) const {
  MutexLock lock(&mutex_);
  std::vector<std::string> pending;
  for (const std::string& experiment : pending_) {
    if (pending.size() == limit) break;
    pending.push_back(experiment);
  }
  return pending;
}

void InMemoryTraceStore::ExperimentCreated(std::string experiment, DoneStatus done) {
  absl::Status status;
  {
    MutexLock lock(&mutex_);
    status = failure_;
    if (status.ok()) {
      pending_.erase(experiment);
      known_.insert(experiment);
    }
  }
  executor_.Run([status, done = std::move(done)]() mutable { std::move(done)(status); });
}

}  // namespace assay::trace
