// Writes a JSON object from left to right.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_JSON_OBJECT_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_JSON_OBJECT_H_

#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

#include "common/json/json_reader.h"

namespace assay::judge {

// Not thread-safe. Keys are not checked for repetition.
class JsonObject {
 public:
  void String(std::string_view key, std::string_view value) {
    Key(key);
    json::AppendJsonString(value, &text_);
  }
  // `value` is JSON already.
  void Raw(std::string_view key, std::string_view value) {
    Key(key);
    text_.append(value);
  }
  // Whole numbers without a fraction, as integer parameters want them. `value` is finite.
  void Number(std::string_view key, double value) {
    Key(key);
    std::array<char, 64> buffer;
    const bool whole = std::abs(value) < 1e15 && value == std::floor(value);
    const std::to_chars_result end =
        whole ? std::to_chars(buffer.data(), buffer.data() + buffer.size(),
                              static_cast<long long>(value))  // NOLINT: what to_chars takes.
              : std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
    text_.append(buffer.data(), end.ptr);
  }
  std::string Finish() && {
    text_.push_back('}');
    return std::move(text_);
  }

 private:
  void Key(std::string_view key) {
    if (text_.size() > 1) text_.push_back(',');
    json::AppendJsonString(key, &text_);
    text_.push_back(':');
  }

  std::string text_ = "{";
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_JSON_OBJECT_H_
