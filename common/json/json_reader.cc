#include "common/json/json_reader.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::json {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

void AppendCodePoint(uint32_t code, std::string* out) {
  if (code < 0x80) {
    out->push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out->push_back(static_cast<char>(0xC0 | (code >> 6)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else if (code < 0x10000) {
    out->push_back(static_cast<char>(0xE0 | (code >> 12)));
    out->push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else {
    out->push_back(static_cast<char>(0xF0 | (code >> 18)));
    out->push_back(static_cast<char>(0x80 | ((code >> 12) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
}

// A loop over one state: the open arrays and objects. No recursion, so depth costs no stack.
class Reader {
 public:
  Reader(std::string_view text, JsonHandler& handler, const ParseLimits& limits)
      : text_(text), handler_(handler), limits_(limits) {}

  absl::Status Read() {
    ASSAY_RETURN_IF_ERROR(ReadValue());
    while (!open_.empty()) ASSAY_RETURN_IF_ERROR(Continue());
    SkipSpace();
    if (at_ != text_.size()) return Refuse("text after the end of the value");
    return absl::OkStatus();
  }

 private:
  struct Container {
    bool object = false;
    bool empty = true;
    std::set<std::string, std::less<>> keys;
  };

  absl::Status Refuse(std::string_view what) const {
    return MakeError(absl::StatusCode::kInvalidArgument, "INVALID_JSON",
                     StrCat("invalid JSON at byte ", at_, ": ", what));
  }

  void SkipSpace() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  // Skips white space first; '\0' at the end.
  char Peek() {
    SkipSpace();
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  absl::Status Open(bool object) {
    if (open_.size() >= static_cast<size_t>(limits_.max_depth)) {
      return Refuse(StrCat("nested deeper than ", limits_.max_depth));
    }
    ++at_;
    open_.push_back({.object = object});
    return object ? handler_.OnStartObject() : handler_.OnStartArray();
  }

  absl::Status Close() {
    const bool object = open_.back().object;
    ++at_;
    open_.pop_back();
    return object ? handler_.OnEndObject() : handler_.OnEndArray();
  }

  // The next item or member of the innermost container, or its end.
  absl::Status Continue() {
    Container& container = open_.back();
    const char end = container.object ? '}' : ']';
    char next = Peek();
    if (next == end) return Close();
    if (!container.empty) {
      if (next != ',') return Refuse(StrCat("expected , or ", std::string(1, end)));
      ++at_;
      next = Peek();
    }
    container.empty = false;
    if (container.object) ASSAY_RETURN_IF_ERROR(ReadKey(container));
    return ReadValue();
  }

  absl::Status ReadKey(Container& container) {
    if (Peek() != '"') return Refuse("expected a key in double quotes");
    const size_t start = at_;
    std::string key;
    ASSAY_RETURN_IF_ERROR(ReadString(&key));
    if (!container.keys.insert(key).second) {
      at_ = start;
      return Refuse(StrCat("the key ", JsonString(PreviewOf(key, 60)), " occurs twice"));
    }
    if (Peek() != ':') return Refuse("expected : after a key");
    ++at_;
    return handler_.OnKey(std::move(key));
  }

  absl::Status ReadValue() {
    if (++values_ > limits_.max_values) {
      return Refuse(StrCat("more than ", limits_.max_values, " values"));
    }
    const char next = Peek();
    switch (next) {
      case '{':
        return Open(true);
      case '[':
        return Open(false);
      case '"': {
        std::string value;
        ASSAY_RETURN_IF_ERROR(ReadString(&value));
        return handler_.OnString(std::move(value));
      }
      case 't':
        ASSAY_RETURN_IF_ERROR(ReadWord("true"));
        return handler_.OnBool(true);
      case 'f':
        ASSAY_RETURN_IF_ERROR(ReadWord("false"));
        return handler_.OnBool(false);
      case 'n':
        ASSAY_RETURN_IF_ERROR(ReadWord("null"));
        return handler_.OnNull();
      default:
        if (next == '-' || IsDigit(next)) return ReadNumber();
        return Refuse(at_ == text_.size() ? "it ends too early" : "expected a value");
    }
  }

  absl::Status ReadWord(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return Refuse("expected a value");
    at_ += word.size();
    return absl::OkStatus();
  }

  // At least one digit.
  bool SkipDigits() {
    const size_t start = at_;
    while (at_ < text_.size() && IsDigit(text_[at_])) ++at_;
    return at_ > start;
  }

  bool SkipOneOf(std::string_view chars) {
    if (at_ >= text_.size() || chars.find(text_[at_]) == std::string_view::npos) return false;
    ++at_;
    return true;
  }

  absl::Status ReadNumber() {
    const size_t start = at_;
    SkipOneOf("-");
    if (!SkipOneOf("0") && !SkipDigits()) return Refuse("expected a digit");
    if (at_ < text_.size() && IsDigit(text_[at_])) return Refuse("a number with a leading zero");
    if (SkipOneOf(".") && !SkipDigits()) return Refuse("expected a digit after .");
    if (SkipOneOf("eE")) {
      SkipOneOf("+-");
      if (!SkipDigits()) return Refuse("expected a digit in the exponent");
    }
    return handler_.OnNumber(text_.substr(start, at_ - start));
  }

  absl::Status ReadString(std::string* out) {
    ++at_;
    size_t start = at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (static_cast<uint8_t>(c) < 0x20) return Refuse("a control character in a string");
      if (c != '"' && c != '\\') {
        ++at_;
        continue;
      }
      out->append(text_.substr(start, at_ - start));
      ++at_;
      if (c == '"') return absl::OkStatus();
      ASSAY_RETURN_IF_ERROR(ReadEscape(out));
      start = at_;
    }
    return Refuse("a string without its end");
  }

  absl::Status ReadEscape(std::string* out) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char letter = at_ < text_.size() ? text_[at_] : '\0';
    if (const size_t found = kLetters.find(letter); letter != '\0' && found != kLetters.npos) {
      ++at_;
      out->push_back(kMeanings[found]);
      return absl::OkStatus();
    }
    if (letter != 'u') return Refuse("an unknown escape");
    const std::optional<uint32_t> first = ReadHex();
    if (!first) return Refuse("expected four hex digits after \\u");
    uint32_t code = *first;
    if (code >= 0xD800 && code <= 0xDFFF) {
      const std::optional<uint32_t> second =
          code < 0xDC00 && text_.substr(at_, 2) == "\\u" ? (++at_, ReadHex()) : std::nullopt;
      if (!second || *second < 0xDC00 || *second > 0xDFFF) return Refuse("a lone surrogate");
      code = 0x10000 + ((code - 0xD800) << 10) + (*second - 0xDC00);
    }
    AppendCodePoint(code, out);
    return absl::OkStatus();
  }

  // At a `u`: the four digits after it.
  std::optional<uint32_t> ReadHex() {
    if (text_.size() - at_ < 5) return std::nullopt;
    uint32_t value = 0;
    for (size_t i = 1; i <= 4; ++i) {
      const char c = text_[at_ + i];
      uint32_t digit = 0;
      if (IsDigit(c)) {
        digit = static_cast<uint32_t>(c - '0');
      } else if (c >= 'a' && c <= 'f') {
        digit = static_cast<uint32_t>(c - 'a' + 10);
      } else if (c >= 'A' && c <= 'F') {
        digit = static_cast<uint32_t>(c - 'A' + 10);
      } else {
        return std::nullopt;
      }
      value = value * 16 + digit;
    }
    at_ += 5;
    return value;
  }

  const std::string_view text_;
  JsonHandler& handler_;
  const ParseLimits& limits_;
  size_t at_ = 0;
  size_t values_ = 0;
  std::vector<Container> open_;
};

class IgnoringHandler final : public JsonHandler {
 public:
  absl::Status OnNull() override { return absl::OkStatus(); }
  absl::Status OnBool(bool) override { return absl::OkStatus(); }
  absl::Status OnNumber(std::string_view) override { return absl::OkStatus(); }
  absl::Status OnString(std::string) override { return absl::OkStatus(); }
  absl::Status OnStartObject() override { return absl::OkStatus(); }
  absl::Status OnKey(std::string) override { return absl::OkStatus(); }
  absl::Status OnEndObject() override { return absl::OkStatus(); }
  absl::Status OnStartArray() override { return absl::OkStatus(); }
  absl::Status OnEndArray() override { return absl::OkStatus(); }
};

}  // namespace

absl::Status ReadJson(std::string_view text, JsonHandler& handler, const ParseLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return MakeError(absl::StatusCode::kInvalidArgument, "INVALID_JSON",
                     StrCat("invalid JSON: ", text.size(), " bytes, at most ", limits.max_bytes,
                            " are allowed"));
  }
  if (!IsValidUtf8(text)) {
    return MakeError(absl::StatusCode::kInvalidArgument, "INVALID_JSON",
                     "invalid JSON: the text is not valid UTF-8");
  }
  return Reader(text, handler, limits).Read();
}

absl::Status ValidateJson(std::string_view text, const ParseLimits& limits) {
  IgnoringHandler handler;
  return ReadJson(text, handler, limits);
}

namespace {

// Whether one of the eight bytes is a control character, a quotation mark or a backslash. The trick with the
// borrow from the byte below may say yes without need, never no: see Mycroft's test for a zero byte.
bool MayNeedEscape(uint64_t bytes) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighs = 0x8080808080808080;
  const auto has_zero = [](uint64_t word) { return (word - kOnes) & ~word & kHighs; };
  const uint64_t controls = (bytes - kOnes * 0x20) & ~bytes & kHighs;
  return (controls | has_zero(bytes ^ (kOnes * '"')) | has_zero(bytes ^ (kOnes * '\\'))) != 0;
}

}  // namespace

void AppendJsonString(std::string_view value, std::string* out) {
  if (!IsValidUtf8(value)) return AppendJsonString(SanitizeUtf8(value), out);
  constexpr std::string_view kHex = "0123456789abcdef";
  constexpr std::string_view kShort = "\b\t\n\f\r";
  constexpr std::string_view kLetters = "btnfr";
  out->push_back('"');
  size_t copied = 0;  // What needs no escape is copied in runs.
  for (size_t i = 0; i < value.size(); ++i) {
    for (uint64_t bytes = 0; i + sizeof(bytes) <= value.size(); i += sizeof(bytes)) {
      std::memcpy(&bytes, value.data() + i, sizeof(bytes));
      if (MayNeedEscape(bytes)) break;
    }
    if (i == value.size()) break;
    const char c = value[i];
    if (static_cast<uint8_t>(c) >= 0x20 && c != '"' && c != '\\') continue;
    out->append(value, copied, i - copied);
    copied = i + 1;
    out->push_back('\\');
    if (c == '"' || c == '\\') {
      out->push_back(c);
    } else if (const size_t found = kShort.find(c); found != kShort.npos) {
      out->push_back(kLetters[found]);
    } else {
      out->append("u00");
      out->push_back(kHex[static_cast<uint8_t>(c) >> 4]);
      out->push_back(kHex[static_cast<uint8_t>(c) & 15]);
    }
  }
  out->append(value, copied);
  out->push_back('"');
}

std::string JsonString(std::string_view value) {
  std::string out;
  AppendJsonString(value, &out);
  return out;
}

}  // namespace assay::json
