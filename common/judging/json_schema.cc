#include "common/judging/json_schema.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "common/json/canonical.h"
#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::judging {

namespace {

using json::Node;

constexpr int kMaxDepth = 300;  // Above the 100 levels that a value may have.
constexpr int kMaxSteps = 2'000'000;
constexpr size_t kMaxPatternBytes = 4'096;
constexpr size_t kShownChars = 100;

// What the value of a keyword has to be.
enum class Form {
  kAnything,
  kSchema,
  kSchemas,
  kNamedSchemas,
  kNamedTexts,
  kTexts,
  kTypes,
  kCount,
  kNumber,
  kPositive,
  kBool,
  kPattern,
  kPatternSchemas,
  kReference,
  kList
};

struct Keyword {
  std::string_view name;
  Form form;
};

constexpr Keyword kKeywords[] = {
    {"$schema", Form::kAnything},
    {"$id", Form::kAnything},
    {"$comment", Form::kAnything},
    {"title", Form::kAnything},
    {"description", Form::kAnything},
    {"default", Form::kAnything},
    {"examples", Form::kAnything},
    {"deprecated", Form::kAnything},
    {"readOnly", Form::kAnything},
    {"writeOnly", Form::kAnything},
    {"format", Form::kAnything},
    {"$defs", Form::kNamedSchemas},
    {"definitions", Form::kNamedSchemas},
    {"$ref", Form::kReference},
    {"type", Form::kTypes},
    {"enum", Form::kList},
    {"const", Form::kAnything},
    {"allOf", Form::kSchemas},
    {"anyOf", Form::kSchemas},
    {"oneOf", Form::kSchemas},
    {"not", Form::kSchema},
    {"if", Form::kSchema},
    {"then", Form::kSchema},
    {"else", Form::kSchema},
    {"properties", Form::kNamedSchemas},
    {"patternProperties", Form::kPatternSchemas},
    {"additionalProperties", Form::kSchema},
    {"propertyNames", Form::kSchema},
    {"required", Form::kTexts},
    {"dependentRequired", Form::kNamedTexts},
    {"minProperties", Form::kCount},
    {"maxProperties", Form::kCount},
    {"prefixItems", Form::kSchemas},
    {"items", Form::kSchema},
    {"contains", Form::kSchema},
    {"minItems", Form::kCount},
    {"maxItems", Form::kCount},
    {"uniqueItems", Form::kBool},
    {"minLength", Form::kCount},
    {"maxLength", Form::kCount},
    {"pattern", Form::kPattern},
    {"minimum", Form::kNumber},
    {"maximum", Form::kNumber},
    {"exclusiveMinimum", Form::kNumber},
    {"exclusiveMaximum", Form::kNumber},
    {"multipleOf", Form::kPositive},
};

std::string Shown(const Node& value) { return json::PreviewOf(value.ToJson(), kShownChars); }

std::string Key(const Node& value) {
  absl::StatusOr<std::string> key = json::CanonicalJson(value.ToJson());
  return key.ok() ? *std::move(key) : value.ToJson();
}

// One step of a JSON pointer.
std::string Pointer(std::string_view path, std::string_view name) {
  std::string pointer(path);
  pointer += '/';
  for (const char c : name) pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return pointer;
}

bool IsWhole(const Node& value) {
  if (value.AsInt64().has_value()) return true;
  const std::optional<double> number = value.AsDouble();
  return number.has_value() && std::floor(*number) == *number;
}

bool HasType(const Node& value, std::string_view type) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_bool();
  if (type == "number") return value.is_number();
  if (type == "integer") return value.is_number() && IsWhole(value);
  if (type == "string") return value.is_string();
  if (type == "array") return value.is_array();
  return type == "object" && value.is_object();
}

bool IsTypeName(const Node& name) {
  static constexpr std::string_view kTypes[] = {"null",   "boolean", "number", "integer",
                                                "string", "array",   "object"};
  return name.is_string() && std::find(std::begin(kTypes), std::end(kTypes),
                                       std::string_view(name.text)) != std::end(kTypes);
}

// What `#`, `#/$defs/name` or `#/definitions/name` refers to; null if there is nothing.
const Node* Refer(const Node& root, std::string_view reference) {
  if (reference == "#") return &root;
  for (const std::string_view holder : {"$defs", "definitions"}) {
    const std::string prefix = StrCat("#/", holder, "/");
    if (reference.substr(0, prefix.size()) != prefix) continue;
    const Node* definitions = root.Find(holder);
    return definitions == nullptr ? nullptr : definitions->Find(reference.substr(prefix.size()));
  }
  return nullptr;
}

}  // namespace

