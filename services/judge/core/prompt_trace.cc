#include "services/judge/core/prompt_trace.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "absl/strings/str_format.h"
#include "common/json/json_value.h"
#include "common/json/utf8.h"
#include "common/strings/strings.h"

namespace assay::judge {

namespace {

using trace::v1::Span;
using trace::v1::Trace;

constexpr int kMaxIndentDepth = 20;
constexpr size_t kMaxAttributes = 30;
// A trace with more on the wire has no text that fits: every value is there.
constexpr size_t kMaxWireBytes = 16 * kMaxTraceTextBytes;
constexpr std::string_view kInputKeys[] = {
    "assay.inputs",          "mlflow.spanInputs",          "input.value",
    "gen_ai.input.messages", "gen_ai.tool.call.arguments", "traceloop.entity.input"};
constexpr std::string_view kOutputKeys[] = {
    "assay.outputs",          "mlflow.spanOutputs",      "output.value",
    "gen_ai.output.messages", "gen_ai.tool.call.result", "traceloop.entity.output"};

template <size_t n>
bool Contains(const std::string_view (&keys)[n], std::string_view key) {
  return std::find(std::begin(keys), std::end(keys), key) != std::end(keys);
}

// How much of a trace is shown.
struct Detail {
  size_t value_bytes;
  size_t attributes;
};
constexpr Detail kWhole = {kMaxTraceTextBytes, kMaxTraceTextBytes};
constexpr Detail kCut = {kMaxTraceValueBytes, kMaxAttributes};

std::string Bounded(std::string_view text, const Detail& detail) {
  if (text.size() <= detail.value_bytes) return std::string(text);
  const std::string_view kept = json::TruncateUtf8Bytes(text, detail.value_bytes);
  return StrCat(kept, " (", text.size() - kept.size(), " more bytes are left out)");
}

std::string ValueText(const common::v1::JsonValue& value, const Detail& detail) {
  absl::StatusOr<std::string> text = json::JsonText(value, "value");
  if (!text.ok()) return "(unreadable)";
  std::string flat = *std::move(text);
  std::replace(flat.begin(), flat.end(), '\n', ' ');
  return Bounded(flat, detail);
}

double Seconds(const google::protobuf::Timestamp& time) {
  return static_cast<double>(time.seconds()) + time.nanos() * 1e-9;
}

// Control characters would break the outline.
std::string OneLine(std::string_view text) {
  std::string line = json::PreviewOf(text, 250);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return line;
}

std::string SpanText(const Span& span, int depth, const Detail& detail) {
  const std::string indent(2 * std::min(depth, kMaxIndentDepth), ' ');
  std::string text = StrCat(indent, "- ", OneLine(span.span_name()));
  const double duration = Seconds(span.end_time()) - Seconds(span.start_time());
  if (span.has_start_time() && span.has_end_time() && duration >= 0) {
    absl::StrAppendFormat(&text, " (%.0f ms)", duration * 1000);
  }
  if (span.error()) StrAppend(&text, " ERROR ", OneLine(span.status_message()));
  text += "\n";
  const std::map<std::string_view, const common::v1::JsonValue*> attributes = [&] {
    std::map<std::string_view, const common::v1::JsonValue*> sorted;
    for (const auto& [key, value] : span.attributes()) sorted.emplace(key, &value);
    return sorted;
  }();
  const auto show_first = [&](const auto& keys, std::string_view name) {
    for (const std::string_view key : keys) {
      const auto found = attributes.find(key);
      if (found == attributes.end()) continue;
      StrAppend(&text, indent, "  ", name, ": ", ValueText(*found->second, detail), "\n");
      return;
    }
  };
  show_first(kInputKeys, "inputs");
  show_first(kOutputKeys, "outputs");
  size_t shown = 0;
  for (const auto& [key, value] : attributes) {
    if (Contains(kInputKeys, key) || Contains(kOutputKeys, key)) continue;
    if (++shown > detail.attributes) {
      StrAppend(&text, indent, "  (further attributes are left out)\n");
      break;
    }
    StrAppend(&text, indent, "  ", OneLine(key), " = ", ValueText(*value, detail), "\n");
  }
  return text;
}

// Writes spans depth first until the bound is reached. Not recursive: a trace may be a chain of a
// thousand spans.
class Outline {
 public:
  Outline(const Trace& trace, const Detail& detail) : trace_(trace), detail_(detail) {
    std::set<std::string_view> ids;
    for (const Span& span : trace.spans()) ids.insert(span.span_id());
    for (const Span& span : trace.spans()) {
      const bool root = span.parent_span_id().empty() || !ids.contains(span.parent_span_id()) ||
                        span.parent_span_id() == span.span_id();
      children_[root ? std::string_view() : std::string_view(span.parent_span_id())].push_back(
          &span);
    }
  }

