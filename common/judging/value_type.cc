#include "common/judging/value_type.h"

#include <cmath>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "absl/strings/str_join.h"
#include "common/json/canonical.h"
#include "common/json/json_reader.h"
#include "common/json/safe_json.h"
#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/number_text.h"
#include "common/strings/strings.h"

namespace assay::judging {

namespace {

using common::v1::ValueType;

constexpr int kMaxCategories = 255;
constexpr size_t kMaxCategoryChars = 250;
constexpr std::string_view kReason = "INVALID_VALUE_TYPE";

absl::Status Invalid(std::string_view field, std::string_view description) {
  return InvalidField(field, description, kReason);
}

absl::Status ValidateCategories(const common::v1::CategoryType& type, std::string_view field) {
  const std::string path = StrCat(field, ".categories");
  if (type.categories_size() < 1 || type.categories_size() > kMaxCategories) {
    return Invalid(path, StrCat("needs 1 to 255 categories; there are ", type.categories_size()));
  }
  std::set<std::string_view> seen;
  for (int i = 0; i < type.categories_size(); ++i) {
    const std::string& category = type.categories(i);
    const std::string item = StrCat(path, "[", i, "]");
    if (category.empty() || json::CountChars(category) > kMaxCategoryChars) {
      return Invalid(item, "must have 1 to 250 characters");
    }
    if (!json::IsValidUtf8(category)) return Invalid(item, "must be UTF-8");
    if (!seen.insert(category).second) {
      return Invalid(item, StrCat("repeats the category `", category, "`"));
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateElement(const ValueType& type, std::string_view field) {
  if (type.has_list_type() || type.has_dictionary_type()) {
    return Invalid(field, "must be bool, integer, number, string or category");
  }
  return ValidateValueType(type, field);
}

bool ValidBound(double bound) { return std::isfinite(bound); }

absl::Status ValidateNumberType(const common::v1::NumberType& type, std::string_view field) {
  if ((type.has_minimum() && !ValidBound(type.minimum())) ||
      (type.has_maximum() && !ValidBound(type.maximum()))) {
    return Invalid(field, "bounds must be finite");
  }
  if (type.has_minimum() && type.has_maximum() && type.minimum() > type.maximum()) {
    return Invalid(field, "minimum must not be above maximum");
  }
  return absl::OkStatus();
}

std::string NumberText(int64_t number) { return StrCat(number); }

using ::assay::NumberText;

template <class Bounds>
std::string DescribeBounds(std::string_view what, const Bounds& type) {
  if (type.has_minimum() && type.has_maximum()) {
    return StrCat(what, " from ", NumberText(type.minimum()), " to ", NumberText(type.maximum()));
  }
  if (type.has_minimum()) return StrCat(what, " of at least ", NumberText(type.minimum()));
  if (type.has_maximum()) return StrCat(what, " of at most ", NumberText(type.maximum()));
  return std::string(what);
}

std::string DescribeNonNull(const ValueType& type) {
  switch (type.kind_case()) {
    case ValueType::kBoolType:
      return "true or false";
    case ValueType::kIntegerType:
      return DescribeBounds("a whole number", type.integer_type());
    case ValueType::kNumberType:
      return DescribeBounds("a number", type.number_type());
    case ValueType::kCategoryType: {
      std::vector<std::string> quoted;
      for (const std::string& category : type.category_type().categories()) {
        quoted.push_back(json::JsonString(category));
      }
      return StrCat("one of ", absl::StrJoin(quoted, ", "),
                    type.category_type().ordered() ? " (in order, the best first)" : "");
    }
    case ValueType::kListType:
      return StrCat("a list, each element ", DescribeValueType(type.list_type().element()));
    case ValueType::kDictionaryType:
      return StrCat("an object, each value ", DescribeValueType(type.dictionary_type().value()));
    case ValueType::kStringType:
    case ValueType::KIND_NOT_SET:
      return "a text";
  }
  return "a text";
}

bool WholeNumberWithin(const json::Node& node, const common::v1::IntegerType& type) {
  const std::optional<int64_t> value = node.is_number() ? node.AsInt64() : std::nullopt;
  return value.has_value() && (!type.has_minimum() || *value >= type.minimum()) &&
         (!type.has_maximum() || *value <= type.maximum());
}

bool NumberWithin(const json::Node& node, const common::v1::NumberType& type) {
  const std::optional<double> value = node.is_number() ? node.AsDouble() : std::nullopt;
  return value.has_value() && std::isfinite(*value) &&
         (!type.has_minimum() || *value >= type.minimum()) &&
         (!type.has_maximum() || *value <= type.maximum());
}

bool Allows(const ValueType& type, const json::Node& node) {
  if (node.is_null()) return type.nullable();
  switch (type.kind_case()) {
    case ValueType::kBoolType:
      return node.is_bool();
    case ValueType::kIntegerType:
      return WholeNumberWithin(node, type.integer_type());
    case ValueType::kNumberType:
      return NumberWithin(node, type.number_type());
    case ValueType::kCategoryType: {
      if (!node.is_string()) return false;
      for (const std::string& category : type.category_type().categories()) {
        if (category == node.text) return true;
      }
      return false;
    }
    case ValueType::kListType:
    case ValueType::kDictionaryType: {
      const bool list = type.has_list_type();
      if (list ? !node.is_array() : !node.is_object()) return false;
      const ValueType& element = list ? type.list_type().element() : type.dictionary_type().value();
      for (const json::Node& child : node.children) {
        if (!Allows(element, child)) return false;
      }
      return true;
    }
    case ValueType::kStringType:
    case ValueType::KIND_NOT_SET:
      return node.is_string();
  }
  return false;
}

template <class Bounds>
std::string NumberSchema(std::string_view name, const Bounds& type) {
  std::string schema = StrCat(R"({"type":")", name, "\"");
  if (type.has_minimum()) {
    StrAppend(&schema, R"(,"minimum":)", NumberText(type.minimum()));
  }
  if (type.has_maximum()) {
    StrAppend(&schema, R"(,"maximum":)", NumberText(type.maximum()));
  }
  return schema + "}";
}

std::string SchemaForNonNull(const ValueType& type) {
  switch (type.kind_case()) {
    case ValueType::kBoolType:
      return R"({"type":"boolean"})";
    case ValueType::kIntegerType:
      return NumberSchema("integer", type.integer_type());
    case ValueType::kNumberType:
      return NumberSchema("number", type.number_type());
    case ValueType::kCategoryType: {
      std::vector<std::string> quoted;
      for (const std::string& category : type.category_type().categories()) {
        quoted.push_back(json::JsonString(category));
      }
      return StrCat(R"({"type":"string","enum":[)", absl::StrJoin(quoted, ","), "]}");
    }
    case ValueType::kListType:
      return StrCat(R"({"type":"array","items":)", JsonSchemaFor(type.list_type().element()), "}");
    case ValueType::kDictionaryType:
      return StrCat(R"({"type":"object","additionalProperties":)",
                    JsonSchemaFor(type.dictionary_type().value()), "}");
    case ValueType::kStringType:
    case ValueType::KIND_NOT_SET:
      return R"({"type":"string"})";
  }
  return R"({"type":"string"})";
}

}  // namespace

absl::Status ValidateValueType(const ValueType& type, std::string_view field) {
  switch (type.kind_case()) {
    case ValueType::KIND_NOT_SET:
      return Invalid(field,
                     "needs exactly one kind: bool_type, integer_type, number_type, "
                     "string_type, category_type, list_type or dictionary_type");
    case ValueType::kIntegerType:
      if (type.integer_type().has_minimum() && type.integer_type().has_maximum() &&
          type.integer_type().minimum() > type.integer_type().maximum()) {
        return Invalid(StrCat(field, ".integer_type"), "minimum must not be above maximum");
      }
      return absl::OkStatus();
    case ValueType::kNumberType:
      return ValidateNumberType(type.number_type(), StrCat(field, ".number_type"));
    case ValueType::kCategoryType:
      return ValidateCategories(type.category_type(), StrCat(field, ".category_type"));
    case ValueType::kListType:
      return ValidateElement(type.list_type().element(), StrCat(field, ".list_type.element"));
    case ValueType::kDictionaryType:
      return ValidateElement(type.dictionary_type().value(),
                             StrCat(field, ".dictionary_type.value"));
    case ValueType::kBoolType:
    case ValueType::kStringType:
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status ValidateValue(const ValueType& type, std::string_view json_text,
                           std::string_view field) {
  const absl::StatusOr<json::Node> node = json::ParseJson(json_text);
  if (!node.ok()) return InvalidField(field, ToStd(node.status().message()), "INVALID_JSON");
  if (Allows(type, *node)) return absl::OkStatus();
  return InvalidField(field,
                      StrCat("is ", json::PreviewOf(json_text, 100), "; allowed is ",
                             json::PreviewOf(DescribeValueType(type), 1500)),
                      "VALUE_OUTSIDE_TYPE");
}

std::string DescribeValueType(const ValueType& type) {
  return StrCat(DescribeNonNull(type), type.nullable() ? ", or null" : "");
}

std::string JsonSchemaFor(const ValueType& type) {
  if (!type.nullable()) return SchemaForNonNull(type);
  return StrCat(R"({"anyOf":[)", SchemaForNonNull(type), R"(,{"type":"null"}]})");
}

std::string VerdictSchemaFor(const ValueType& type) {
  return StrCat(R"({"type":"object","properties":{"rationale":{"type":"string"},"result":)",
                JsonSchemaFor(type),
                R"(},"required":["rationale","result"],"additionalProperties":false})");
}

std::string ValueKey(std::string_view json_text) {
  absl::StatusOr<json::Node> node = json::ParseJson(json_text);
  if (!node.ok()) return std::string(json_text);
  if (node->is_string()) return node->text;
  absl::StatusOr<std::string> canonical = json::CanonicalJson(json_text);
  return canonical.ok() ? *std::move(canonical) : std::string(json_text);
}

}  // namespace assay::judging
