#include "services/trace/core/attribute_json.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/json/json_reader.h"
#include "common/strings/strings.h"
#include "services/trace/core/otlp_wire_reader.h"
#include "services/trace/core/wire_cursor.h"

namespace assay::trace {
namespace {

void AppendValue(std::string_view any_value, int depth, std::string* out);

void AppendDouble(double value, std::string* out) {
  if (std::isnan(value)) {
    out->append("\"NaN\"");
  } else if (std::isinf(value)) {
    out->append(value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
  } else {
    char text[40];
    auto [end, error] = std::to_chars(text, text + sizeof(text), value);
    out->append(text, end);
  }
}

void AppendList(std::string_view message, int depth, std::string* out) {
  out->push_back('[');
  bool first = true;
  WireCursor cursor(message);
  WireField field;
  while (cursor.Next(&field)) {
    if (!field.IsBytes(1)) continue;
    if (!std::exchange(first, false)) out->push_back(',');
    AppendValue(field.bytes, depth + 1, out);
  }
  out->push_back(']');
}

void AppendObject(std::string_view message, int depth, std::string* out) {
  std::vector<std::pair<std::string_view, std::string_view>> members;
  absl::flat_hash_map<std::string_view, size_t> places;
  WireCursor cursor(message);
  WireField field;
  while (cursor.Next(&field)) {
    if (!field.IsBytes(1)) continue;
    std::string_view key;
    std::string_view value;
    WireCursor inner(field.bytes);
    WireField part;
    while (inner.Next(&part)) {
      if (part.IsBytes(1)) key = part.bytes;
      if (part.IsBytes(2)) value = part.bytes;
    }
    auto [place, added] = places.try_emplace(key, members.size());
    if (added) {
      members.emplace_back(key, value);
    } else {
      members[place->second].second = value;
    }
  }
  out->push_back('{');
  bool first = true;
  for (const auto& [key, value] : members) {
    if (!std::exchange(first, false)) out->push_back(',');
    json::AppendJsonString(key, out);
    out->push_back(':');
    AppendValue(value, depth + 1, out);
  }
  out->push_back('}');
}

void AppendField(const WireField& field, int depth, std::string* out) {
  switch (field.number) {
    case 1:
      return json::AppendJsonString(field.bytes, out);
    case 2:
      out->append(field.value != 0 ? "true" : "false");
      return;
    case 3:
      absl::StrAppend(out, static_cast<int64_t>(field.value));
      return;
    case 4:
      return AppendDouble(std::bit_cast<double>(field.value), out);
    case 5:
      return AppendList(field.bytes, depth, out);
    case 6:
      return AppendObject(field.bytes, depth, out);
    default:
      out->push_back('"');
      out->append(absl::Base64Escape(ToAbsl(field.bytes)));
      out->push_back('"');
  }
}

void AppendValue(std::string_view any_value, int depth, std::string* out) {
  WireCursor cursor(any_value);
  WireField field;
  WireField last;  // The last member of a oneof wins.
  while (cursor.Next(&field)) {
    if (field.number <= 7) last = field;
  }
  if (!cursor.ok() || last.number == 0 || depth > kMaxAttributeDepth) {
    out->append("null");
  } else {
    AppendField(last, depth, out);
  }
}

}  // namespace

void AppendAnyValueJson(std::string_view any_value, std::string* out) {
  AppendValue(any_value, 0, out);
}

std::string PayloadJson(std::string_view any_value) {
  if (std::string_view text; AnyValueString(any_value, &text) &&
                             json::ValidateJson(text, {.max_bytes = text.size()}).ok()) {
    return std::string(text);
  }
  std::string out;
  AppendAnyValueJson(any_value, &out);
  return out;
}

}  // namespace assay::trace
