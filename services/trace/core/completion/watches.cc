#include "services/trace/core/completion/watches.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/filter/filter.h"
#include "common/log/log.h"
#include "common/names/resource_name.h"
#include "common/proto/time.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "services/trace/core/completion/completeness.h"
#include "services/trace/core/completion/resume_token.h"
#include "services/trace/core/search/judge_calls.h"
#include "services/trace/core/trace_fields.h"
#include "services/trace/core/trace_view.h"

namespace assay::trace {
namespace {

constexpr std::string_view kWatchTraces = "assay.trace.v1.TraceService/WatchTraces";
constexpr std::string_view kWatchSessions = "assay.trace.v1.SessionService/WatchSessions";
constexpr std::string_view kAllExperiments = "experiments/-";

// Writes to a stream what `translate` makes of events.
template <class Response>
class StreamSubscriber final : public FeedSubscriber {
 public:
  // nullopt for an event that is not for this watcher.
  using Translate = std::function<absl::StatusOr<std::optional<Response>>(const FeedEvent&)>;

  StreamSubscriber(std::shared_ptr<StreamSink<Response>> sink, WatchScope scope,
                   Translate translate)
      : sink_(std::move(sink)), scope_(std::move(scope)), translate_(std::move(translate)) {}

  absl::StatusOr<Sent> Send(const FeedEvent& event) override {
    absl::StatusOr<std::optional<Response>> response = translate_(event);
    if (response.status().code() == absl::StatusCode::kDataLoss) {
      // What is damaged would stop every watcher here for ever.
      log::Error("an event is about something damaged and is passed over",
                 {{"sequence", event.sequence}, {"error", response.status()}});
      return Sent::kNothing;
    }
    if (!response.ok()) return response.status();
    if (!response->has_value()) return Sent::kNothing;
    return Write(**std::move(response), event.sequence);
  }
  Sent SendProgress(uint64_t sequence) override { return Write(Response(), sequence); }
  void WhenReady(Task task) override { sink_->WhenReady(std::move(task)); }
  void Finish(absl::Status status) override { sink_->Finish(std::move(status)); }
  bool Ended() const override { return sink_->Ended(); }

 private:
  Sent Write(Response response, uint64_t sequence) {
    response.set_resume_token(EncodeResumeToken(scope_, sequence));
    return sink_->Write(std::move(response)) ? Sent::kMessage : Sent::kFull;
  }

  const std::shared_ptr<StreamSink<Response>> sink_;
  const WatchScope scope_;
  const Translate translate_;
};

// The experiment of a parent; empty for all.
absl::StatusOr<std::string> CheckedParent(const std::string& parent) {
  if (parent == kAllExperiments) return std::string();
  ASSAY_ASSIGN_OR_RETURN(names::ExperimentName name,
                         names::ExperimentName::Parse(parent, "parent"));
  return name.experiment;
}

// Where a watch begins: behind this event.
template <class Request>
absl::StatusOr<uint64_t> StartOf(const Request& request, const WatchScope& scope,
                                 const FeedStore& feed) {
  ASSAY_ASSIGN_OR_RETURN(uint64_t last, feed.LastEvent());
  if (request.resume_token().empty()) {
    return request.from_beginning() ? feed.FirstKept() - 1 : last;
  }
  ASSAY_ASSIGN_OR_RETURN(uint64_t after, DecodeResumeToken(scope, request.resume_token()));
  // The store was put back to an earlier state: what the token stands for happens anew.
  if (after > last) return ResumeTokenExpired();
  return after;
}

// What a watcher of traces asked for.
struct TraceWatch {
  const TraceStore& traces;
  std::string experiment;  // Empty for all.
  filter::Filter filter;
  v1::TraceView view = v1::TRACE_VIEW_BASIC;

