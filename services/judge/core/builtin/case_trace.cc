#include "services/judge/core/builtin/case_trace.h"

#include <string>
#include <string_view>

#include "common/json/json_value.h"

namespace assay::judge {

namespace {

using json::Node;
using trace::v1::Span;
using trace::v1::Trace;

std::string Text(const Node& node, std::string_view member) {
  const Node* found = node.Find(member);
  return found == nullptr ? "" : found->text;
}

bool Has(const Node& node, std::string_view member) {
  const Node* found = node.Find(member);
  return found != nullptr && found->AsBool().value_or(false);
}

const std::vector<Node>& Children(const Node& node, std::string_view member) {
  static const std::vector<Node>* const none = new std::vector<Node>();
  const Node* found = node.Find(member);
  return found == nullptr ? *none : found->children;
}

template <class Message>
void SetValue(const Node& node, std::string_view member, common::v1::JsonValue* (Message::*field)(),
              Message* message) {
  const Node* found = node.Find(member);
  if (found != nullptr) *(message->*field)() = json::JsonFromText(found->ToJson());
}

void AddMessages(const Node& node, Span* span) {
  if (const std::string system = Text(node, "system"); !system.empty()) {
    common::v1::Message& message = *span->add_input_messages();
    message.set_role(common::v1::ROLE_SYSTEM);
    message.add_parts()->set_text(system);
  }
  for (const Node& call : Children(node, "calls")) {
    common::v1::Message& message = *span->add_output_messages();
    message.set_role(common::v1::ROLE_ASSISTANT);
    common::v1::ToolCall& made = *message.add_parts()->mutable_tool_call();
    made.set_tool_name(Text(call, "name"));
    SetValue(call, "arguments", &common::v1::ToolCall::mutable_arguments, &made);
  }
}

void AddSpan(const Node& node, Trace* trace) {
  Span& span = *trace->add_spans();
  span.set_span_id(Text(node, "id"));
  span.set_parent_span_id(Text(node, "parent"));
  span.set_span_type(Text(node, "type"));
  span.set_span_name(Text(node, "name"));
  span.set_tool_name(Text(node, "tool"));
  span.set_error(Has(node, "error"));
  span.set_status_message(Text(node, "status"));
  if (const Node* start = node.Find("start"); start != nullptr) {
    span.mutable_start_time()->set_seconds(start->AsInt64().value_or(0));
  }
  SetValue(node, "inputs", &Span::mutable_inputs, &span);
  SetValue(node, "outputs", &Span::mutable_outputs, &span);
  for (const Node& chunk : Children(node, "documents")) {
    common::v1::Document& document = *span.add_documents();
    document.set_id(Text(chunk, "id"));
    document.set_content(Text(chunk, "content"));
    if (const Node* uri = chunk.Find("uri"); uri != nullptr) {
      *document.mutable_metadata() = json::JsonFromText("{\"doc_uri\":" + uri->ToJson() + "}");
    }
  }
  for (const Node& offered : Children(node, "tools")) {
    common::v1::ToolDefinition& tool = *span.add_tools();
    tool.set_tool_name(Text(offered, "name"));
    tool.set_description(Text(offered, "description"));
    SetValue(offered, "parameters", &common::v1::ToolDefinition::mutable_parameters, &tool);
  }
  AddMessages(node, &span);
}

void AddAssessments(const Node& node, std::string_view member, bool expectation,
                    common::v1::SourceKind source, Trace* trace) {
  for (const Node& value : Children(node, member)) {
    trace::v1::AssessmentDigest& digest = *trace->add_assessments();
    digest.set_assessment_name(value.key);
    digest.set_expectation(expectation);
    digest.mutable_source()->set_kind(source);
    *digest.mutable_value() = json::JsonFromText(value.ToJson());
  }
}

}  // namespace

std::shared_ptr<const Trace> CaseTrace(const Node& node) {
  auto trace = std::make_shared<Trace>();
  trace->set_name("experiments/e/traces/" + Text(node, "name"));
  SetValue(node, "inputs", &Trace::mutable_inputs, trace.get());
  SetValue(node, "outputs", &Trace::mutable_outputs, trace.get());
  for (const Node& span : Children(node, "spans")) AddSpan(span, trace.get());
  trace->set_spans_truncated(Has(node, "truncated"));
  AddAssessments(node, "expectations", true, common::v1::SOURCE_KIND_HUMAN, trace.get());
  AddAssessments(node, "model_expectations", true, common::v1::SOURCE_KIND_LLM_JUDGE, trace.get());
  AddAssessments(node, "feedback", false, common::v1::SOURCE_KIND_HUMAN, trace.get());
  return trace;
}

}  // namespace assay::judge
