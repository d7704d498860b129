#include "services/judge/clients/gemini_schema.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "common/json/safe_json.h"
#include "services/judge/clients/json_object.h"
#include "services/judge/clients/wire_json.h"

namespace assay::judge {
namespace {

std::optional<std::string> Convert(const json::Node& schema);

bool AllStrings(const json::Node& list) {
  return list.is_array() && !list.children.empty() &&
         std::all_of(list.children.begin(), list.children.end(),
                     [](const json::Node& value) { return value.is_string(); });
}

// "string", or ["string", "null"].
void AppendType(const json::Node& type, JsonObject* out) {
  std::string name = TextOf(&type);
  bool nullable = false;
  for (const json::Node& one : type.children) {
    if (TextOf(&one) == "null") {
      nullable = true;
    } else if (name.empty()) {
      name = TextOf(&one);
    }
  }
  if (!name.empty()) out->String("type", absl::AsciiStrToUpper(name));
  if (nullable) out->Raw("nullable", "true");
}

bool AppendProperties(const json::Node& properties, JsonObject* out) {
  JsonObject converted;
  std::vector<std::string> order;
  for (const json::Node& property : properties.children) {
    const std::optional<std::string> one = Convert(property);
    if (!one.has_value()) return false;
    converted.Raw(property.key, *one);
    order.push_back(json::JsonString(property.key));
  }
  if (order.empty()) return true;
  out->Raw("properties", std::move(converted).Finish());
  out->Raw("propertyOrdering", JsonList(order));
  return true;
}

bool AppendAlternatives(const json::Node& alternatives, JsonObject* out) {
  std::vector<std::string> converted;
  for (const json::Node& alternative : alternatives.children) {
    const std::optional<std::string> one = Convert(alternative);
    if (!one.has_value()) return false;
    converted.push_back(*one);
  }
  out->Raw("anyOf", JsonList(converted));
  return true;
}

std::optional<std::string> Convert(const json::Node& schema) {
  if (!schema.is_object() || schema.Find("$ref") != nullptr) return std::nullopt;
  JsonObject out;
  if (const json::Node* type = schema.Find("type")) AppendType(*type, &out);
  for (const char* name :
       {"format", "description", "minimum", "maximum", "minItems", "maxItems", "required"}) {
    if (const json::Node* value = schema.Find(name)) out.Raw(name, value->ToJson());
  }
  const json::Node* only = schema.Find("const");
  const json::Node* values = schema.Find("enum");
  if (only != nullptr && only->is_string()) {
    out.Raw("enum", JsonList({only->ToJson()}));
  } else if (values != nullptr && AllStrings(*values)) {
    out.Raw("enum", values->ToJson());
  }
  if (const json::Node* items = schema.Find("items"); items != nullptr && items->is_object()) {
    const std::optional<std::string> converted = Convert(*items);
    if (!converted.has_value()) return std::nullopt;
    out.Raw("items", *converted);
  }
  if (const json::Node* properties = schema.Find("properties")) {
    if (!AppendProperties(*properties, &out)) return std::nullopt;
  }
  for (const char* name : {"anyOf", "oneOf"}) {
    const json::Node* alternatives = schema.Find(name);
    if (alternatives == nullptr || !alternatives->is_array()) continue;
    if (!AppendAlternatives(*alternatives, &out)) return std::nullopt;
    break;
  }
  return std::move(out).Finish();
}

}  // namespace

std::optional<std::string> GeminiSchema(std::string_view json_schema) {
  const absl::StatusOr<json::Node> schema = json::ParseJson(json_schema);
  return schema.ok() ? Convert(*schema) : std::nullopt;
}

}  // namespace assay::judge
