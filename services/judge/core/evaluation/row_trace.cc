#include "services/judge/core/evaluation/row_trace.h"

#include <algorithm>
#include <utility>

#include "common/status/errors.h"

namespace assay::judge {
namespace {

constexpr absl::Duration kFirstLook = absl::Milliseconds(50);
constexpr absl::Duration kLastLook = absl::Seconds(1);

// What a span has beside inputs and outputs, about, in bytes.
constexpr size_t kBesidesContents = 512;

struct Nothing {};

// Whether the application's topmost span is there: what is below it was sent before, or with it.
bool HasChildOf(const trace::v1::Trace& trace, const std::string& span_id) {
  return std::any_of(trace.spans().begin(), trace.spans().end(),
                     [&](const trace::v1::Span& span) { return span.parent_span_id() == span_id; });
}

Done<Nothing> ToStatusDone(DoneStatus done) {
  return [done = std::move(done)](absl::StatusOr<Nothing> answer) mutable {
    std::move(done)(answer.status());
  };
}

DoneStatus FromStatus(Done<Nothing> done) {
  return [done = std::move(done)](absl::Status status) mutable {
    if (!status.ok()) return std::move(done)(std::move(status));
    std::move(done)(Nothing());
  };
}

}  // namespace

RowTrace::RowTrace(TracePort& traces, const Patience& patience, Clock& clock, TroubleReport report,
                   const GatheringOptions& groups)
    : traces_(traces),
      patience_(patience),
      clock_(clock),
      report_(std::move(report)),
      gathering_({patience.executor(), patience.timers()}, groups,
                 [this](std::vector<Written> group, Task ended) {
                   WriteGroup(std::move(group), std::move(ended));
                 }) {}

struct RowTrace::Watch {
  OneSpanTrace span;
  std::string name;
  CallContext context;
  absl::Time until;
  absl::Duration pause = kFirstLook;
  DoneStatus done;
};

void RowTrace::Preregister(std::string experiment, std::string evaluation, std::string trace_id,
                           CallContext context, DoneStatus done) const {
  auto cancel = context.cancel;
  patience_.Persist<Nothing>(
      std::move(cancel), report_,
      [this, experiment = std::move(experiment), evaluation = std::move(evaluation),
       trace_id = std::move(trace_id), context = std::move(context)](Done<Nothing> answered) {
        traces_.PreregisterTraces(experiment, evaluation, {trace_id}, context,
                                  FromStatus(std::move(answered)));
      },
      ToStatusDone(std::move(done)));
}

void RowTrace::Load(std::string name, bool full, CallContext context, Done<TracePtr> done) const {
  auto cancel = context.cancel;
  patience_.Persist<TracePtr>(
      std::move(cancel), report_,
      [this, name = std::move(name), full, context = std::move(context)](Done<TracePtr> answered) {
        traces_.GetTrace(name, full, context, std::move(answered));
      },
      std::move(done));
}

void RowTrace::Complete(OneSpanTrace span, std::string name, absl::Duration wait,
                        CallContext context, DoneStatus done) {
  if (wait <= absl::ZeroDuration()) {
    return Write(std::move(span), std::move(context), std::move(done));
  }
  auto watch = std::make_shared<Watch>();
  watch->span = std::move(span);
  watch->name = std::move(name);
  watch->context = std::move(context);
  watch->until = clock_.Now() + wait;
  watch->done = std::move(done);
  Look(std::move(watch));
}

void RowTrace::Look(std::shared_ptr<Watch> watch) {
  traces_.GetTrace(
      watch->name, /*full=*/true, watch->context, [this, watch](absl::StatusOr<TracePtr> trace) {
        const bool is_there = trace.ok();
        // Its own root has ended. Whether more of its spans come is known only after the idle
        // window of traces, which is not waited for.
        if (is_there && (*trace)->root_ended()) {
          return std::move(watch->done)(absl::OkStatus());
        }
        const absl::Duration left = watch->until - clock_.Now();
        if ((is_there && HasChildOf(**trace, watch->span.span_id)) ||
            left <= absl::ZeroDuration()) {
          return Write(std::move(watch->span), watch->context, std::move(watch->done));
        }
        const absl::Duration pause = std::min(watch->pause, left);
        watch->pause = std::min(watch->pause * 2, kLastLook);
        patience_.Wait(watch->context.cancel, pause, [this, watch](absl::Status waited) {
          if (!waited.ok()) return std::move(watch->done)(std::move(waited));
          Look(watch);
        });
      });
}

void RowTrace::Write(OneSpanTrace span, CallContext context, DoneStatus done) {
  const size_t bytes = span.inputs.size() + span.outputs.size() + kBesidesContents;
  gathering_.Add({std::move(span), std::move(context), std::move(done)}, bytes);
}

void RowTrace::WriteGroup(std::vector<Written> group, Task ended) {
  auto spans = std::make_shared<std::vector<OneSpanTrace>>();
  for (Written& one : group) spans->push_back(one.span);
  // All rows of an evaluation have the same context.
  const CallContext context = group.front().context;
  patience_.Persist<Nothing>(
      context.cancel, report_,
      [this, spans, context](Done<Nothing> answered) {
        traces_.WriteTraces(*spans, context, FromStatus(std::move(answered)));
      },
      [this, group = std::move(group),
       ended = std::move(ended)](const absl::StatusOr<Nothing>& answer) mutable {
        std::move(ended)();
        const bool apart = group.size() > 1 && ErrorReason(answer.status()) == "SPAN_REJECTED";
        for (Written& one : group) {
          if (!apart) {
            std::move(one.done)(answer.status());
            continue;
          }
          std::vector<Written> alone;
          alone.push_back(std::move(one));
          WriteGroup(std::move(alone), [] {});
        }
      });
}

}  // namespace assay::judge
