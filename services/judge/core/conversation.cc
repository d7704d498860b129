#include "services/judge/core/conversation.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "common/json/json_reader.h"
#include "common/json/json_value.h"
#include "common/json/utf8.h"
#include "common/proto/time.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"
#include "services/judge/core/chat_text.h"

namespace assay::judge {

namespace {

using trace::v1::Span;
using trace::v1::Trace;

constexpr size_t kMaxSlowSpans = 3;
constexpr size_t kMaxNameChars = 100;

absl::Duration DurationOf(const Span& span) {
  return std::max(proto::FromTimestamp(span.end_time()) - proto::FromTimestamp(span.start_time()),
                  absl::ZeroDuration());
}

// The JSON of a value of a span, cut to kMaxToolValueBytes; what is cut becomes a text.
std::string ShortJson(bool present, const common::v1::JsonValue& value) {
  if (!present) return "null";
  absl::StatusOr<std::string> text = json::JsonText(value, "value");
  if (!text.ok()) return "null";
  if (text->size() <= kMaxToolValueBytes) return *std::move(text);
  return json::JsonString(
      StrCat(json::TruncateUtf8Bytes(*text, kMaxToolValueBytes), "… (cut here)"));
}

std::string ToolText(const Span& span) {
  const std::string& name = span.tool_name().empty() ? span.span_name() : span.tool_name();
  return StrCat("{\"name\":", json::JsonString(json::PreviewOf(name, kMaxNameChars)),
                ",\"arguments\":", ShortJson(span.has_inputs(), span.inputs()),
                ",\"result\":", ShortJson(span.has_outputs(), span.outputs()),
                span.error() ? ",\"error\":true" : "", "}");
}

void AppendToolTurns(const Trace& trace, std::vector<Turn>* turns) {
  std::vector<const Span*> tools;
  for (const Span& span : trace.spans()) {
    if (span.span_type() == "TOOL") tools.push_back(&span);
  }
  std::stable_sort(tools.begin(), tools.end(), [](const Span* a, const Span* b) {
    return proto::FromTimestamp(a->start_time()) < proto::FromTimestamp(b->start_time());
  });
  for (const Span* span : tools) {
    turns->push_back(
        {.role = "tool", .content = ToolText(*span), .trace = trace.name(), .timing = {}});
  }
}

TurnTiming TimingOf(const Trace& trace) {
  TurnTiming timing;
  timing.duration = proto::FromDuration(trace.duration());
  for (const Span& span : trace.spans()) {
    if (span.parent_span_id().empty()) continue;
    timing.slowest.push_back({json::PreviewOf(span.span_name(), kMaxNameChars), DurationOf(span)});
  }
  std::stable_sort(timing.slowest.begin(), timing.slowest.end(),
                   [](const SlowSpan& a, const SlowSpan& b) { return a.duration > b.duration; });
  if (timing.slowest.size() > kMaxSlowSpans) timing.slowest.resize(kMaxSlowSpans);
  return timing;
}

std::string TextOf(bool present, const common::v1::JsonValue& value,
                   std::string (*read)(std::string_view)) {
  if (!present) return "";
  const absl::StatusOr<std::string> text = json::JsonText(value, "value");
  return text.ok() ? read(*text) : "";
}

void AppendTurns(const Trace& trace, const ConversationOptions& options, std::vector<Turn>* turns) {
  std::string asked = TextOf(trace.has_inputs(), trace.inputs(), UserTextOf);
  if (!asked.empty()) {
    turns->push_back(
        {.role = "user", .content = std::move(asked), .trace = trace.name(), .timing = {}});
  }
  if (options.include_tool_calls) AppendToolTurns(trace, turns);
  std::string answered = TextOf(trace.has_outputs(), trace.outputs(), AssistantTextOf);
  if (answered.empty()) return;
  turns->push_back(
      {.role = "assistant", .content = std::move(answered), .trace = trace.name(), .timing = {}});
  if (options.include_timing) turns->back().timing = TimingOf(trace);
}

std::string Seconds(absl::Duration duration) {
  return absl::StrFormat("%.2f", absl::ToDoubleSeconds(duration));
}

std::string TimingJson(const TurnTiming& timing) {
  std::string text =
      StrCat("{\"duration_seconds\":", Seconds(timing.duration), ",\"slowest_spans\":[");
  for (const SlowSpan& span : timing.slowest) {
    StrAppend(&text, text.back() == '[' ? "" : ",", "{\"name\":", json::JsonString(span.name),
              ",\"seconds\":", Seconds(span.duration), "}");
  }
  return text + "]}";
}

}  // namespace

absl::StatusOr<std::vector<Turn>> ConversationOf(const Subject& subject,
                                                 const ConversationOptions& options) {
  if (subject.session.empty()) {
    return InvalidField("session", "is needed: this judge looks at a conversation",
                        "MISSING_JUDGE_INPUT");
  }
  std::vector<Turn> turns;
  for (const auto& trace : subject.session) {
    if (trace != nullptr) AppendTurns(*trace, options, &turns);
  }
  if (turns.empty()) {
    return InvalidField("session",
                        "holds no conversation: none of its traces has inputs or outputs",
                        "MISSING_JUDGE_INPUT");
  }
  return turns;
}

std::string ConversationJson(absl::Span<const Turn> turns) {
  std::string text = "[";
  for (const Turn& turn : turns) {
    StrAppend(&text, text.size() > 1 ? "," : "", "{\"role\":", json::JsonString(turn.role),
              ",\"content\":", json::JsonString(turn.content));
    if (turn.timing.has_value()) StrAppend(&text, ",\"timing\":", TimingJson(*turn.timing));
    text += "}";
  }
  return text + "]";
}

}  // namespace assay::judge
