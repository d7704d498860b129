// A judgement's trace as OTLP spans.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_JUDGEMENT_SPANS_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_JUDGEMENT_SPANS_H_

#include "opentelemetry/proto/trace/v1/trace.pb.h"
#include "services/judge/core/judgement_trace.h"

namespace assay::judge {

// A root of type EVALUATOR with the verdict, and under it a span of type CHAT_MODEL for each call,
// with the attributes of OpenTelemetry's GenAI conventions. The call of a judgement that made only
// one stands in the root itself: nearly all judgements are one span then. Span ids follow from the
// trace's id, so that a repetition writes the same spans. Thread-safe.
// Written into `resource`, which is empty.
void WriteSpans(const JudgementTrace& trace,
                opentelemetry::proto::trace::v1::ResourceSpans* resource);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_JUDGEMENT_SPANS_H_
