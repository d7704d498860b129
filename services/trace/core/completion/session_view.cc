#include "services/trace/core/completion/session_view.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "common/names/resource_name.h"
#include "common/proto/time.h"
#include "common/status/status_macros.h"
#include "services/trace/core/completion/completeness.h"
#include "services/trace/core/trace_view.h"

namespace assay::trace {
namespace {

// Traces that are read at once.
constexpr size_t kPage = 256;

// Adds up the traces of a session.
class Sum {
 public:
  Sum(const std::string& session, absl::Time now) : session_(session), now_(now) {}

  // Passes over what is not, or no longer, a trace of the session.
  void Add(const TracePosition& position, const std::optional<StoredTrace>& stored) {
    if (!stored.has_value() || stored->facts.session() != session_ ||
        stored->facts.start_unix_nano() != position.start_unix_nano || !HasSpans(stored->facts)) {
      return;
    }
    const TraceFacts& facts = stored->facts;
    ++traces_;
    session_truncated_ = session_truncated_ || (facts.truncated() & kFactsTruncatedSession) != 0;
    if (StateOf(facts) == v1::TRACE_STATE_ERROR) ++errors_;
    open_ = open_ || HoldsSessionOpen(facts, now_);
    start_ = std::min(start_, facts.start_unix_nano());
    end_ = std::max(end_, facts.end_unix_nano());
    AddUsage(UsageOf(facts), &usage_);
  }

  bool open() const { return open_; }

  void Show(v1::Session* shown) const {
    shown->set_trace_count(traces_);
    shown->set_error_count(errors_);
    shown->set_session_truncated(session_truncated_);
    if (traces_ == 0) return;
    *shown->mutable_start_time() = proto::ToTimestamp(TimeOfNanos(start_));
    *shown->mutable_end_time() = proto::ToTimestamp(TimeOfNanos(end_));
    if (common::v1::TokenUsage tokens = ShowTokens(usage_); tokens.ByteSizeLong() > 0) {
      *shown->mutable_usage() = std::move(tokens);
    }
    if (common::v1::Cost cost = ShowCost(usage_); cost.ByteSizeLong() > 0) {
      *shown->mutable_cost() = std::move(cost);
    }
  }

 private:
  const std::string& session_;
  const absl::Time now_;
  int64_t traces_ = 0;
  int64_t errors_ = 0;
  bool open_ = false;
  bool session_truncated_ = false;
  uint64_t start_ = std::numeric_limits<uint64_t>::max();
  uint64_t end_ = 0;
  UsageRecord usage_;
};

}  // namespace

absl::StatusOr<std::optional<v1::Session>> SessionReader::Find(const std::string& experiment,
                                                               const std::string& session) const {
  const std::optional<uint32_t> number = store_.NumberOf(experiment);
  if (!number.has_value()) return std::nullopt;
  const SessionKey key{*number, session};
  ASSAY_ASSIGN_OR_RETURN(auto records, store_.GetSessions({key}));
  if (!records[0].has_value()) return std::nullopt;
  ASSAY_ASSIGN_OR_RETURN(SessionSums sums, Show(experiment, key, *records[0]));
  if (sums.session.trace_count() == 0) return std::nullopt;
  return std::move(sums.session);
}

absl::StatusOr<SessionSums> SessionReader::Show(const std::string& experiment,
                                                const SessionKey& key,
                                                const SessionRecord& record) const {
  SessionSums sums;
  v1::Session& shown = sums.session;
  Sum sum(key.session, clock_.Now());
  std::optional<TracePosition> after;
  while (true) {
    // The newest ones: an open trace is among them, if any is.
    ASSAY_ASSIGN_OR_RETURN(std::vector<TracePosition> page,
                           store_.TracesOfSession(key, after, true, kPage));
    if (page.empty()) break;
    if (sums.entries_read >= kMaxSessionTraces) {
      shown.set_sums_truncated(true);
      break;
    }
    page.resize(std::min(page.size(), kMaxSessionTraces - sums.entries_read));
    std::vector<TraceId> ids;
    for (const TracePosition& position : page) ids.push_back(position.trace);
    ASSAY_ASSIGN_OR_RETURN(auto stored, traces_.GetTraces(ids));
    for (size_t i = 0; i < page.size(); ++i) sum.Add(page[i], stored[i]);
    sums.entries_read += page.size();
    after = page.back();
  }
  shown.set_name(names::SessionName{experiment, key.session}.ToString());
  shown.set_session(key.session);
  const bool covered =
      record.generation() > 0 && record.last_activity_ms() <= record.through_activity_ms();
  shown.set_state(covered && !sum.open() ? v1::SESSION_STATE_COMPLETE
                                         : v1::SESSION_STATE_IN_PROGRESS);
  shown.set_completion_generation(record.generation());
  if (record.generation() > 0) {
    *shown.mutable_complete_time() = proto::ToTimestamp(FromUnixMs(record.complete_ms()));
  }
  sum.Show(&shown);
  return sums;
}

}  // namespace assay::trace
