#include "services/trace/store/trace_deletion.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "common/names/resource_name.h"
#include "common/status/status_macros.h"
#include "services/trace/core/trace_facts.h"
#include "services/trace/store/commit_retry.h"
#include "services/trace/store/erase_trace.h"
#include "services/trace/store/judgements.h"
#include "services/trace/store/request_record.h"

namespace assay::trace {
namespace {

// What one commit holds, about.
constexpr size_t kMaxBatchBytes = 1 << 20;
constexpr size_t kMaxTracesPerBatch = 100;
// Judgements of judgements below this are found when the last one above them, which is gone then, is
// visited once more.
constexpr size_t kMaxPath = 32;

}  // namespace

TraceDeletion::TraceDeletion(TraceDb& db, std::string experiment, std::vector<TraceId> traces,
                             RequestKey key, LifecycleStore::DeletionAnswer answer,
                             Done<std::string> done, std::function<void(int64_t bytes)> freed)
    : db_(db),
      experiment_(std::move(experiment)),
      traces_(std::move(traces)),
      key_(std::move(key)),
      answer_(std::move(answer)),
      done_(std::move(done)),
      freed_(std::move(freed)),
      number_(db.FindNumber(experiment_)) {}

void TraceDeletion::Run() {
  CommitWithRetry(
      db_, [self = shared_from_this()](TraceWrite& write) { return self->Prepare(write); },
      [self = shared_from_this()](const absl::Status& status) { self->Committed(status); });
}

void TraceDeletion::Committed(const absl::Status& status) {
  if (!status.ok()) {
    if (!done_so_far_.answer.has_value()) return std::move(done_)(status);
    log::Warning("judgements that came in while their trace was deleted may be left",
                 {{"experiment", experiment_}, {"error", status}});
    return std::move(done_)(*std::move(done_so_far_.answer));
  }
  if (answered_.has_value()) return std::move(done_)(*std::move(answered_));
  freed_(bytes_);
  done_so_far_ = std::move(progress_);
  if (done_so_far_.Finished()) return std::move(done_)(*std::move(done_so_far_.answer));
  Run();
}

absl::StatusOr<bool> TraceDeletion::Prepare(TraceWrite& write) {
  progress_ = done_so_far_;
  erased_.clear();
  bytes_ = 0;
  ASSAY_ASSIGN_OR_RETURN(const RequestRecord request, RequestRecord::Read(db_, key_));
  if (!progress_.answer.has_value()) {
    answered_ = request.answer();
    if (answered_.has_value()) return false;
  }
  bool any = true;
  while (any && write.batch.GetDataSize() < kMaxBatchBytes &&
         write.feed.size() < kMaxTracesPerBatch) {
    if (progress_.path.empty()) {
      ASSAY_ASSIGN_OR_RETURN(any, Begin());
    } else {
      ASSAY_RETURN_IF_ERROR(Step(write));
    }
  }
  const bool all = progress_.next == traces_.size() && progress_.path.empty();
  if (all && !progress_.answer.has_value()) {
    // With the last commit: repeated before it, the request goes on where it ended.
    progress_.answer = answer_(progress_.deleted);
    request.Record(db_, *progress_.answer, write);
  }
  progress_.again.insert(progress_.again.end(), erased_.begin(), erased_.end());
  return write.batch.Count() > 0;
}

absl::StatusOr<bool> TraceDeletion::Begin() {
  TraceId trace;
  if (!progress_.again.empty()) {
    trace = progress_.again.back();
    progress_.again.pop_back();
  } else if (progress_.next < traces_.size()) {
    trace = traces_[progress_.next++];
  } else {
    return false;
  }
  if (erased_.contains(trace)) return true;  // As somebody's judgement.
  ASSAY_ASSIGN_OR_RETURN(const TraceFacts facts, ReadFacts(trace));
  progress_.path.push_back(VisitOf(trace, facts));
  return true;
}

absl::Status TraceDeletion::Step(TraceWrite& write) {
  Visit& last = progress_.path.back();
  while (number_.has_value() && last.name < last.names.size()) {
    const std::string judged = last.names[last.name];
    ASSAY_ASSIGN_OR_RETURN(const std::optional<TracePosition> found,
                           NextJudgement(db_, *number_, judged, last.after));
    last.after = found;
    if (!found.has_value()) {
      ++last.name;
      continue;
    }
    ASSAY_ASSIGN_OR_RETURN(const bool descended, DescendTo(*found, judged));
    if (descended) return absl::OkStatus();
  }
  const TraceId trace = last.trace;
  progress_.path.pop_back();
  return Erase(trace, write);
}

absl::StatusOr<bool> TraceDeletion::DescendTo(const TracePosition& found,
                                              const std::string& judged) {
  std::vector<Visit>& path = progress_.path;
  const bool on_path = std::any_of(path.begin(), path.end(),
                                   [&](const Visit& visit) { return visit.trace == found.trace; });
  if (on_path || erased_.contains(found.trace) || path.size() >= kMaxPath) return false;
  ASSAY_ASSIGN_OR_RETURN(const TraceFacts facts, ReadFacts(found.trace));
  if (JudgedBy(facts) != judged) return false;
  path.push_back(VisitOf(found.trace, facts));
  return true;
}

absl::Status TraceDeletion::Erase(const TraceId& trace, TraceWrite& write) {
  ASSAY_ASSIGN_OR_RETURN(const std::optional<int64_t> bytes,
                         EraseTrace(db_, trace, experiment_, write));
  if (!bytes.has_value()) return absl::OkStatus();
  erased_.insert(trace);
  bytes_ += *bytes;
  const bool asked_for = std::binary_search(traces_.begin(), traces_.end(), trace);
  ++(asked_for ? progress_.deleted.traces : progress_.deleted.judgements);
  return absl::OkStatus();
}

absl::StatusOr<TraceFacts> TraceDeletion::ReadFacts(const TraceId& trace) const {
  TraceFacts facts;
  ASSAY_ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                         db_.db().Get(keys::kTraces, keys::Facts(trace)));
  if (stored.has_value() && !facts.ParseFromString(*stored)) {
    return absl::DataLossError("a stored trace cannot be read");
  }
  return facts;
}

TraceDeletion::Visit TraceDeletion::VisitOf(const TraceId& trace, const TraceFacts& facts) const {
  Visit visit{.trace = trace};
  visit.names.push_back(names::TraceName{experiment_, trace.Hex()}.ToString());
  const bool there = number_ == facts.experiment_number() &&
                     !db_.horizons().IsGone({facts.experiment_number(), facts.bound_ms()});
  if (there && !facts.session().empty()) {
    visit.names.push_back(names::SessionName{experiment_, facts.session()}.ToString());
  }
  return visit;
}

}  // namespace assay::trace
