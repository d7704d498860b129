// Whether a JSON value obeys a JSON Schema, in the vocabulary of docs/judges/json_schema.md.
#ifndef ASSAY_COMMON_JUDGING_JSON_SCHEMA_H_
#define ASSAY_COMMON_JUDGING_JSON_SCHEMA_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/json/safe_json.h"
#include "re2/re2.h"

namespace assay::judging {

inline constexpr size_t kMaxJsonSchemaBytes = 64 * 1024;

// Immutable. Safe to use from many threads; copies share the compiled expressions.
class JsonSchema {
 public:
  struct Violation {
    std::string path;     // A JSON pointer into the value, such as `/items/0/price`; "" is itself.
    std::string keyword;  // Of the schema, such as `required`.
    std::string message;  // What is wrong and what is allowed.
  };

  // Errors: INVALID_ARGUMENT about `field`, reason INVALID_JSON_SCHEMA: no JSON, too large, a
  // keyword or reference that is not in the vocabulary, a keyword's value that makes no sense.
  static absl::StatusOr<JsonSchema> Compile(std::string_view schema, std::string_view field);

  // Whether a text that is no JSON may be meant: not if the schema says nothing of the type, and
  // speaks of the members of objects or the items of lists.
  bool TakesTexts() const;

  // The first violation, or nullopt. Bounded: a schema that takes too many steps on `value`, or
  // refers to itself without an end, is a violation with the keyword `$ref`.
  std::optional<Violation> Check(const json::Node& value) const;

 private:
  friend class JsonSchemaCompiler;
  friend class JsonSchemaRun;

  std::shared_ptr<const json::Node> root_;
  std::map<std::string, std::shared_ptr<const RE2>, std::less<>> expressions_;
};

}  // namespace assay::judging

#endif  // ASSAY_COMMON_JUDGING_JSON_SCHEMA_H_
