#include "common/json/json_value.h"

#include <google/protobuf/struct.pb.h>

#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <utility>

#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::json {
namespace {

using ProtoValue = google::protobuf::Value;

absl::Status Refuse(std::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, "INVALID_JSON", what);
}

absl::Status AppendNumber(double number, std::string* out) {
  if (!std::isfinite(number)) return Refuse("NaN and infinity are not JSON numbers");
  constexpr double kExact = 9007199254740992.0;  // 2^53
  std::array<char, 40> text{};
  const bool whole = number == std::trunc(number) && std::fabs(number) <= kExact;
  const auto end =
      whole ? std::to_chars(text.data(), text.data() + text.size(), static_cast<int64_t>(number))
            : std::to_chars(text.data(), text.data() + text.size(), number);
  out->append(text.data(), end.ptr);
  return absl::OkStatus();
}

absl::Status AppendValue(const ProtoValue& value, int depth, std::string* out);

absl::Status AppendStruct(const google::protobuf::Struct& object, int depth, std::string* out) {
  // The map's own order differs from run to run.
  std::map<std::string_view, const ProtoValue*> sorted;
  for (const auto& [key, member] : object.fields()) sorted.emplace(key, &member);
  *out += '{';
  bool first = true;
  for (const auto& [key, member] : sorted) {
    if (!std::exchange(first, false)) *out += ',';
    AppendJsonString(key, out);
    *out += ':';
    ASSAY_RETURN_IF_ERROR(AppendValue(*member, depth, out));
  }
  *out += '}';
  return absl::OkStatus();
}

absl::Status AppendList(const google::protobuf::ListValue& list, int depth, std::string* out) {
  *out += '[';
  bool first = true;
  for (const ProtoValue& item : list.values()) {
    if (!std::exchange(first, false)) *out += ',';
    ASSAY_RETURN_IF_ERROR(AppendValue(item, depth, out));
  }
  *out += ']';
  return absl::OkStatus();
}

// `depth` is how many more levels may be opened.
absl::Status AppendValue(const ProtoValue& value, int depth, std::string* out) {
  switch (value.kind_case()) {
    case ProtoValue::kNumberValue:
      return AppendNumber(value.number_value(), out);
    case ProtoValue::kStringValue:
      AppendJsonString(value.string_value(), out);
      return absl::OkStatus();
    case ProtoValue::kBoolValue:
      *out += value.bool_value() ? "true" : "false";
      return absl::OkStatus();
    case ProtoValue::kStructValue:
      if (depth <= 0) return Refuse("the value is nested too deeply");
      return AppendStruct(value.struct_value(), depth - 1, out);
    case ProtoValue::kListValue:
      if (depth <= 0) return Refuse("the value is nested too deeply");
      return AppendList(value.list_value(), depth - 1, out);
    case ProtoValue::kNullValue:
    case ProtoValue::KIND_NOT_SET:
      *out += "null";
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status NameField(std::string_view field, const absl::Status& status) {
  return status.ok() ? status : InvalidField(field, ToStd(status.message()), "INVALID_JSON");
}

}  // namespace

absl::StatusOr<std::string> JsonText(const common::v1::JsonValue& value, std::string_view field,
                                     const ParseLimits& limits) {
  switch (value.kind_case()) {
    case common::v1::JsonValue::kValue: {
      std::string text;
      ASSAY_RETURN_IF_ERROR(NameField(field, AppendValue(value.value(), limits.max_depth, &text)));
      if (text.size() > limits.max_bytes) {
        return InvalidField(field,
                            StrCat("is ", text.size(), " bytes as JSON, at most ", limits.max_bytes,
                                   " are allowed"),
                            "INVALID_JSON");
      }
      return text;
    }
    case common::v1::JsonValue::kJsonText:
      ASSAY_RETURN_IF_ERROR(NameField(field, ValidateJson(value.json_text(), limits)));
      return value.json_text();
    case common::v1::JsonValue::KIND_NOT_SET:
      break;
  }
  return InvalidField(field, "is empty: set value or json_text", "INVALID_JSON");
}

common::v1::JsonValue JsonFromText(std::string json_text) {
  common::v1::JsonValue value;
  value.set_json_text(std::move(json_text));
  return value;
}

common::v1::JsonValue JsonFromString(std::string_view plain) {
  return JsonFromText(JsonString(plain));
}

}  // namespace assay::json
