// A JSON document in memory, and small things done with one.
#ifndef ASSAY_COMMON_JSON_SAFE_JSON_H_
#define ASSAY_COMMON_JSON_SAFE_JSON_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/json/json_reader.h"

namespace assay::json {

// One value. Keeps the order of keys and the text of numbers. A plain value type: safe to read from
// many threads, not to write.
struct Node {
  enum class Kind : uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };

  Kind kind = Kind::kNull;
  bool boolean = false;
  std::string key;             // Its name, where it is a member of an object.
  std::string text;            // kString: the unescaped value; kNumber: the token as written.
  std::vector<Node> children;  // kArray: items; kObject: members.

  bool is_null() const { return kind == Kind::kNull; }
  bool is_bool() const { return kind == Kind::kBool; }
  bool is_number() const { return kind == Kind::kNumber; }
  bool is_string() const { return kind == Kind::kString; }
  bool is_array() const { return kind == Kind::kArray; }
  bool is_object() const { return kind == Kind::kObject; }

  // The member of that name; null if this is no object or has none.
  const Node* Find(std::string_view member) const;
  // The number if it is one, is whole and fits.
  std::optional<int64_t> AsInt64() const;
  // The number if it is one and finite as a double.
  std::optional<double> AsDouble() const;
  std::optional<bool> AsBool() const;
  std::optional<std::string_view> AsString() const;

  // Compact JSON text; numbers as they were written.
  std::string ToJson() const;
};

// Parses under ReadJson's rules. Errors: INVALID_ARGUMENT, reason INVALID_JSON.
absl::StatusOr<Node> ParseJson(std::string_view text, const ParseLimits& limits = {});

// The value at `path` ("outputs.choices[0].message", "messages[-1].content", "tags.`my key`"; "" is
// the whole document): strings unescaped and without quotes, all else as compact JSON (null is
// "null"). nullopt if there is nothing at the path. Errors: INVALID_ARGUMENT, reason INVALID_JSON
// or INVALID_JSON_PATH.
absl::StatusOr<std::optional<std::string>> JsonPathText(std::string_view json_text,
                                                        std::string_view path);
// The same on a parsed document; null if there is nothing at the path.
absl::StatusOr<const Node*> JsonPathFind(const Node& root, std::string_view path);

// The document over several lines, indented by two spaces, key order and numbers as written.
absl::StatusOr<std::string> PrettyJson(std::string_view json_text);

}  // namespace assay::json

#endif  // ASSAY_COMMON_JSON_SAFE_JSON_H_