  std::string Write() {
    for (const Span* root : children_[""]) WriteFrom(*root);
    // What only cycles of parents lead to.
    for (const Span& span : trace_.spans()) WriteFrom(span);
    if (left_out_ > 0 || trace_.spans_truncated()) {
      StrAppend(&text_, "(", left_out_, trace_.spans_truncated() ? " or more" : "",
                " further spans are left out)\n");
    }
    return std::move(text_);
  }

  // After Write: whether it left spans out.
  bool left_out() const { return left_out_ > 0 || trace_.spans_truncated(); }

 private:
  void WriteFrom(const Span& start) {
    std::vector<std::pair<const Span*, int>> stack = {{&start, 0}};
    while (!stack.empty()) {
      const auto [span, depth] = stack.back();
      stack.pop_back();
      if (!seen_.insert(span).second) continue;
      const std::string entry = SpanText(*span, depth, detail_);
      if (text_.size() + entry.size() > kMaxTraceTextBytes - 200) {
        ++left_out_;
      } else {
        text_ += entry;
      }
      const auto children = children_.find(span->span_id());
      if (span->span_id().empty() || children == children_.end()) continue;
      for (auto child = children->second.rbegin(); child != children->second.rend(); ++child) {
        stack.emplace_back(*child, depth + 1);
      }
    }
  }

  const Trace& trace_;
  const Detail detail_;
  std::map<std::string_view, std::vector<const Span*>> children_;
  std::set<const Span*> seen_;
  std::string text_;
  int64_t left_out_ = 0;
};

// A trace whose root has ended reads the same before and after its idle window, so that nothing
// depends on when it is judged.
std::string_view StateText(const Trace& trace) {
  switch (trace.state()) {
    case trace::v1::TRACE_STATE_OK:
      return "ok";
    case trace::v1::TRACE_STATE_ERROR:
      return "error";
    default:
      break;
  }
  if (!trace.root_ended()) return "in progress";
  const bool failed = std::any_of(trace.spans().begin(), trace.spans().end(), [](const Span& span) {
    return span.parent_span_id().empty() && span.error();
  });
  return failed ? "error" : "ok";
}

std::string Head(const Trace& trace) {
  std::string head = StrCat("Trace of ", trace.span_count(), " spans, state ", StateText(trace));
  if (trace.has_duration()) {
    absl::StrAppendFormat(&head, ", %.0f ms",
                          trace.duration().seconds() * 1e3 + trace.duration().nanos() * 1e-6);
  }
  return head + ".\n";
}

// The whole text, if it fits.
std::optional<std::string> WholeText(const Trace& trace) {
  if (trace.spans_truncated() || trace.ByteSizeLong() > kMaxWireBytes) return std::nullopt;
  Outline outline(trace, kWhole);
  std::string text = outline.Write();
  // A value may be as long as the bound at most, so what is cut is too long for the text as well.
  if (outline.left_out()) return std::nullopt;
  return text;
}

}  // namespace

bool TraceTextFits(const Trace& trace) { return WholeText(trace).has_value(); }

std::string TraceText(const Trace& trace) {
  std::string head = Head(trace);
  if (trace.spans().empty()) {
    if (trace.has_inputs()) {
      StrAppend(&head, "inputs: ", ValueText(trace.inputs(), kCut), "\n");
    }
    if (trace.has_outputs()) {
      StrAppend(&head, "outputs: ", ValueText(trace.outputs(), kCut), "\n");
    }
    return head;
  }
  if (std::optional<std::string> whole = WholeText(trace)) return head + *whole;
  return head + Outline(trace, kCut).Write();
}

}  // namespace assay::judge
