// Strict, bounded reading of JSON that nobody vouches for.
#ifndef ASSAY_COMMON_JSON_JSON_READER_H_
#define ASSAY_COMMON_JSON_JSON_READER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace assay::json {

struct ParseLimits {
  size_t max_bytes = size_t{16} << 20;
  int max_depth = 100;            // Nested arrays and objects.
  size_t max_values = 1'000'000;  // Values in all, keys not counted.
};

// Receives the parts of a document in order. A status that is not OK ends the reading.
class JsonHandler {
 public:
  virtual ~JsonHandler() = default;
  virtual absl::Status OnNull() = 0;
  virtual absl::Status OnBool(bool value) = 0;
  virtual absl::Status OnNumber(std::string_view token) = 0;  // As it is written.
  virtual absl::Status OnString(std::string value) = 0;       // Unescaped.
  virtual absl::Status OnStartObject() = 0;
  virtual absl::Status OnKey(std::string key) = 0;  // Unescaped.
  virtual absl::Status OnEndObject() = 0;
  virtual absl::Status OnStartArray() = 0;
  virtual absl::Status OnEndArray() = 0;
};

// Reads exactly one RFC 8259 document. Refuses, beyond bad grammar: invalid UTF-8, escapes of lone
// surrogates, a key that occurs twice in one object, and what exceeds `limits`. Errors are
// INVALID_ARGUMENT, reason INVALID_JSON, and name the byte (from 0). Thread-safe; throws nothing.
absl::Status ReadJson(std::string_view text, JsonHandler& handler, const ParseLimits& limits = {});

// ReadJson that only checks; keeps nothing in memory but the keys of objects that are open.
absl::Status ValidateJson(std::string_view text, const ParseLimits& limits = {});

// Appends `value` as a JSON string with its quotes: only `"`, `\` and control characters are
// escaped. Malformed UTF-8 is replaced by U+FFFD.
void AppendJsonString(std::string_view value, std::string* out);
std::string JsonString(std::string_view value);

}  // namespace assay::json

#endif  // ASSAY_COMMON_JSON_JSON_READER_H_
