// Structured logging: log::Info("trace stored", {{"trace", id}, {"spans", 12}});
//
// Keys are lower_snake. Durations are seconds in JSON, and 1.5s in text. Texts are cut after 4,096
// characters. Secrets and users' payloads do not belong in a log. Lines below warning are written
// within 100 ms, at exit and before the next warning; the others at once. Thread-safe; throws nothing.
#ifndef ASSAY_COMMON_LOG_LOG_H_
#define ASSAY_COMMON_LOG_LOG_H_

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace assay::log {

enum class Level : uint8_t { kDebug, kInfo, kWarning, kError, kOff };
enum class Format : uint8_t { kText, kJson };

// "debug", "info", "warning", "error", "off"; "text", "json". nullopt for another word.
std::optional<Level> LevelFromName(std::string_view name);
std::optional<Format> FormatFromName(std::string_view name);

struct Options {
  Level level = Level::kInfo;
  Format format = Format::kText;
  std::string service = {};  // Stands in each JSON line, if given.
  std::string file = {};     // Appends there; empty is stderr.
  // For tests: gets each line, without its newline, instead of stderr or the file.
  std::function<void(std::string_view line)> sink = {};
};

// Replaces the settings of the process. Before the first call: text to stderr from kInfo. A file
// that cannot be opened is an error (INVALID_ARGUMENT) and changes nothing.
absl::Status Init(Options options);
void SetLevel(Level level);
Level CurrentLevel();

// A value to log. Text is only viewed: pass fields straight to the call.
class FieldValue {
 public:
  FieldValue(std::string_view text) : value_(text) {}                      // NOLINT: implicit.
  FieldValue(const std::string& text) : value_(std::string_view(text)) {}  // NOLINT
  FieldValue(const char* text) : value_(std::string_view(text)) {}         // NOLINT
  FieldValue(bool value) : value_(value) {}                                // NOLINT
  FieldValue(double value) : value_(value) {}                              // NOLINT
  FieldValue(absl::Duration value) : value_(value) {}                      // NOLINT
  FieldValue(absl::Time value) : value_(value) {}                          // NOLINT
  FieldValue(const absl::Status& status) : value_(&status) {}              // NOLINT
  template <class Integer, std::enable_if_t<std::is_integral_v<Integer>, int> = 0>
  FieldValue(Integer value) : value_(Widen(value)) {}  // NOLINT

  void AppendText(std::string* out) const;
  void AppendJson(std::string* out) const;

 private:
  using Variant = std::variant<std::string_view, int64_t, uint64_t, double, bool, absl::Duration,
                               absl::Time, const absl::Status*>;
  template <class Integer>
  static Variant Widen(Integer value) {
    if constexpr (std::is_signed_v<Integer>) {
      return static_cast<int64_t>(value);
    } else {
      return static_cast<uint64_t>(value);
    }
  }
  Variant value_;
};

struct Field {
  std::string_view key;
  FieldValue value;
};
using Fields = std::initializer_list<Field>;

void Debug(std::string_view message, Fields fields = {});
void Info(std::string_view message, Fields fields = {});
void Warning(std::string_view message, Fields fields = {});
void Error(std::string_view message, Fields fields = {});

}  // namespace assay::log

#endif  // ASSAY_COMMON_LOG_LOG_H_
