#include "services/trace/core/search/span_fields.h"

#include <bit>
#include <cstdint>
#include <utility>

#include "services/trace/core/attribute_json.h"
#include "services/trace/core/wire_cursor.h"

namespace assay::trace {
namespace {

// OTLP's field numbers.
constexpr uint32_t kSpanStatus = 15;
constexpr uint32_t kStatusCode = 3;

std::string_view StatusWord(const SpanView& span) {
  if (span.error) return kSpanStatusError;
  WireCursor cursor(span.bytes);
  WireField field;
  uint64_t code = 0;
  while (cursor.Next(&field)) {
    if (!field.IsBytes(kSpanStatus)) continue;
    WireCursor status(field.bytes);
    WireField part;
    while (status.Next(&part)) {
      if (part.number == kStatusCode) code = part.value;
    }
  }
  return code == 1 ? kSpanStatusOk : kSpanStatusUnspecified;
}

}  // namespace

std::optional<filter::Value> ValueOfAttribute(std::string_view any_value) {
  WireCursor cursor(any_value);
  WireField field;
  WireField last;
  while (cursor.Next(&field)) {
    if (field.number <= 7) last = field;
  }
  switch (last.number) {
    case 0:
      return std::nullopt;
    case 1:
      return std::string(last.bytes);
    case 2:
      return last.value != 0;
    case 3:
      return static_cast<int64_t>(last.value);
    case 4:
      return std::bit_cast<double>(last.value);
    default: {
      std::string text;
      AppendAnyValueJson(any_value, &text);
      return text;
    }
  }
}

std::optional<filter::Value> AttributeOf(std::string_view span, std::string_view resource,
                                         std::string_view key) {
  std::optional<std::string_view> found;
  const auto look = [&](std::string_view name, std::string_view value) {
    if (name == key) found = value;
    return true;
  };
  ForEachSpanAttribute(span, look);
  if (!found.has_value()) ForEachResourceAttribute(resource, look);
  return found.has_value() ? ValueOfAttribute(*found) : std::nullopt;
}

const SpanSummary& SpanFields::Summary() const {
  if (!summary_.has_value()) summary_ = SummarizeSpan(span_.bytes);
  return *summary_;
}

void SpanFields::Lookup(absl::Span<const std::string> field,
                        std::vector<filter::Value>* values) const {
  if (field.size() <= prefix_segments_) return;
  const std::string& name = field[prefix_segments_];
  const auto add_text = [&](std::string_view text) {
    if (!text.empty()) values->emplace_back(std::string(text));
  };
  if (name == "name") {
    add_text(span_.name);
  } else if (name == "type") {
    add_text(Summary().span_type);
  } else if (name == "status") {
    add_text(StatusWord(span_));
  } else if (name == "model") {
    add_text(Summary().model);
  } else if (name == "provider") {
    add_text(Summary().provider);
  } else if (name == "attributes") {
    std::optional<filter::Value> value =
        AttributeOf(span_.bytes, span_.resource, filter::MapKey(field, prefix_segments_ + 1));
    if (value.has_value()) values->push_back(*std::move(value));
  }
}

}  // namespace assay::trace
