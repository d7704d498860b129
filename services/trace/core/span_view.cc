#include "services/trace/core/span_view.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/time/time.h"
#include "common/otlp/wire_cursor.h"
#include "common/proto/time.h"
#include "services/trace/core/attribute_json.h"
#include "services/trace/core/meaning/span_contents.h"
#include "services/trace/core/meaning/span_meaning.h"
#include "services/trace/core/wire_cursor.h"

namespace assay::trace {
namespace {

using Attributes = google::protobuf::Map<std::string, common::v1::JsonValue>;

google::protobuf::Timestamp Time(uint64_t unix_nano) {
  constexpr uint64_t kPerSecond = 1'000'000'000;
  return proto::ToTimestamp(absl::FromUnixSeconds(static_cast<int64_t>(unix_nano / kPerSecond)) +
                            absl::Nanoseconds(static_cast<int64_t>(unix_nano % kPerSecond)));
}

void SetAttribute(std::string_view key, std::string_view value, Attributes* attributes) {
  std::string text;
  AppendAnyValueJson(value, &text);
  (*attributes)[std::string(key)].set_json_text(std::move(text));
}

void ShowScope(std::string_view scope, v1::Span* shown) {
  WireCursor cursor(scope);
  WireField field;
  while (cursor.Next(&field)) {
    if (field.IsBytes(1)) shown->set_scope_name(std::string(field.bytes));
    if (field.IsBytes(2)) shown->set_scope_version(std::string(field.bytes));
  }
}

void ShowLink(std::string_view link, v1::SpanLink* shown) {
  WireCursor cursor(link);
  WireField field;
  while (cursor.Next(&field)) {
    if (field.IsBytes(1)) {
      if (std::optional<TraceId> id = TraceId::FromBytes(field.bytes))
        shown->set_trace_id(id->Hex());
    } else if (field.IsBytes(2)) {
      if (std::optional<SpanId> id = SpanId::FromBytes(field.bytes)) shown->set_span_id(id->Hex());
    } else if (field.IsBytes(3)) {
      shown->set_trace_state(std::string(field.bytes));
    }
  }
  // The attributes are field 4 of a link and 9 of a span: walked here.
  WireCursor again(link);
  while (again.Next(&field)) {
    if (!field.IsBytes(4)) continue;
    std::string_view key;
    std::string_view value;
    WireCursor inner(field.bytes);
    WireField part;
    while (inner.Next(&part)) {
      if (part.IsBytes(1)) key = part.bytes;
      if (part.IsBytes(2)) value = part.bytes;
    }
    SetAttribute(key, value, shown->mutable_attributes());
  }
}

v1::SpanStatus StatusOf(std::string_view status) {
  uint64_t code = 0;
  WireCursor cursor(status);
  WireField field;
  while (cursor.Next(&field)) {
    if (field.number == 3 && field.type == WireType::kVarint) code = field.value;
  }
  return code <= 2 ? static_cast<v1::SpanStatus>(code) : v1::SPAN_STATUS_UNSPECIFIED;
}

// What the wire reader does not look at.
void ShowMore(std::string_view span, v1::Span* shown) {
  WireCursor cursor(span);
  WireField field;
  while (cursor.Next(&field)) {
    if (field.type == WireType::kVarint) {
      const auto count = static_cast<int64_t>(static_cast<uint32_t>(field.value));
      if (field.number == 6 && field.value <= 5)
        shown->set_kind(static_cast<v1::SpanKind>(field.value));
      if (field.number == 10) shown->set_dropped_attribute_count(count);
      if (field.number == 12) shown->set_dropped_event_count(count);
      if (field.number == 14) shown->set_dropped_link_count(count);
    } else if (field.IsBytes(3)) {
      shown->set_trace_state(std::string(field.bytes));
    } else if (field.IsBytes(13)) {
      if (static_cast<size_t>(shown->links_size()) < kMaxListed) {
        ShowLink(field.bytes, shown->add_links());
      } else {
        shown->set_truncated(true);
      }
    } else if (field.IsBytes(15)) {
      shown->set_status(StatusOf(field.bytes));
    }
  }
}

void ShowEvents(const SpanContents& contents, v1::Span* shown) {
  for (const EventView& event : contents.events()) {
    v1::SpanEvent& one = *shown->add_events();
    one.set_event_name(std::string(event.name));
    if (event.unix_nano != 0) *one.mutable_time() = Time(event.unix_nano);
    for (const auto& [key, value] : event.attributes) {
      SetAttribute(key, value, one.mutable_attributes());
    }
  }
  if (contents.events_truncated()) shown->set_truncated(true);
}

// An entry of a map of JSON texts, as it stands in a message.
void AppendAttribute(uint32_t field, std::string_view key, std::string_view value,
                     std::string* out) {
  const size_t entry = otlp::OpenMessageField(field, out);
  otlp::AppendBytesField(1, key, out);
  const size_t json = otlp::OpenMessageField(2, out);
  const size_t text = otlp::OpenMessageField(common::v1::JsonValue::kJsonTextFieldNumber, out);
  AppendAnyValueJson(value, out);
  otlp::CloseMessageField(text, out);
  otlp::CloseMessageField(json, out);
  otlp::CloseMessageField(entry, out);
}

// All but the attributes.
v1::Span ShowHead(const SpanView& span, const ScopeView& scope, const PriceTable& prices) {
  v1::Span shown;
  shown.set_span_id(span.span_id.Hex());
  if (!span.IsRoot()) shown.set_parent_span_id(span.parent_span_id.Hex());
  shown.set_span_name(std::string(span.name));
  *shown.mutable_start_time() = Time(span.start_unix_nano);
  if (span.end_unix_nano != 0) *shown.mutable_end_time() = Time(span.end_unix_nano);
  shown.set_error(span.error);
  shown.set_status_message(std::string(span.status_message));
  shown.set_ends_before_start(span.EndsBeforeStart());
  ShowScope(scope.scope, &shown);
  ShowMore(span.bytes, &shown);
  const SpanContents contents(span.bytes);
  ShowEvents(contents, &shown);
  ShowMeaning(span.bytes, contents, prices, span.start_unix_nano, &shown);
  return shown;
}

}  // namespace

v1::Span ShowSpan(const SpanView& span, const ResourceView& resource, const ScopeView& scope,
                  const PriceTable& prices) {
  v1::Span shown = ShowHead(span, scope, prices);
  ForEachSpanAttribute(span.bytes, [&](std::string_view key, std::string_view value) {
    SetAttribute(key, value, shown.mutable_attributes());
    return true;
  });
  ForEachResourceAttribute(resource.resource, [&](std::string_view key, std::string_view value) {
    SetAttribute(key, value, shown.mutable_resource_attributes());
    return true;
  });
  return shown;
}

size_t AppendSpan(const SpanView& span, const ResourceView& resource, const ScopeView& scope,
                  const PriceTable& prices, bool truncated, std::string* out) {
  const size_t begin = out->size();
  v1::Span head = ShowHead(span, scope, prices);
  if (truncated) head.set_truncated(true);
  head.AppendToString(out);
  // Of a key that is there twice, the last counts: that is so for readers of maps as well.
  ForEachSpanAttribute(span.bytes, [&](std::string_view key, std::string_view value) {
    AppendAttribute(v1::Span::kAttributesFieldNumber, key, value, out);
    return true;
  });
  ForEachResourceAttribute(resource.resource, [&](std::string_view key, std::string_view value) {
    AppendAttribute(v1::Span::kResourceAttributesFieldNumber, key, value, out);
    return true;
  });
  return out->size() - begin;
}

}  // namespace assay::trace
