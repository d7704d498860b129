#include "common/log/log.h"

#include <spdlog/details/file_helper.h>
#include <spdlog/logger.h>

#include <array>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <utility>

#include "absl/time/clock.h"
#include "common/json/json_reader.h"
#include "common/json/utf8.h"
#include "common/log/buffered_sink.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"
#include "common/sync/mutex.h"

namespace assay::log {
namespace {

constexpr size_t kMaxTextChars = 4096;

struct Destination {
  Options options;
  std::shared_ptr<spdlog::logger> logger;  // Null where options.sink takes the lines.
};

void WriteToStderr(std::string_view lines) {
  std::fwrite(lines.data(), 1, lines.size(), stderr);  // Which has no buffer.
}

// Throws if the file cannot be opened.
BufferedSink::Write WriteToFile(const std::string& path) {
  auto file = std::make_shared<spdlog::details::file_helper>();
  file->open(path);
  return [file](std::string_view lines) {
    spdlog::memory_buf_t buffer;
    buffer.append(lines.data(), lines.data() + lines.size());
    file->write(buffer);
    file->flush();
  };
}

std::shared_ptr<spdlog::logger> MakeLogger(BufferedSink::Write write) {
  auto logger =
      std::make_shared<spdlog::logger>("assay", std::make_shared<BufferedSink>(std::move(write)));
  logger->set_pattern("%v");  // Lines are whole when they get here.
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::warn);
  logger->set_error_handler([](const std::string&) {});  // A full disk must not end a request.
  return logger;
}

// The settings in effect. Never destroyed: threads may log until the process is gone.
class State {
 public:
  static State& Get() {
    static State* const state = new State;
    return *state;
  }

  void Replace(std::shared_ptr<const Destination> destination) {
    level.store(destination->options.level, std::memory_order_relaxed);
    MutexLock lock(&mutex_);
    destination_ = std::move(destination);
  }

  std::shared_ptr<const Destination> destination() {
    MutexLock lock(&mutex_);
    return destination_;
  }

  std::atomic<Level> level{Level::kInfo};

 private:
  State()
      : destination_(std::make_shared<Destination>(Destination{{}, MakeLogger(WriteToStderr)})) {
    std::atexit([] {
      if (const auto last = Get().destination(); last->logger != nullptr) last->logger->flush();
    });
  }

  Mutex mutex_;
  std::shared_ptr<const Destination> destination_ ABSL_GUARDED_BY(mutex_);
};

constexpr std::array<std::string_view, 5> kLevelNames = {"debug", "info", "warning", "error",
                                                         "off"};

std::string_view LevelName(Level level) { return kLevelNames[static_cast<size_t>(level)]; }

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

// Long texts are cut: a log is no place for payloads.
std::string Cut(std::string_view text) { return json::PreviewOf(text, kMaxTextChars); }

std::string JsonLine(const Options& options, Level level, std::string_view message, Fields fields) {
  std::string line =
      StrCat("{\"time\":\"", TimeText(absl::Now()), "\",\"level\":\"", LevelName(level), "\"");
  if (!options.service.empty()) {
    StrAppend(&line, ",\"service\":", json::JsonString(options.service));
  }
  StrAppend(&line, ",\"message\":", json::JsonString(Cut(message)));
  for (const Field& field : fields) {
    StrAppend(&line, ",", json::JsonString(field.key), ":");
    field.value.AppendJson(&line);
  }
  return line + "}";
}

std::string TextLine(Level level, std::string_view message, Fields fields) {
  std::string line = StrCat(TimeText(absl::Now()), " ", LevelName(level), " ");
  // One event is one line, whatever it holds: nobody forges a second one.
  for (const char c : Cut(message)) line += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  for (const Field& field : fields) {
    StrAppend(&line, " ", field.key, "=");
    field.value.AppendText(&line);
  }
  return line;
}

void Write(Level level, std::string_view message, Fields fields) noexcept {
  State& state = State::Get();
  const Level lowest = state.level.load(std::memory_order_relaxed);
  if (level < lowest || lowest == Level::kOff) return;
  try {
    const std::shared_ptr<const Destination> destination = state.destination();
    const Options& options = destination->options;
    const std::string line = options.format == Format::kJson
                                 ? JsonLine(options, level, message, fields)
                                 : TextLine(level, message, fields);
    if (options.sink) {
      options.sink(line);
    } else {
      destination->logger->log(level >= Level::kWarning ? spdlog::level::warn : spdlog::level::info,
                               spdlog::string_view_t(line.data(), line.size()));
    }
  } catch (...) {
    // Nothing that goes wrong here is worth a request.
  }
}

std::string ScalarText(int64_t value) { return StrCat(value); }
std::string ScalarText(uint64_t value) { return StrCat(value); }
std::string ScalarText(double value) { return StrCat(value); }
std::string ScalarText(bool value) { return value ? "true" : "false"; }
std::string ScalarText(absl::Duration value) { return absl::FormatDuration(value); }
std::string ScalarText(absl::Time value) { return TimeText(value); }
std::string ScalarText(std::string_view value) { return Cut(value); }
std::string ScalarText(const absl::Status* value) {
  if (value->ok()) return "OK";
  return StrCat(absl::StatusCodeToString(value->code()), ": ", Cut(ToStd(value->message())));
}

bool NeedsQuotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '=' || c == '\\') return true;
  }
  return false;
}

}  // namespace

