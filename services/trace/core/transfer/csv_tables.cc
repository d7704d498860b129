#include "services/trace/core/transfer/csv_tables.h"

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/json/json_reader.h"
#include "common/proto/time.h"
#include "common/strings/strings.h"
#include "services/trace/core/transfer/csv_row.h"

namespace assay::trace {
namespace {

std::string TimeText(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", proto::FromTimestamp(time), absl::UTCTimeZone());
}

// The word of an enum's value, without what all of them begin with.
std::string Word(const std::string& name, std::string_view prefix) {
  const std::string word = name.starts_with(prefix) ? name.substr(prefix.size()) : name;
  return word == "UNSPECIFIED" ? "" : word;
}

template <class Map>
std::string TextMapJson(const Map& map) {
  if (map.empty()) return "";
  const std::map<std::string, std::string> sorted(map.begin(), map.end());
  std::string out = "{";
  for (const auto& [key, value] : sorted) {
    if (out.size() > 1) out.push_back(',');
    json::AppendJsonString(key, &out);
    out.push_back(':');
    json::AppendJsonString(value, &out);
  }
  return out + "}";
}

template <class Map>
std::string ValueMapJson(const Map& map) {
  if (map.empty()) return "";
  std::map<std::string_view, std::string_view> sorted;
  for (const auto& [key, value] : map) sorted[key] = value.json_text();
  std::string out = "{";
  for (const auto& [key, value] : sorted) {
    if (out.size() > 1) out.push_back(',');
    json::AppendJsonString(key, &out);
    StrAppend(&out, ":", value.empty() ? std::string_view("null") : value);
  }
  return out + "}";
}

template <class List>
std::string ListJson(const List& list) {
  if (list.empty()) return "";
  std::string out = "[";
  for (const std::string& text : list) {
    if (out.size() > 1) out.push_back(',');
    json::AppendJsonString(text, &out);
  }
  return out + "]";
}

// What the trace service knows of assessments, as a list of objects.
std::string AssessmentsJson(const v1::Trace& trace) {
  if (trace.assessments().empty()) return "";
  std::string out = "[";
  for (const v1::AssessmentDigest& digest : trace.assessments()) {
    if (out.size() > 1) out.push_back(',');
    out.append("{\"name\":");
    json::AppendJsonString(digest.assessment_name(), &out);
    StrAppend(&out, ",\"kind\":\"", digest.expectation() ? "expectation" : "feedback", "\"");
    StrAppend(&out, ",\"source\":\"",
              Word(common::v1::SourceKind_Name(digest.source().kind()), "SOURCE_KIND_"), "\"");
    out.append(",\"source_id\":");
    json::AppendJsonString(digest.source().id(), &out);
    if (digest.has_value()) StrAppend(&out, ",\"value\":", digest.value().json_text());
    if (!digest.span_id().empty()) StrAppend(&out, ",\"span_id\":\"", digest.span_id(), "\"");
    out.push_back('}');
  }
  return out + "]";
}

std::vector<std::string> PartWords(const v1::Trace& trace) {
  std::vector<std::string> words;
  for (const int part : trace.truncated_parts()) {
    words.push_back(Word(v1::TracePart_Name(static_cast<v1::TracePart>(part)), "TRACE_PART_"));
  }
  return words;
}

void AppendUsage(const common::v1::TokenUsage& usage, CsvRow* row) {
  const auto count = [&](bool known, int64_t value) { known ? row->Integer(value) : row->Empty(); };
  count(usage.has_input_tokens(), usage.input_tokens());
  count(usage.has_output_tokens(), usage.output_tokens());
  count(usage.has_total_tokens(), usage.total_tokens());
}

void AppendCost(const common::v1::Cost& cost, CsvRow* row) {
  cost.has_total_usd() ? row->Number(cost.total_usd()) : row->Empty();
}

void AppendHeader(std::initializer_list<std::string_view> columns, std::string* out) {
  CsvRow row(out, /*escape_formulas=*/false);
  for (const std::string_view column : columns) row.Text(column);
  row.End();
}

}  // namespace

void AppendTraceHeader(std::string* out) {
  AppendHeader({"name",         "state",          "start_time",   "duration_ms", "root_span_name",
                "session",      "user",           "evaluation",   "span_count",  "error_span_count",
                "input_tokens", "output_tokens",  "total_tokens", "cost_usd",    "models",
                "tags",         "metadata",       "inputs",       "outputs",     "error",
                "assessments",  "truncated_parts"},
               out);
}

void AppendTraceRow(const v1::Trace& trace, std::string_view error, bool escape_formulas,
                    std::string* out) {
  CsvRow row(out, escape_formulas);
  row.Text(trace.name()).Text(Word(v1::TraceState_Name(trace.state()), "TRACE_STATE_"));
  trace.has_start_time() ? row.Text(TimeText(trace.start_time())) : row.Empty();
  if (trace.has_duration()) {
    row.Number(absl::ToDoubleMilliseconds(proto::FromDuration(trace.duration())));
  } else {
    row.Empty();
  }
  row.Text(trace.root_span_name())
      .Text(trace.session())
      .Text(trace.user())
      .Text(trace.evaluation())
      .Integer(trace.span_count())
      .Integer(trace.error_span_count());
  AppendUsage(trace.usage(), &row);
  AppendCost(trace.cost(), &row);
  row.Text(ListJson(trace.models()))
      .Text(TextMapJson(trace.tags()))
      .Text(TextMapJson(trace.metadata()))
      .Text(trace.inputs().json_text())
      .Text(trace.outputs().json_text())
      .Text(error)
      .Text(AssessmentsJson(trace))
      .Text(ListJson(PartWords(trace)))
      .End();
}

void AppendSpanHeader(std::string* out) {
  AppendHeader(
      {"trace",        "span_id",    "parent_span_id", "span_name",    "span_type",
       "kind",         "status",     "status_message", "start_time",   "end_time",
       "duration_ms",  "model",      "provider",       "input_tokens", "output_tokens",
       "total_tokens", "cost_usd",   "session",        "user",         "inputs",
       "outputs",      "error_type", "error_message",  "attributes",   "resource_attributes",
       "scope_name"},
      out);
}

void AppendSpanRow(std::string_view trace, const v1::Span& span, bool escape_formulas,
                   std::string* out) {
  CsvRow row(out, escape_formulas);
  row.Text(trace)
      .Text(span.span_id())
      .Text(span.parent_span_id())
      .Text(span.span_name())
      .Text(span.span_type())
      .Text(Word(v1::SpanKind_Name(span.kind()), "SPAN_KIND_"))
      .Text(Word(v1::SpanStatus_Name(span.status()), "SPAN_STATUS_"))
      .Text(span.status_message())
      .Text(TimeText(span.start_time()));
  if (span.has_end_time()) {
    row.Text(TimeText(span.end_time()))
        .Number(absl::ToDoubleMilliseconds(proto::FromTimestamp(span.end_time()) -
                                           proto::FromTimestamp(span.start_time())));
  } else {
    row.Empty().Empty();
  }
  row.Text(span.model()).Text(span.provider());
  AppendUsage(span.usage(), &row);
  AppendCost(span.cost(), &row);
  row.Text(span.session())
      .Text(span.user())
      .Text(span.inputs().json_text())
      .Text(span.outputs().json_text())
      .Text(span.error_details().type())
      .Text(span.error_details().message())
      .Text(ValueMapJson(span.attributes()))
      .Text(ValueMapJson(span.resource_attributes()))
      .Text(span.scope_name())
      .End();
}

}  // namespace assay::trace
