#include "services/judge/core/builtin/tool_calls.h"

#include <algorithm>
#include <map>
#include <utility>

#include "common/json/canonical.h"
#include "common/json/json_value.h"
#include "common/json/safe_json.h"
#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/core/builtin/material.h"

namespace assay::judge {

namespace {

using json::Node;
using trace::v1::Span;
using trace::v1::Trace;

constexpr size_t kMaxExpectedCalls = 1'000;
constexpr std::string_view kExpectedField = "expectations.expected_tool_calls";

// The JSON of a value; a JSON document in a string, as arguments often come, counts as itself.
std::string ValueJson(bool present, const common::v1::JsonValue& value) {
  if (!present) return "";
  absl::StatusOr<std::string> text = json::JsonText(value, "value");
  if (!text.ok()) return "";
  const absl::StatusOr<Node> node = json::ParseJson(*text);
  if (node.ok() && node->is_string() && node->text.starts_with("{") &&
      json::ValidateJson(node->text).ok()) {
    return node->text;
  }
  return *std::move(text);
}

std::vector<TracedToolCall> CallsOfSpans(const Trace& trace) {
  std::vector<const Span*> spans;
  for (const Span& span : trace.spans()) {
    if (span.span_type() == "TOOL") spans.push_back(&span);
  }
  std::stable_sort(spans.begin(), spans.end(), [](const Span* a, const Span* b) {
    return std::pair(a->start_time().seconds(), a->start_time().nanos()) <
           std::pair(b->start_time().seconds(), b->start_time().nanos());
  });
  std::vector<TracedToolCall> calls;
  for (const Span* span : spans) {
    TracedToolCall call;
    call.name = span->tool_name().empty() ? span->span_name() : span->tool_name();
    call.arguments = ValueJson(span->has_inputs(), span->inputs());
    call.result = ValueJson(span->has_outputs(), span->outputs());
    call.error = span->error();
    if (call.error && call.result.empty() && !span->status_message().empty()) {
      call.result = json::JsonString(span->status_message());
    }
    calls.push_back(std::move(call));
  }
  return calls;
}

std::string Shortened(const std::string& json_text) {
  if (json_text.size() <= kMaxToolCallBytes) return json_text;
  const std::string_view kept = json::TruncateUtf8Bytes(json_text, kMaxToolCallBytes);
  return json::JsonString(
      StrCat(kept, " (", json_text.size() - kept.size(), " more bytes are left out)"));
}

std::string CallJson(const TracedToolCall& call) {
  std::string text = StrCat("{\"name\":", json::JsonString(json::PreviewOf(call.name, 250)));
  if (!call.arguments.empty()) StrAppend(&text, ",\"arguments\":", Shortened(call.arguments));
  if (!call.result.empty()) StrAppend(&text, ",\"result\":", Shortened(call.result));
  if (call.error) StrAppend(&text, ",\"error\":true");
  return text + "}";
}

std::string CanonicalOf(const std::string& json_text) {
  if (json_text.empty()) return "{}";
  absl::StatusOr<std::string> canonical = json::CanonicalJson(json_text);
  // No arguments at all are the same as an empty object of them.
  if (canonical.ok()) return *canonical == "null" ? "{}" : *std::move(canonical);
  return json_text;
}

absl::StatusOr<ExpectedToolCall> ExpectedOf(const Node& node, size_t place) {
  const std::string field = StrCat(kExpectedField, "[", place, "]");
  const Node* name = node.Find("name");
  if (name == nullptr || !name->is_string() || name->text.empty()) {
    return InvalidField(field, "must be an object with a `name` and, if wanted, `arguments`",
                        "INVALID_EXPECTED_TOOL_CALLS");
  }
  ExpectedToolCall call{name->text, std::nullopt};
  const Node* arguments = node.Find("arguments");
  if (arguments != nullptr && !arguments->is_null()) {
    if (!arguments->is_object()) {
      return InvalidField(StrCat(field, ".arguments"), "must be an object",
                          "INVALID_EXPECTED_TOOL_CALLS");
    }
    call.arguments = CanonicalOf(arguments->ToJson());
  }
  return call;
}

std::string Named(std::string_view name) { return StrCat("`", json::PreviewOf(name, 100), "`"); }

bool Matches(const TracedToolCall& call, const ExpectedToolCall& expected) {
  return call.name == expected.name &&
         (!expected.arguments.has_value() || CanonicalOf(call.arguments) == *expected.arguments);
}

CodeDecision CompareInOrder(absl::Span<const TracedToolCall> calls,
                            absl::Span<const ExpectedToolCall> expected) {
  for (size_t i = 0; i < calls.size(); ++i) {
    if (Matches(calls[i], expected[i])) continue;
    const bool other = calls[i].name != expected[i].name;
    return {false, StrCat("Call ", i + 1, " is ", Named(calls[i].name),
                          other ? StrCat(", but expected is ", Named(expected[i].name))
                                : std::string(", as expected, with other arguments"),
                          ".")};
  }
  return {true, "Every call is as expected, in the expected order."};
}

// Expected calls with arguments take one equal call each: equal calls stand for each other, so it
// does not matter which. What is left over goes to the expected calls that take any arguments.
CodeDecision CompareInAnyOrder(absl::Span<const TracedToolCall> calls,
                               absl::Span<const ExpectedToolCall> expected) {
  std::map<std::pair<std::string, std::string>, int> exact;
  std::map<std::string, int> by_name;
  for (const TracedToolCall& call : calls) {
    ++exact[{call.name, CanonicalOf(call.arguments)}];
    ++by_name[call.name];
  }
  for (const ExpectedToolCall& call : expected) {
    if (!call.arguments.has_value()) continue;
    int& left = exact[{call.name, *call.arguments}];
    if (left == 0) {
      return {false, StrCat("The expected call of ", Named(call.name),
                            by_name[call.name] > 0 ? " was not made with these arguments"
                                                   : " was not made",
                            ", or not as many times.")};
    }
    --left;
    --by_name[call.name];
  }
  for (const ExpectedToolCall& call : expected) {
    if (call.arguments.has_value()) continue;
    if (by_name[call.name] == 0) {
      return {false,
              StrCat("The expected call of ", Named(call.name), " was not made often enough.")};
    }
    --by_name[call.name];
  }
  return {true, "Every call is as expected."};
}

}  // namespace

std::vector<TracedToolCall> ToolCallsOf(const Trace& trace) {
  std::vector<TracedToolCall> calls = CallsOfSpans(trace);
  if (!calls.empty()) return calls;
  for (const Span& span : trace.spans()) {
    for (const common::v1::Message& message : span.output_messages()) {
      for (const common::v1::ContentPart& part : message.parts()) {
        if (!part.has_tool_call()) continue;
        const common::v1::ToolCall& call = part.tool_call();
        calls.push_back(
            {call.tool_name(), ValueJson(call.has_arguments(), call.arguments()), "", false});
      }
    }
  }
  return calls;
}

std::string ToolCallsBlock(absl::Span<const TracedToolCall> calls) {
  std::string list = "[";
  size_t left_out = 0;
  for (const TracedToolCall& call : calls) {
    const std::string text = CallJson(call);
    if (list.size() + text.size() > kMaxToolCallsBytes) {
      ++left_out;
    } else {
      StrAppend(&list, list.size() > 1 ? "," : "", text);
    }
  }
  if (left_out > 0) {
    StrAppend(&list, list.size() > 1 ? "," : "",
              json::JsonString(StrCat("(", left_out, " more calls are left out)")));
  }
  return JsonBlock("tool_calls", list + "]");
}

std::string AvailableToolsBlock(absl::Span<const std::shared_ptr<const Trace>> traces) {
  std::map<std::string, std::string> tools;
  for (const auto& trace : traces) {
    for (const Span& span : trace->spans()) {
      for (const common::v1::ToolDefinition& tool : span.tools()) {
        std::string text =
            StrCat("{\"name\":", json::JsonString(json::PreviewOf(tool.tool_name(), 250)));
        if (!tool.description().empty()) {
          StrAppend(&text, ",\"description\":",
                    json::JsonString(json::PreviewOf(tool.description(), 2'000)));
        }
        const std::string parameters = ValueJson(tool.has_parameters(), tool.parameters());
        if (!parameters.empty()) StrAppend(&text, ",\"parameters\":", Shortened(parameters));
        tools[tool.tool_name()] = text + "}";
      }
    }
  }
  if (tools.empty()) return "";
  std::string list = "[";
  for (const auto& [name, text] : tools) {
    if (list.size() + text.size() > kMaxToolCallsBytes) break;
    StrAppend(&list, list.size() > 1 ? "," : "", text);
  }
  return JsonBlock("available_tools", list + "]");
}

absl::StatusOr<std::optional<std::vector<ExpectedToolCall>>> ExpectedToolCallsOf(
    const Subject& subject) {
  ASSAY_ASSIGN_OR_RETURN(const std::optional<Node> expectations, ExpectationsOf(subject));
  const Node* list = expectations.has_value() ? expectations->Find("expected_tool_calls") : nullptr;
  if (list == nullptr || list->is_null()) return std::nullopt;
  if (!list->is_array() || list->children.size() > kMaxExpectedCalls) {
    return InvalidField(kExpectedField, "must be a list of at most 1,000 calls",
                        "INVALID_EXPECTED_TOOL_CALLS");
  }
  std::vector<ExpectedToolCall> calls;
  for (const Node& node : list->children) {
    ASSAY_ASSIGN_OR_RETURN(ExpectedToolCall call, ExpectedOf(node, calls.size()));
    calls.push_back(std::move(call));
  }
  return calls;
}

std::string ExpectedToolCallsBlock(absl::Span<const ExpectedToolCall> calls) {
  std::string list = "[";
  for (const ExpectedToolCall& call : calls) {
    StrAppend(&list, list.size() > 1 ? "," : "", "{\"name\":", json::JsonString(call.name));
    if (call.arguments.has_value()) StrAppend(&list, ",\"arguments\":", *call.arguments);
    StrAppend(&list, "}");
  }
  return JsonBlock("expected_tool_calls", list + "]");
}

CodeDecision CompareToolCalls(absl::Span<const TracedToolCall> calls,
                              absl::Span<const ExpectedToolCall> expected, bool in_order) {
  if (calls.size() != expected.size()) {
    return {false, StrCat(calls.size(), calls.size() == 1 ? " call was" : " calls were",
                          " made, but ", expected.size(), " expected.")};
  }
  return in_order ? CompareInOrder(calls, expected) : CompareInAnyOrder(calls, expected);
}

}  // namespace assay::judge
