#include "services/judge/core/agent/span_text.h"

#include <cmath>
#include <map>

#include "absl/strings/str_format.h"
#include "common/json/json_reader.h"
#include "common/json/json_value.h"
#include "common/json/utf8.h"
#include "common/proto/time.h"
#include "common/strings/strings.h"

namespace assay::judge {

namespace {

using common::v1::JsonValue;
using json::JsonString;
using trace::v1::Span;

constexpr size_t kMaxListedAttributes = 50;
constexpr size_t kMaxListedNameChars = 250;

std::string Milliseconds(absl::Duration duration) {
  return absl::StrFormat("%.3f", absl::ToDoubleMilliseconds(duration));
}

std::string_view StatusText(const Span& span) {
  if (span.error()) return "error";
  return span.status() == trace::v1::SPAN_STATUS_OK ? "ok" : "unset";
}

std::string OptionalString(std::string_view text) {
  return text.empty() ? "null" : JsonString(text);
}

// Members that both forms begin with.
std::string CommonMembers(const TraceIndex& index, const Span& span, size_t max_name_chars) {
  const absl::Duration offset = span.has_start_time()
                                    ? proto::FromTimestamp(span.start_time()) - index.start()
                                    : absl::ZeroDuration();
  return StrCat("\"span_id\":", JsonString(span.span_id()),
                ",\"parent_span_id\":", OptionalString(span.parent_span_id()),
                ",\"name\":", JsonString(json::PreviewOf(span.span_name(), max_name_chars)),
                ",\"type\":", OptionalString(span.span_type()), ",\"status\":\"", StatusText(span),
                "\",\"is_root\":", index.IsRoot(span) ? "true" : "false",
                ",\"start_ms\":", Milliseconds(offset),
                ",\"end_ms\":", Milliseconds(offset + DurationOf(span)),
                ",\"duration_ms\":", Milliseconds(DurationOf(span)));
}

void AppendValues(const google::protobuf::Map<std::string, JsonValue>& values,
                  const std::set<std::string>* only, TextWindow* out) {
  std::map<std::string_view, const JsonValue*> sorted;
  for (const auto& [key, value] : values) sorted.emplace(key, &value);
  std::string buffer;
  bool first = true;
  out->Append("{");
  for (const auto& [key, value] : sorted) {
    if (only != nullptr && !only->contains(std::string(key))) continue;
    out->Append(StrCat(first ? "" : ",", JsonString(key), ":"));
    out->Append(ValueJson(*value, &buffer));
    first = false;
  }
  out->Append("}");
}

void AppendMember(std::string_view name, const JsonValue& value, TextWindow* out) {
  std::string buffer;
  out->Append(StrCat(",\"", name, "\":"));
  out->Append(ValueJson(value, &buffer));
}

void AppendEvents(const TraceIndex& index, const Span& span, TextWindow* out) {
  if (span.events().empty()) return;
  out->Append(",\"events\":[");
  bool first = true;
  for (const trace::v1::SpanEvent& event : span.events()) {
    out->Append(StrCat(
        first ? "" : ",", "{\"name\":", JsonString(event.event_name()), ",\"time_ms\":",
        Milliseconds(proto::FromTimestamp(event.time()) - index.start()), ",\"attributes\":"));
    AppendValues(event.attributes(), nullptr, out);
    out->Append("}");
    first = false;
  }
  out->Append("]");
}

}  // namespace

std::string_view ValueJson(const JsonValue& value, std::string* buffer) {
  if (value.has_json_text()) return value.json_text();
  absl::StatusOr<std::string> text = json::JsonText(value, "value");
  *buffer = text.ok() ? *std::move(text) : "\"(unreadable)\"";
  return *buffer;
}

void AppendSpanJson(const TraceIndex& index, const Span& span, const std::set<std::string>& only,
                    TextWindow* out) {
  const auto wanted = [&](const char* name) { return only.empty() || only.contains(name); };
  out->Append(StrCat("{", CommonMembers(index, span, span.span_name().size() + 1)));
  if (!span.status_message().empty()) {
    out->Append(StrCat(",\"status_message\":", JsonString(span.status_message())));
  }
  if (span.has_error_details()) {
    out->Append(StrCat(",\"error\":{\"type\":", JsonString(span.error_details().type()),
                       ",\"message\":", JsonString(span.error_details().message()),
                       ",\"stack_trace\":", JsonString(span.error_details().stack_trace()), "}"));
  }
  if (!span.model().empty()) out->Append(StrCat(",\"model\":", JsonString(span.model())));
  if (span.has_inputs() && wanted("inputs")) AppendMember("inputs", span.inputs(), out);
  if (span.has_outputs() && wanted("outputs")) AppendMember("outputs", span.outputs(), out);
  out->Append(",\"attributes\":");
  AppendValues(span.attributes(), only.empty() ? nullptr : &only, out);
  if (only.empty()) AppendEvents(index, span, out);
  out->Append("}");
}

std::string SpanEntryJson(const TraceIndex& index, const Span& span) {
  std::set<std::string_view> names;
  for (const auto& [key, value] : span.attributes()) names.insert(key);
  std::string list;
  size_t listed = 0;
  for (const std::string_view name : names) {
    if (++listed > kMaxListedAttributes) break;
    StrAppend(&list, list.empty() ? "" : ",",
              JsonString(json::PreviewOf(name, kMaxListedNameChars)));
  }
  const size_t left_out =
      names.size() > kMaxListedAttributes ? names.size() - kMaxListedAttributes : 0;
  return StrCat("{", CommonMembers(index, span, kMaxListedNameChars), ",\"attribute_names\":[",
                list, "]",
                left_out > 0 ? StrCat(",\"further_attributes\":", left_out) : std::string(), "}");
}

}  // namespace assay::judge