  absl::StatusOr<std::optional<v1::WatchTracesResponse>> Translate(const FeedEvent& event) const;
  absl::StatusOr<std::optional<v1::Trace>> Matching(const TraceId& trace) const;
};

absl::StatusOr<std::optional<v1::Trace>> TraceWatch::Matching(const TraceId& trace) const {
  ASSAY_ASSIGN_OR_RETURN(std::optional<StoredTrace> stored, traces.GetTrace(trace));
  // A trace that is gone: its tombstone follows.
  if (!stored.has_value() || !HasSpans(stored->facts)) return std::nullopt;
  if (!experiment.empty() && stored->binding.experiment != experiment) return std::nullopt;
  ASSAY_ASSIGN_OR_RETURN(const bool matches, TraceMatcher(filter).Matches(traces, trace, *stored));
  if (!matches) return std::nullopt;
  ASSAY_ASSIGN_OR_RETURN(v1::Trace shown, ShowTrace(traces, trace, *stored, view));
  FitIntoList(&shown);
  return shown;
}

absl::StatusOr<std::optional<v1::WatchTracesResponse>> TraceWatch::Translate(
    const FeedEvent& event) const {
  const storage::v1::FeedRecord& record = event.record;
  if (!experiment.empty() && record.experiment() != experiment) return std::nullopt;
  v1::WatchTracesResponse response;
  *response.mutable_event_time() = proto::ToTimestamp(FromUnixMs(record.time_ms()));
  if (record.has_trace_completed()) {
    const auto id = TraceId::FromBytes(record.trace_completed().trace_id());
    if (!id.has_value()) return absl::DataLossError("an event without a trace");
    ASSAY_ASSIGN_OR_RETURN(std::optional<v1::Trace> trace, Matching(*id));
    if (!trace.has_value()) return std::nullopt;
    *response.mutable_completed()->mutable_trace() = *std::move(trace);
    response.mutable_completed()->set_generation(record.trace_completed().generation());
    return response;
  }
  if (record.has_trace_deleted()) {
    const auto id = TraceId::FromBytes(record.trace_deleted());
    if (!id.has_value()) return absl::DataLossError("an event without a trace");
    response.set_deleted(names::TraceName{record.experiment(), id->Hex()}.ToString());
    return response;
  }
  if (record.has_expired_before_ms()) {
    v1::TraceExpiry& expired = *response.mutable_expired();
    expired.set_experiment(names::ExperimentName{record.experiment()}.ToString());
    *expired.mutable_created_before() = proto::ToTimestamp(FromUnixMs(record.expired_before_ms()));
    return response;
  }
  return std::nullopt;
}

absl::Status BeginTraceWatch(const TraceStore& traces, FeedWatch& feed, const CallContext& context,
                             const v1::WatchTracesRequest& request,
                             const std::shared_ptr<StreamSink<v1::WatchTracesResponse>>& sink) {
  auto watch = std::make_shared<TraceWatch>(TraceWatch{.traces = traces});
  ASSAY_ASSIGN_OR_RETURN(watch->experiment, CheckedParent(request.parent()));
  ASSAY_ASSIGN_OR_RETURN(watch->filter, ParseTraceFilter(request.filter()));
  if (!v1::TraceView_IsValid(request.view())) return InvalidField("view", "is BASIC or FULL");
  if (request.view() == v1::TRACE_VIEW_FULL) watch->view = v1::TRACE_VIEW_FULL;
  const WatchScope scope{std::string(kWatchTraces), request.parent(), request.filter(),
                         feed.feed().Identity()};
  ASSAY_ASSIGN_OR_RETURN(uint64_t after, StartOf(request, scope, feed.feed()));
  return feed.Watch(
      std::make_shared<StreamSubscriber<v1::WatchTracesResponse>>(
          sink, scope, [watch](const FeedEvent& event) { return watch->Translate(event); }),
      after, context);
}

absl::StatusOr<std::optional<v1::WatchSessionsResponse>> TranslateSession(
    const SessionReader& sessions, const std::string& experiment, const FeedEvent& event) {
  const storage::v1::FeedRecord& record = event.record;
  if (!record.has_session_completed()) return std::nullopt;
  if (!experiment.empty() && record.experiment() != experiment) return std::nullopt;
  ASSAY_ASSIGN_OR_RETURN(std::optional<v1::Session> session,
                         sessions.Find(record.experiment(), record.session_completed().session()));
  if (!session.has_value()) return std::nullopt;
  v1::WatchSessionsResponse response;
  *response.mutable_session() = *std::move(session);
  response.set_generation(record.session_completed().generation());
  return response;
}

absl::Status BeginSessionWatch(const SessionReader& sessions, FeedWatch& feed,
                               const CallContext& context, const v1::WatchSessionsRequest& request,
                               const std::shared_ptr<StreamSink<v1::WatchSessionsResponse>>& sink) {
  ASSAY_ASSIGN_OR_RETURN(std::string experiment, CheckedParent(request.parent()));
  const WatchScope scope{std::string(kWatchSessions), request.parent(), "", feed.feed().Identity()};
  ASSAY_ASSIGN_OR_RETURN(uint64_t after, StartOf(request, scope, feed.feed()));
  return feed.Watch(std::make_shared<StreamSubscriber<v1::WatchSessionsResponse>>(
                        sink, scope,
                        [&sessions, experiment](const FeedEvent& event) {
                          return TranslateSession(sessions, experiment, event);
                        }),
                    after, context);
}

}  // namespace

void Watches::WatchTraces(const CallContext& context, const v1::WatchTracesRequest& request,
                          std::shared_ptr<StreamSink<v1::WatchTracesResponse>> sink) {
  absl::Status begun = BeginTraceWatch(traces_, feed_, context, request, sink);
  if (!begun.ok()) sink->Finish(std::move(begun));
}

void Watches::WatchSessions(const CallContext& context, const v1::WatchSessionsRequest& request,
                            std::shared_ptr<StreamSink<v1::WatchSessionsResponse>> sink) {
  absl::Status begun = BeginSessionWatch(sessions_, feed_, context, request, sink);
  if (!begun.ok()) sink->Finish(std::move(begun));
}

}  // namespace assay::trace
