#include "services/judge/core/agent/trace_tools.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "common/filter/page_token.h"
#include "common/json/json_reader.h"
#include "common/json/utf8.h"
#include "common/judging/prompt_fence.h"
#include "common/proto/time.h"
#include "common/strings/strings.h"
#include "services/judge/core/agent/span_text.h"
#include "services/judge/core/agent/text_window.h"
#include "services/judge/core/agent/timing_report.h"
#include "services/judge/core/agent/trace_search.h"

namespace assay::judge {

namespace {

using json::JsonString;
using trace::v1::Span;
using trace::v1::Trace;

constexpr size_t kMaxSpanIdBytes = 100;
constexpr size_t kMaxPageTokenBytes = 2'000;
constexpr size_t kMaxInfoValueChars = 1'000;
constexpr int kMaxInfoEntries = 100;

#define ASSAY_CONTENT_PARAMETERS                                                               \
  R"("attributes_to_fetch":{"type":["array","null"],"items":{"type":"string"},"description":)" \
  R"("Only these attributes, and of inputs and outputs those named here. Default: all."},)"    \
  R"("max_content_length":{"type":["integer","null"],"minimum":100,"maximum":100000,)"         \
  R"("description":"Bytes of content in one answer. Default 100000."},)"                       \
  R"("page_token":{"type":["string","null"],"description":)"                                   \
  R"("The next_page_token of the answer before, with the same other arguments."})"

constexpr std::string_view kNoParameters =
    R"({"type":"object","properties":{},"additionalProperties":false})";
constexpr std::string_view kRootParameters =
    R"({"type":"object","properties":{)" ASSAY_CONTENT_PARAMETERS
    R"(},"additionalProperties":false})";
constexpr std::string_view kSpanParameters =
    R"({"type":"object","properties":{"span_id":{"type":"string","description":)"
    R"("The span, as list_spans names it."},)" ASSAY_CONTENT_PARAMETERS
    R"(},"required":["span_id"],"additionalProperties":false})";
#undef ASSAY_CONTENT_PARAMETERS
constexpr std::string_view kListParameters =
    R"({"type":"object","properties":{"max_results":{"type":["integer","null"],"minimum":1,)"
    R"("maximum":1000,"description":"Spans in one answer. Default 100."},)"
    R"("page_token":{"type":["string","null"],"description":)"
    R"("The next_page_token of the answer before."}},"additionalProperties":false})";
constexpr std::string_view kSearchParameters =
    R"({"type":"object","properties":{"pattern":{"type":"string","description":)"
    R"("A regular expression in RE2's syntax; upper and lower case are the same."},)"
    R"("max_matches":{"type":["integer","null"],"minimum":1,"maximum":500,)"
    R"("description":"Matches in the answer. Default 50."},)"
    R"("surrounding_content_length":{"type":["integer","null"],"minimum":0,"maximum":1000,)"
    R"("description":"Bytes shown before and after each match. Default 100."}},)"
    R"("required":["pattern"],"additionalProperties":false})";

// The longest beginning of `text` that ends between two characters.
std::string_view WholeChars(std::string_view text) {
  size_t end = text.size();
  while (end > 0 && text.size() - end < 4 &&
         (static_cast<unsigned char>(text[end - 1]) & 0xC0) == 0x80) {
    --end;
  }
  if (end == 0) return text;
  const unsigned char lead = static_cast<unsigned char>(text[end - 1]);
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  return text.size() - (end - 1) < length ? text.substr(0, end - 1) : text;
}

std::string_view StateText(trace::v1::TraceState state) {
  switch (state) {
    case trace::v1::TRACE_STATE_OK:
      return "ok";
    case trace::v1::TRACE_STATE_ERROR:
      return "error";
    case trace::v1::TRACE_STATE_IN_PROGRESS:
      return "in_progress";
    default:
      return "unknown";
  }
}

std::string MapJson(const google::protobuf::Map<std::string, std::string>& entries) {
  std::string text;
  int listed = 0;
  for (const auto& [key, value] :
       std::map<std::string, std::string>(entries.begin(), entries.end())) {
    if (++listed > kMaxInfoEntries) break;
    StrAppend(&text, text.empty() ? "" : ",", JsonString(json::PreviewOf(key, kMaxInfoValueChars)),
              ":", JsonString(json::PreviewOf(value, kMaxInfoValueChars)));
  }
  return StrCat("{", text, "}");
}

// The offset that a page token stands for.
std::optional<size_t> Offset(const filter::PageScope& scope, const std::string& token) {
  if (token.empty()) return 0;
  absl::StatusOr<std::string> cursor = filter::DecodePageToken(scope, token);
  uint64_t offset = 0;
  if (!cursor.ok() || !absl::SimpleAtoi(*cursor, &offset)) return std::nullopt;
  return static_cast<size_t>(offset);
}

std::string NextPage(const filter::PageScope& scope, size_t offset) {
  return StrCat(",\"next_page_token\":",
                JsonString(filter::EncodePageToken(scope, StrCat(offset))));
}

}  // namespace

std::string AssessmentsJson(const Trace& trace) {
  std::string text;
  std::string buffer;
  for (const trace::v1::AssessmentDigest& one : trace.assessments()) {
    if (text.size() > kMaxToolResultBytes / 2) break;
    StrAppend(
        &text, text.empty() ? "" : ",", "{\"name\":", JsonString(one.assessment_name()),
        ",\"source\":", JsonString(common::v1::SourceKind_Name(one.source().kind()).substr(12)),
        ",\"kind\":", one.expectation() ? "\"expectation\"" : "\"feedback\"");
    if (!one.span_id().empty()) StrAppend(&text, ",\"span_id\":", JsonString(one.span_id()));
    if (one.has_value()) {
      const std::string_view value = ValueJson(one.value(), &buffer);
      StrAppend(&text, ",\"value\":",
                value.size() <= kMaxInfoValueChars
                    ? std::string(value)
                    : JsonString(json::PreviewOf(value, kMaxInfoValueChars)));
    }
    text += "}";
  }
  return StrCat("[", text, "]");
}

struct TraceTools::Result {
  std::string json;
  std::string error;

