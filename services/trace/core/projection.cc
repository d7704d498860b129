#include "services/trace/core/projection.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/json/json_value.h"
#include "common/names/resource_name.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::trace {
namespace {

constexpr int kMaxChanges = 1000;
constexpr int kMaxLookups = 1000;
constexpr size_t kMaxStoreNameBytes = 250;
constexpr size_t kMaxRememberedStores = 1000;

absl::Status CheckChange(v1::AssessmentChange* change, const std::string& field) {
  v1::AssessmentDigest& digest = *change->mutable_digest();
  ASSAY_RETURN_IF_ERROR(names::TraceName::Parse(change->trace(), StrCat(field, ".trace")).status());
  if (digest.assessment().empty()) {
    return InvalidField(StrCat(field, ".digest.assessment"), "is required");
  }
  if (change->valid() && digest.assessment_name().empty()) {
    return InvalidField(StrCat(field, ".digest.assessment_name"), "is required");
  }
  if (digest.has_value()) {
    ASSAY_ASSIGN_OR_RETURN(std::string text,
                           json::JsonText(digest.value(), StrCat(field, ".digest.value")));
    *digest.mutable_value() = json::JsonFromText(std::move(text));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::AssessmentChange>> CheckedChanges(
    const v1::ApplyAssessmentsRequest& request) {
  if (request.feedback_store().empty() || request.feedback_store().size() > kMaxStoreNameBytes) {
    return InvalidField("feedback_store",
                        StrCat("is required, at most ", kMaxStoreNameBytes, " bytes"));
  }
  if (request.changes_size() == 0 || request.changes_size() > kMaxChanges) {
    return InvalidField("changes", StrCat("takes 1 to ", kMaxChanges, " changes"));
  }
  std::vector<v1::AssessmentChange> changes(request.changes().begin(), request.changes().end());
  int64_t last = 0;
  for (size_t i = 0; i < changes.size(); ++i) {
    const std::string field = StrCat("changes[", i, "]");
    if (changes[i].sequence() <= last) {
      return InvalidField(StrCat(field, ".sequence"),
                          "must be above zero and above the one before");
    }
    last = changes[i].sequence();
    ASSAY_RETURN_IF_ERROR(CheckChange(&changes[i], field));
  }
  return changes;
}

absl::Status Behind(const ReadToken& token, int64_t applied) {
  return MakeError(
      absl::StatusCode::kUnavailable, "PROJECTION_BEHIND",
      "the search index has not yet received the assessments that read_token stands "
      "for; retry",
      {{"applied_sequence_before", StrCat(applied)}, {"wanted_sequence", StrCat(token.sequence)}});
}

}  // namespace

void Projection::Apply(const v1::ApplyAssessmentsRequest& request,
                       Done<v1::ApplyAssessmentsResponse> done) {
  absl::StatusOr<std::vector<v1::AssessmentChange>> changes = CheckedChanges(request);
  if (!changes.ok()) {
    executor_.Run([status = changes.status(), done = std::move(done)]() mutable {
      std::move(done)(std::move(status));
    });
    return;
  }
  const std::string& feedback_store = request.feedback_store();
  store_.ApplyAssessments(
      feedback_store, *std::move(changes),
      [this, feedback_store, done = std::move(done)](absl::StatusOr<int64_t> applied) mutable {
        if (!applied.ok()) return std::move(done)(applied.status());
        Advance(feedback_store, *applied);
        v1::ApplyAssessmentsResponse response;
        response.set_applied_sequence(*applied);
        std::move(done)(std::move(response));
      });
}

absl::StatusOr<v1::FindMissingTracesResponse> Projection::FindMissing(
    const v1::FindMissingTracesRequest& request) const {
  if (request.traces_size() == 0 || request.traces_size() > kMaxLookups) {
    return InvalidField("traces", StrCat("takes 1 to ", kMaxLookups, " names"));
  }
  std::vector<names::TraceName> wanted;
  std::vector<TraceId> ids;
  for (int i = 0; i < request.traces_size(); ++i) {
    ASSAY_ASSIGN_OR_RETURN(names::TraceName name,
                           names::TraceName::Parse(request.traces(i), StrCat("traces[", i, "]")));
    // A name of this form holds an id.
    ids.push_back(*TraceId::FromHex(name.trace));
    wanted.push_back(std::move(name));
  }
  ASSAY_ASSIGN_OR_RETURN(auto found, store_.GetTraces(ids));
  v1::FindMissingTracesResponse response;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (found[i].has_value() && found[i]->binding.experiment == wanted[i].experiment) continue;
    response.add_missing(request.traces(static_cast<int>(i)));
  }
  return response;
}

void Projection::WaitUntilApplied(const ReadToken& token, const CallContext& context,
                                  DoneStatus done) {
  absl::StatusOr<int64_t> stored = store_.AppliedSequence(token.store);
  absl::Status answer;
  uint64_t id = 0;
  {
    MutexLock lock(&mutex_);
    int64_t applied = stored.ok() ? *stored : 0;
    if (auto place = applied_.find(token.store); place != applied_.end()) {
      applied = std::max(applied, place->second);
    }
    if (!stored.ok()) {
      answer = stored.status();
    } else if (applied < token.sequence && waiters_.size() >= kMaxWaiters) {
      answer = Overloaded("the queue of searches that wait for assessments", absl::Seconds(1));
    } else if (applied < token.sequence) {
      id = next_id_++;
      waiters_[id] = {.token = token, .done = std::move(done)};
    }
  }
  if (id == 0) return Answer({.done = std::move(done)}, std::move(answer));

  const absl::Time give_up =
      std::max(clock_.Now(),
               context.deadline - std::min(kAnswerMargin, context.Remaining(clock_.Now()) / 4));
  const TimerQueue::Id timer =
      context.deadline == absl::InfiniteFuture()
          ? 0
          : timers_.RunAt(give_up, [this, id, token, applied = stored.value_or(0)] {
              End(id, Behind(token, applied));
            });
  CancellationToken::Registration on_cancel;
  if (context.cancel != nullptr) {
    on_cancel = context.cancel->OnCancel(
        [this, id] { End(id, absl::CancelledError("nobody waits for the search any more")); });
  }
  {
    MutexLock lock(&mutex_);
    if (auto place = waiters_.find(id); place != waiters_.end()) {
      place->second.timer = timer;
      place->second.on_cancel = std::move(on_cancel);
      return;
    }
  }
  if (timer != 0) timers_.Cancel(timer);  // It ended meanwhile.
}

void Projection::Advance(const std::string& feedback_store, int64_t sequence) {
  std::vector<Waiter> ready;
  {
    MutexLock lock(&mutex_);
    if (applied_.size() > kMaxRememberedStores) applied_.clear();
    int64_t& applied = applied_[feedback_store];
    applied = std::max(applied, sequence);
    for (auto place = waiters_.begin(); place != waiters_.end();) {
      Waiter& waiter = place->second;
      if (waiter.token.store == feedback_store && waiter.token.sequence <= applied) {
        ready.push_back(std::move(waiter));
        place = waiters_.erase(place);
      } else {
        ++place;
      }
    }
  }
  for (Waiter& waiter : ready) Answer(std::move(waiter), absl::OkStatus());
}

void Projection::End(uint64_t id, absl::Status status) {
  Waiter waiter;
  {
    MutexLock lock(&mutex_);
    auto place = waiters_.find(id);
    if (place == waiters_.end()) return;
    waiter = std::move(place->second);
    waiters_.erase(place);
  }
  Answer(std::move(waiter), std::move(status));
}

void Projection::Answer(Waiter waiter, absl::Status status) {
  if (waiter.timer != 0) timers_.Cancel(waiter.timer);
  executor_.Run([waiter = std::move(waiter), status = std::move(status)]() mutable {
    std::move(waiter.done)(std::move(status));
  });
}

size_t Projection::waiters() const {
  MutexLock lock(&mutex_);
  return waiters_.size();
}

}  // namespace assay::trace