std::optional<Level> LevelFromName(std::string_view name) {
  for (size_t i = 0; i < kLevelNames.size(); ++i) {
    if (kLevelNames[i] == name) return static_cast<Level>(i);
  }
  return std::nullopt;
}

std::optional<Format> FormatFromName(std::string_view name) {
  if (name == "text") return Format::kText;
  if (name == "json") return Format::kJson;
  return std::nullopt;
}

absl::Status Init(Options options) {
  auto destination = std::make_shared<Destination>();
  try {
    if (!options.sink) {
      destination->logger =
          MakeLogger(options.file.empty() ? WriteToStderr : WriteToFile(options.file));
    }
  } catch (const std::exception& error) {
    return InvalidField("log_file", StrCat("cannot be opened: ", error.what()));
  }
  destination->options = std::move(options);
  State::Get().Replace(std::move(destination));
  return absl::OkStatus();
}

void SetLevel(Level level) { State::Get().level.store(level, std::memory_order_relaxed); }
Level CurrentLevel() { return State::Get().level.load(std::memory_order_relaxed); }

void FieldValue::AppendText(std::string* out) const {
  const std::string text = std::visit([](const auto& value) { return ScalarText(value); }, value_);
  *out += NeedsQuotes(text) ? json::JsonString(text) : text;
}

void FieldValue::AppendJson(std::string* out) const {
  std::visit(
      [&](const auto& value) {
        using Held = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Held, absl::Duration>) {
          // Seconds, so that they can be summed; there is no infinite number in JSON.
          const double seconds = absl::ToDoubleSeconds(value);
          *out += std::isfinite(seconds) ? StrCat(seconds) : "null";
        } else if constexpr (std::is_same_v<Held, double>) {
          *out += std::isfinite(value) ? StrCat(value) : "null";
        } else if constexpr (std::is_arithmetic_v<Held>) {
          *out += ScalarText(value);
        } else {
          json::AppendJsonString(ScalarText(value), out);
        }
      },
      value_);
}

void Debug(std::string_view message, Fields fields) { Write(Level::kDebug, message, fields); }
void Info(std::string_view message, Fields fields) { Write(Level::kInfo, message, fields); }
void Warning(std::string_view message, Fields fields) { Write(Level::kWarning, message, fields); }
void Error(std::string_view message, Fields fields) { Write(Level::kError, message, fields); }

}  // namespace assay::log