// Checks the schema itself, and compiles its expressions.
class JsonSchemaCompiler {
 public:
  JsonSchemaCompiler(std::string_view field, JsonSchema* schema)
      : field_(field), schema_(*schema) {}

  absl::Status Compile(const Node& schema, const std::string& path) {
    if (schema.is_bool()) return absl::OkStatus();
    if (!schema.is_object()) return Invalid(path, "must be an object, true or false");
    for (const Node& member : schema.children) {
      const Keyword* keyword = std::find_if(
          std::begin(kKeywords), std::end(kKeywords),
          [&](const Keyword& known) { return known.name == std::string_view(member.key); });
      const std::string where = Pointer(path, member.key);
      if (keyword == std::end(kKeywords)) {
        return Invalid(where,
                       "is a keyword outside of the vocabulary of docs/judges/json_schema.md");
      }
      ASSAY_RETURN_IF_ERROR(CheckValue(keyword->form, member, where));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Invalid(std::string_view path, std::string_view why) const {
    return InvalidField(field_, StrCat("`", json::PreviewOf(path, 200), "` ", why),
                        "INVALID_JSON_SCHEMA");
  }

  absl::Status CheckValue(Form form, const Node& value, const std::string& path) {
    switch (form) {
      case Form::kAnything:
        return absl::OkStatus();
      case Form::kSchema:
        return Compile(value, path);
      case Form::kSchemas:
        if (!value.is_array() || value.children.empty()) {
          return Invalid(path, "must be a list of schemas");
        }
        for (size_t i = 0; i < value.children.size(); ++i) {
          ASSAY_RETURN_IF_ERROR(Compile(value.children[i], Pointer(path, StrCat(i))));
        }
        return absl::OkStatus();
      case Form::kNamedSchemas:
      case Form::kPatternSchemas:
        if (!value.is_object()) return Invalid(path, "must be an object of schemas");
        for (const Node& child : value.children) {
          const std::string where = Pointer(path, child.key);
          if (form == Form::kPatternSchemas) {
            ASSAY_RETURN_IF_ERROR(CompileExpression(child.key, where));
          }
          ASSAY_RETURN_IF_ERROR(Compile(child, where));
        }
        return absl::OkStatus();
      case Form::kNamedTexts:
        if (!value.is_object()) return Invalid(path, "must be an object of lists of names");
        for (const Node& child : value.children) {
          ASSAY_RETURN_IF_ERROR(CheckTexts(child, Pointer(path, child.key)));
        }
        return absl::OkStatus();
      case Form::kTexts:
        return CheckTexts(value, path);
      case Form::kTypes:
        return CheckTypes(value, path);
      case Form::kList:
        if (value.is_array() && !value.children.empty()) return absl::OkStatus();
        return Invalid(path, "must be a list that is not empty");
      case Form::kBool:
        if (value.is_bool()) return absl::OkStatus();
        return Invalid(path, "must be true or false");
      case Form::kPattern:
        if (!value.is_string()) return Invalid(path, "must be a text");
        return CompileExpression(value.text, path);
      case Form::kReference:
        if (value.is_string() && Refer(*schema_.root_, value.text) != nullptr) {
          return absl::OkStatus();
        }
        return Invalid(path, "must be `#`, or `#/$defs/NAME` of a definition in this schema");
      default:
        return CheckNumber(form, value, path);
    }
  }

  absl::Status CheckNumber(Form form, const Node& value, const std::string& path) const {
    if (form == Form::kCount) {
      const std::optional<int64_t> count = value.is_number() ? value.AsInt64() : std::nullopt;
      if (count.has_value() && *count >= 0) return absl::OkStatus();
      return Invalid(path, "must be a whole number of at least 0");
    }
    const std::optional<double> number = value.is_number() ? value.AsDouble() : std::nullopt;
    if (!number.has_value()) return Invalid(path, "must be a number");
    if (form == Form::kPositive && *number <= 0) return Invalid(path, "must be above 0");
    return absl::OkStatus();
  }

  absl::Status CheckTexts(const Node& value, const std::string& path) const {
    const bool texts =
        value.is_array() && std::all_of(value.children.begin(), value.children.end(),
                                        [](const Node& child) { return child.is_string(); });
    return texts ? absl::OkStatus() : Invalid(path, "must be a list of texts");
  }

  absl::Status CheckTypes(const Node& value, const std::string& path) const {
    if (IsTypeName(value)) return absl::OkStatus();
    if (value.is_array() && !value.children.empty() &&
        std::all_of(value.children.begin(), value.children.end(), IsTypeName)) {
      return absl::OkStatus();
    }
    return Invalid(path,
                   "must be null, boolean, number, integer, string, array or object, or a list of "
                   "these");
  }

  absl::Status CompileExpression(const std::string& pattern, const std::string& path) {
    if (schema_.expressions_.contains(pattern)) return absl::OkStatus();
    if (pattern.size() > kMaxPatternBytes) return Invalid(path, "must have at most 4,096 bytes");
    RE2::Options options(RE2::Quiet);
    auto expression = std::make_shared<const RE2>(pattern, options);
    if (!expression->ok()) {
      return Invalid(path, StrCat("is no expression in RE2's syntax: ", expression->error()));
    }
    schema_.expressions_.emplace(pattern, std::move(expression));
    return absl::OkStatus();
  }

  const std::string_view field_;
  JsonSchema& schema_;
};

// One check of one value.
class JsonSchemaRun {
 public:
  using Violation = JsonSchema::Violation;
  using Result = std::optional<Violation>;

  explicit JsonSchemaRun(const JsonSchema& schema) : schema_(schema) {}

  Result Check(const Node& schema, const Node& value, const std::string& path, int depth) {
    if (depth > kMaxDepth || ++steps_ > kMaxSteps) {
      return TooManySteps(path);
    }
    if (schema.is_bool()) {
      if (schema.boolean) return std::nullopt;
      return Violation{path, "false", "nothing is allowed here"};
    }
    if (const Node* reference = schema.Find("$ref")) {
      const Node* target = Refer(*schema_.root_, reference->text);
      if (Result found = Check(*target, value, path, depth + 1)) return found;
    }
    if (Result found = CheckAnyValue(schema, value, path)) return found;
    if (value.is_number()) {
      if (Result found = CheckNumber(schema, value, path)) return found;
    } else if (value.is_string()) {
      if (Result found = CheckString(schema, value, path)) return found;
    } else if (value.is_array()) {
      if (Result found = CheckArray(schema, value, path, depth)) return found;
    } else if (value.is_object()) {
      if (Result found = CheckObject(schema, value, path, depth)) return found;
    }
    return CheckCombinations(schema, value, path, depth);
  }

 private:
  static Violation TooManySteps(const std::string& path) {
    return {path, "$ref", "the schema takes too many steps to check this"};
  }

  static Result CheckAnyValue(const Node& schema, const Node& value, const std::string& path) {
    if (const Node* type = schema.Find("type")) {
      const bool has = type->is_string()
                           ? HasType(value, type->text)
                           : std::any_of(type->children.begin(), type->children.end(),
                                         [&](const Node& one) { return HasType(value, one.text); });
      if (!has) {
        return Violation{path, "type", StrCat(Shown(value), " is not of type ", Shown(*type))};
      }
    }
    if (const Node* allowed = schema.Find("const"); allowed != nullptr) {
      if (Key(*allowed) != Key(value)) {
        return Violation{path, "const", StrCat(Shown(value), " is not ", Shown(*allowed))};
      }
    }
    if (const Node* allowed = schema.Find("enum")) {
      const std::string key = Key(value);
      if (std::none_of(allowed->children.begin(), allowed->children.end(),
                       [&](const Node& one) { return Key(one) == key; })) {
        return Violation{path, "enum", StrCat(Shown(value), " is none of ", Shown(*allowed))};
      }
    }
    return std::nullopt;
  }

  static Result CheckNumber(const Node& schema, const Node& value, const std::string& path) {
    const double number = value.AsDouble().value_or(0);
    const auto bound = [&](std::string_view keyword) -> std::optional<double> {
      const Node* node = schema.Find(keyword);
      return node == nullptr ? std::nullopt : node->AsDouble();
    };
    const auto violation = [&](std::string_view keyword, std::string_view what) {
      return Violation{path, std::string(keyword),
                       StrCat(Shown(value), what, Shown(*schema.Find(keyword)))};
    };
    if (const auto least = bound("minimum"); least.has_value() && number < *least) {
      return violation("minimum", " is less than ");
    }
    if (const auto most = bound("maximum"); most.has_value() && number > *most) {
      return violation("maximum", " is more than ");
    }
    if (const auto low = bound("exclusiveMinimum"); low.has_value() && number <= *low) {
      return violation("exclusiveMinimum", " is not more than ");
    }
    if (const auto high = bound("exclusiveMaximum"); high.has_value() && number >= *high) {
      return violation("exclusiveMaximum", " is not less than ");
    }
    if (const auto unit = bound("multipleOf")) {
      const double count = number / *unit;
      if (std::abs(count - std::round(count)) > 1e-9 * std::max(1.0, std::abs(count))) {
        return violation("multipleOf", " is no multiple of ");
      }
    }
    return std::nullopt;
  }

  // The bounds of how many characters, items or members there are.
  static Result CheckCount(const Node& schema, size_t count, std::string_view least,
                           std::string_view most, std::string_view what, const std::string& path) {
    const auto bound = [&](std::string_view keyword, int64_t otherwise) {
      const Node* node = schema.Find(keyword);
      return node == nullptr ? otherwise : node->AsInt64().value_or(otherwise);
    };
    const auto number = static_cast<int64_t>(count);
    if (number < bound(least, 0)) {
      return Violation{
          path, std::string(least),
          StrCat("has ", count, " ", what, ", at least ", bound(least, 0), " are needed")};
    }
    if (number > bound(most, INT64_MAX)) {
      return Violation{
          path, std::string(most),
          StrCat("has ", count, " ", what, ", at most ", bound(most, 0), " are allowed")};
    }
    return std::nullopt;
  }

  Result CheckString(const Node& schema, const Node& value, const std::string& path) const {
    if (Result found = CheckCount(schema, json::CountChars(value.text), "minLength", "maxLength",
                                  "characters", path)) {
      return found;
    }
    const Node* pattern = schema.Find("pattern");
    if (pattern == nullptr || Matches(pattern->text, value.text)) return std::nullopt;
    return Violation{path, "pattern", StrCat(Shown(value), " does not match ", Shown(*pattern))};
  }

  Result CheckArray(const Node& schema, const Node& value, const std::string& path, int depth) {
    if (Result found =
            CheckCount(schema, value.children.size(), "minItems", "maxItems", "items", path)) {
      return found;
    }
    const Node* prefix = schema.Find("prefixItems");
    const Node* items = schema.Find("items");
    const size_t named = prefix == nullptr ? 0 : prefix->children.size();
    for (size_t i = 0; i < value.children.size(); ++i) {
      const Node* rule = i < named ? &prefix->children[i] : items;
      if (rule == nullptr) continue;
      if (Result found = Check(*rule, value.children[i], Pointer(path, StrCat(i)), depth + 1)) {
        return found;
      }
    }
    const Node* unique = schema.Find("uniqueItems");
    if (unique != nullptr && unique->boolean) {
      std::set<std::string> seen;
      for (const Node& item : value.children) {
        if (!seen.insert(Key(item)).second) {
          return Violation{path, "uniqueItems", StrCat("holds ", Shown(item), " twice")};
        }
      }
    }
    const Node* contains = schema.Find("contains");
    if (contains == nullptr ||
        std::any_of(value.children.begin(), value.children.end(), [&](const Node& item) {
          return !Check(*contains, item, path, depth + 1).has_value();
        })) {
      return std::nullopt;
    }
    return Violation{path, "contains", "holds no item of the kind that is needed"};
  }

  Result CheckObject(const Node& schema, const Node& value, const std::string& path, int depth) {
    if (Result found = CheckCount(schema, value.children.size(), "minProperties", "maxProperties",
                                  "members", path)) {
      return found;
    }
    if (const Node* required = schema.Find("required")) {
      if (Result found = CheckPresent(*required, "required", value, path)) return found;
    }
    if (const Node* dependent = schema.Find("dependentRequired")) {
      for (const Node& names : dependent->children) {
        if (value.Find(names.key) == nullptr) continue;
        if (Result found = CheckPresent(names, "dependentRequired", value, path)) return found;
      }
    }
    const Node* names = schema.Find("propertyNames");
    for (const Node& member : value.children) {
      if (names != nullptr) {
        Node name;
        name.kind = Node::Kind::kString;
        name.text = member.key;
        if (Result found = Check(*names, name, Pointer(path, member.key), depth + 1)) return found;
      }
      if (Result found = CheckMember(schema, member, path, depth)) return found;
    }
    return std::nullopt;
  }

  static Result CheckPresent(const Node& names, std::string_view keyword, const Node& value,
                             const std::string& path) {
    std::set<std::string_view> present;
    for (const Node& member : value.children) present.insert(member.key);
    for (const Node& name : names.children) {
      if (!present.contains(name.text)) {
        return Violation{path, std::string(keyword), StrCat("lacks ", Shown(name))};
      }
    }
    return std::nullopt;
  }

  Result CheckMember(const Node& schema, const Node& member, const std::string& path, int depth) {
    const std::string where = Pointer(path, member.key);
    bool known = false;
    const Node* properties = schema.Find("properties");
    // Looking a name up takes as many comparisons as there are names.
    if (properties != nullptr) steps_ += static_cast<int>(properties->children.size() / 16);
    if (steps_ > kMaxSteps) return TooManySteps(path);
    if (const Node* rule = properties == nullptr ? nullptr : properties->Find(member.key)) {
      known = true;
      if (Result found = Check(*rule, member, where, depth + 1)) return found;
    }
    if (const Node* patterns = schema.Find("patternProperties")) {
      for (const Node& rule : patterns->children) {
        if (!Matches(rule.key, member.key)) continue;
        known = true;
        if (Result found = Check(rule, member, where, depth + 1)) return found;
      }
    }
    const Node* others = schema.Find("additionalProperties");
    if (known || others == nullptr) return std::nullopt;
    if (others->is_bool() && !others->boolean) {
      return Violation{where, "additionalProperties", "is a member that is not allowed"};
    }
    return Check(*others, member, where, depth + 1);
  }

  Result CheckCombinations(const Node& schema, const Node& value, const std::string& path,
                           int depth) {
    const auto obeys = [&](const Node& rule) {
      return !Check(rule, value, path, depth + 1).has_value();
    };
    if (const Node* all = schema.Find("allOf")) {
      for (const Node& rule : all->children) {
        if (Result found = Check(rule, value, path, depth + 1)) return found;
      }
    }
    if (const Node* any = schema.Find("anyOf")) {
      if (std::none_of(any->children.begin(), any->children.end(), obeys)) {
        return Violation{path, "anyOf", StrCat(Shown(value), " obeys none of the alternatives")};
      }
    }
    if (const Node* one = schema.Find("oneOf")) {
      const auto count = std::count_if(one->children.begin(), one->children.end(), obeys);
      if (count != 1) {
        return Violation{path, "oneOf",
                         StrCat(Shown(value), " obeys ", count, " of the alternatives, not one")};
      }
    }
    if (const Node* never = schema.Find("not"); never != nullptr && obeys(*never)) {
      return Violation{path, "not", StrCat(Shown(value), " is what is not allowed")};
    }
    if (const Node* condition = schema.Find("if")) {
      const Node* rule = schema.Find(obeys(*condition) ? "then" : "else");
      if (rule != nullptr) return Check(*rule, value, path, depth + 1);
    }
    return std::nullopt;
  }

  bool Matches(const std::string& pattern, const std::string& text) const {
    const auto found = schema_.expressions_.find(pattern);
    return found != schema_.expressions_.end() && RE2::PartialMatch(text, *found->second);
  }

  const JsonSchema& schema_;
  int steps_ = 0;
};

absl::StatusOr<JsonSchema> JsonSchema::Compile(std::string_view schema, std::string_view field) {
  if (schema.size() > kMaxJsonSchemaBytes) {
    return InvalidField(field, "must have at most 64 KiB", "INVALID_JSON_SCHEMA");
  }
  absl::StatusOr<Node> root = json::ParseJson(schema);
  if (!root.ok()) {
    return InvalidField(field, StrCat("is no JSON: ", ToStd(root.status().message())),
                        "INVALID_JSON_SCHEMA");
  }
  JsonSchema compiled;
  compiled.root_ = std::make_shared<const Node>(*std::move(root));
  ASSAY_RETURN_IF_ERROR(JsonSchemaCompiler(field, &compiled).Compile(*compiled.root_, ""));
  return compiled;
}

bool JsonSchema::TakesTexts() const {
  static constexpr std::string_view kSaysWhat[] = {"type", "enum", "const"};
  static constexpr std::string_view kOfOthers[] = {
      "properties",    "patternProperties", "additionalProperties",
      "propertyNames", "required",          "minProperties",
      "maxProperties", "dependentRequired", "prefixItems",
      "items",         "contains",          "minItems",
      "maxItems",      "uniqueItems"};
  const auto has = [this](std::string_view keyword) { return root_->Find(keyword) != nullptr; };
  return std::any_of(std::begin(kSaysWhat), std::end(kSaysWhat), has) ||
         std::none_of(std::begin(kOfOthers), std::end(kOfOthers), has);
}

std::optional<JsonSchema::Violation> JsonSchema::Check(const Node& value) const {
  JsonSchemaRun run(*this);
  return run.Check(*root_, value, "", 0);
}

}  // namespace assay::judging
