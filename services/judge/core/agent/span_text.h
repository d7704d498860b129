// Spans as JSON text, for a model that reads a trace piece by piece.
#ifndef ASSAY_SERVICES_JUDGE_CORE_AGENT_SPAN_TEXT_H_
#define ASSAY_SERVICES_JUDGE_CORE_AGENT_SPAN_TEXT_H_

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "assay/common/v1/value.pb.h"
#include "assay/trace/v1/trace.pb.h"
#include "services/judge/core/agent/text_window.h"
#include "services/judge/core/agent/trace_index.h"

namespace assay::judge {

// The JSON text of a value of a stored trace: `buffer` holds it where it has to be made first. A
// value that cannot be read is `"(unreadable)"`. Thread-safe, as all here.
std::string_view ValueJson(const common::v1::JsonValue& value, std::string* buffer);

// Everything that is known of a span, as one JSON object. With `only`, of inputs, outputs and
// attributes those named, and no events. Values are appended as they are, however long: the window
// bounds what is kept.
void AppendSpanJson(const TraceIndex& index, const trace::v1::Span& span,
                    const std::set<std::string>& only, TextWindow* out);

// One line of a list: who, when, how long, and the names of attributes.
std::string SpanEntryJson(const TraceIndex& index, const trace::v1::Span& span);

// All texts of a span that a search looks at: where (`name`, `attributes.x`, ...) and the text.
// `visit` must not keep the views.
template <class Visit>
void ForEachText(const trace::v1::Span& span, Visit visit) {
  std::string buffer;
  visit("name", std::string_view(span.span_name()));
  visit("type", std::string_view(span.span_type()));
  visit("status_message", std::string_view(span.status_message()));
  visit("error", std::string_view(span.error_details().message()));
  if (span.has_inputs()) visit("inputs", ValueJson(span.inputs(), &buffer));
  if (span.has_outputs()) visit("outputs", ValueJson(span.outputs(), &buffer));
  std::map<std::string_view, const common::v1::JsonValue*> sorted;
  for (const auto& [key, value] : span.attributes()) sorted.emplace(key, &value);
  for (const auto& [key, value] : sorted) {
    const std::string where = "attributes." + std::string(key);
    visit(where, key);
    // Where the inputs were read from an attribute, one of the two is enough.
    const std::string_view text = ValueJson(*value, &buffer);
    if (span.has_inputs() && text == span.inputs().json_text()) continue;
    if (span.has_outputs() && text == span.outputs().json_text()) continue;
    visit(where, text);
  }
  for (const trace::v1::SpanEvent& event : span.events()) {
    visit("events", std::string_view(event.event_name()));
    for (const auto& [key, value] : event.attributes()) {
      visit("events." + key, ValueJson(value, &buffer));
    }
  }
}

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_AGENT_SPAN_TEXT_H_