  static Result Error(std::string_view what) { return {"", std::string(what)}; }
};

TraceTools::TraceTools(std::shared_ptr<const Trace> trace, bool show_assessments)
    : index_(std::move(trace)), show_assessments_(show_assessments) {}

const std::vector<ModelTool>& TraceTools::Offered() {
  static const auto* const tools = new std::vector<ModelTool>{
      {"get_trace_info",
       "What is known of the trace as a whole: state, duration, numbers of spans, models, tags, "
       "the "
       "beginning of request and response.",
       std::string(kNoParameters)},
      {"get_root_span",
       "The span at the top of the trace with its inputs, outputs and attributes. Long content "
       "comes in pages.",
       std::string(kRootParameters)},
      {"get_span",
       "One span with its inputs, outputs, attributes and events. Long content comes in pages.",
       std::string(kSpanParameters)},
      {"list_spans",
       "The spans in order of time: id, name, type, parent, status, times, names of attributes; "
       "without their content.",
       std::string(kListParameters)},
      {"search_trace_regex",
       "Finds a regular expression in names, inputs, outputs, attributes and events of all spans.",
       std::string(kSearchParameters)},
      {"get_span_performance_and_timing_report",
       "Where the time went: slowest spans, sums by type, spans that ran at the same time.",
       std::string(kNoParameters)}};
  return *tools;
}

std::string TraceTools::Run(const ModelToolCall& call) const {
  using Method = Result (TraceTools::*)(ToolArguments) const;
  static constexpr std::pair<std::string_view, Method> kMethods[] = {
      {"get_trace_info", &TraceTools::TraceInfo},
      {"get_root_span", &TraceTools::RootSpan},
      {"get_span", &TraceTools::AnySpan},
      {"list_spans", &TraceTools::ListSpans},
      {"search_trace_regex", &TraceTools::Search},
      {"get_span_performance_and_timing_report", &TraceTools::Timing}};
  for (const auto& [name, method] : kMethods) {
    if (call.name != name) continue;
    Result result = (this->*method)(ToolArguments(call.arguments));
    if (result.error.empty()) return judging::FencedBlock(name, result.json);
    return StrCat("Error: ", result.error);
  }
  std::string known;
  for (const auto& [name, method] : kMethods) StrAppend(&known, known.empty() ? "" : ", ", name);
  return StrCat("Error: there is no tool `", json::PreviewOf(call.name, 60), "`; there are ",
                known);
}

std::string TraceTools::CutNote() const {
  if (!index_.trace().spans_truncated()) return "";
  return StrCat(",\"note\":",
                JsonString(StrCat("The trace is larger than could be loaded: these tools see ",
                                  index_.spans().size(), " of its ", index_.trace().span_count(),
                                  " spans, the earliest.")));
}

TraceTools::Result TraceTools::TraceInfo(ToolArguments arguments) const {
  if (std::string wrong = arguments.Finish(); !wrong.empty()) return Result::Error(wrong);
  const Trace& trace = index_.trace();
  std::string models;
  for (const std::string& model : trace.models()) {
    StrAppend(&models, models.empty() ? "" : ",", JsonString(json::PreviewOf(model, 250)));
  }
  std::string text =
      StrCat("{\"trace\":", JsonString(trace.name()), ",\"state\":\"", StateText(trace.state()),
             "\",\"root_span_name\":", JsonString(json::PreviewOf(trace.root_span_name(), 250)),
             ",\"start_time\":",
             JsonString(absl::FormatTime(absl::RFC3339_full, index_.start(), absl::UTCTimeZone())));
  if (trace.has_duration()) {
    absl::StrAppendFormat(&text, ",\"duration_ms\":%.3f",
                          absl::ToDoubleMilliseconds(proto::FromDuration(trace.duration())));
  }
  StrAppend(&text, ",\"span_count\":", trace.span_count(),
            ",\"error_span_count\":", trace.error_span_count(), ",\"models\":[", models, "]");
  if (trace.has_usage()) {
    StrAppend(&text, ",\"input_tokens\":", trace.usage().input_tokens(),
              ",\"output_tokens\":", trace.usage().output_tokens());
  }
  StrAppend(&text, ",\"tags\":", MapJson(trace.tags()), ",\"metadata\":", MapJson(trace.metadata()),
            ",\"request_preview\":", JsonString(trace.request_preview()),
            ",\"response_preview\":", JsonString(trace.response_preview()));
  if (show_assessments_) StrAppend(&text, ",\"assessments\":", AssessmentsJson(trace));
  return {StrCat(text, CutNote(), "}"), ""};
}

TraceTools::Result TraceTools::RootSpan(ToolArguments arguments) const {
  if (index_.roots().empty()) return Result::Error("the trace has no spans");
  return SpanContent(*index_.roots().front(), std::move(arguments));
}

TraceTools::Result TraceTools::AnySpan(ToolArguments arguments) const {
  const std::string id = arguments.RequiredString("span_id", kMaxSpanIdBytes);
  if (const Span* span = index_.Find(id); !id.empty() && span != nullptr) {
    return SpanContent(*span, std::move(arguments));
  }
  if (!id.empty()) {
    return Result::Error(StrCat("there is no span `", json::PreviewOf(id, 60),
                                "`; list_spans gives the ids of all spans"));
  }
  for (const char* name : {"attributes_to_fetch", "max_content_length", "page_token"}) {
    arguments.Known(name);
  }
  return Result::Error(arguments.Finish());
}

TraceTools::Result TraceTools::SpanContent(const Span& span, ToolArguments arguments) const {
  const std::vector<std::string> names = arguments.Strings("attributes_to_fetch");
  const size_t size = static_cast<size_t>(
      arguments.Integer("max_content_length", kMaxToolResultBytes, 100, kMaxToolResultBytes));
  const std::string token = arguments.String("page_token", kMaxPageTokenBytes);
  if (std::string wrong = arguments.Finish(); !wrong.empty()) return Result::Error(wrong);
  const std::set<std::string> only(names.begin(), names.end());
  filter::PageScope scope = {.method = "span", .parent = span.span_id()};
  for (const std::string& name : only) StrAppend(&scope.filter, JsonString(name));
  const std::optional<size_t> offset = Offset(scope, token);
  if (!offset.has_value()) {
    return Result::Error(
        "this page_token belongs to another span or other attributes_to_fetch, or is damaged; take "
        "the next_page_token of the answer before, or leave it out for the first page");
  }
  TextWindow window(*offset, size);
  AppendSpanJson(index_, span, only, &window);
  if (*offset == 0 && window.total() <= size) {
    return {StrCat("{\"span\":", window.kept(), CutNote(), "}"), ""};
  }
  const bool last = *offset + window.kept().size() >= window.total();
  const std::string_view part = last ? std::string_view(window.kept()) : WholeChars(window.kept());
  return {StrCat("{\"span_id\":", JsonString(span.span_id()),
                 ",\"content_size_bytes\":", window.total(), ",\"content_from_byte\":", *offset,
                 ",\"content_part\":", JsonString(part),
                 last ? std::string() : NextPage(scope, *offset + part.size()), CutNote(), "}"),
          ""};
}

TraceTools::Result TraceTools::ListSpans(ToolArguments arguments) const {
  const int64_t max_results = arguments.Integer("max_results", 100, 1, 1'000);
  const std::string token = arguments.String("page_token", kMaxPageTokenBytes);
  if (std::string wrong = arguments.Finish(); !wrong.empty()) return Result::Error(wrong);
  const filter::PageScope scope = {.method = "list_spans"};
  const std::optional<size_t> offset = Offset(scope, token);
  if (!offset.has_value()) {
    return Result::Error(
        "this page_token is not one of list_spans; take the next_page_token of the answer before, "
        "or leave it out for the first page");
  }
  std::string list;
  size_t at = *offset;
  for (int64_t listed = 0; listed < max_results && at < index_.spans().size(); ++listed, ++at) {
    const std::string entry = SpanEntryJson(index_, *index_.spans()[at]);
    if (!list.empty() && list.size() + entry.size() > kMaxToolResultBytes) break;
    StrAppend(&list, list.empty() ? "" : ",", entry);
  }
  return {StrCat("{\"spans\":[", list, "],\"span_count\":", index_.spans().size(),
                 at < index_.spans().size() ? NextPage(scope, at) : std::string(), CutNote(), "}"),
          ""};
}

TraceTools::Result TraceTools::Search(ToolArguments arguments) const {
  TraceSearch search;
  search.pattern = arguments.RequiredString("pattern", kMaxSearchPatternBytes);
  search.max_matches = static_cast<size_t>(arguments.Integer("max_matches", 50, 1, 500));
  search.surrounding =
      static_cast<size_t>(arguments.Integer("surrounding_content_length", 100, 0, 1'000));
  search.max_bytes = kMaxToolResultBytes;
  if (std::string wrong = arguments.Finish(); !wrong.empty()) return Result::Error(wrong);
  absl::StatusOr<std::string> found = SearchTrace(index_, search);
  if (!found.ok()) return Result::Error(ToStd(found.status().message()));
  return {StrCat("{", *found, CutNote(), "}"), ""};
}

TraceTools::Result TraceTools::Timing(ToolArguments arguments) const {
  if (std::string wrong = arguments.Finish(); !wrong.empty()) return Result::Error(wrong);
  if (index_.spans().empty()) return Result::Error("the trace has no spans");
  return {TimingReport(index_), ""};
}

}  // namespace assay::judge
