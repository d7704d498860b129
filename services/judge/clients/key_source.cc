#include "services/judge/clients/key_source.h"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judge {
namespace {

constexpr size_t kMaxKeyBytes = 16 * 1024;

bool IsWord(std::string_view text) {
  return text.size() <= kMaxKeyBytes && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isgraph(static_cast<unsigned char>(c));
         });
}

}  // namespace

absl::StatusOr<std::string> CheckKey(std::string text, std::string_view origin) {
  absl::StripAsciiWhitespace(&text);
  if (IsWord(text)) return text;
  return InvalidField("key", StrCat("the key in ", origin, " is no single printable word"),
                      "INVALID_FLAG");
}

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxKeyFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  if (file.bad() || text.empty() || text.size() > kMaxKeyFileBytes) {
    return PreconditionFailed(
        "INVALID_FLAG", "file",
        StrCat("the file ", path, " cannot be read, or is empty or too large"));
  }
  return text;
}

WatchedText::WatchedText(std::string text, std::string path, Check check, Clock* clock)
    : path_(std::move(path)),
      check_(std::move(check)),
      clock_(clock),
      text_(std::move(text)),
      looked_at_(clock->Now()) {}

WatchedText::Stamp WatchedText::StampOf(const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) return {};
  return {int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec, info.st_size,
          info.st_ino};
}

std::string WatchedText::Get() {
  MutexLock lock(&mutex_);
  if (path_.empty()) return text_;
  const absl::Time now = clock_->Now();
  if (now - looked_at_ < kKeyFileInterval) return text_;
  looked_at_ = now;
  const Stamp stamp = StampOf(path_);
  if (stamp == stamp_) return text_;
  absl::StatusOr<std::string> text = ReadSmallFile(path_);
  // A file that is just being replaced is looked at again: the stamp stays the old one.
  if (!text.ok() || (check_ && !check_(*text))) return text_;
  absl::StripAsciiWhitespace(&*text);
  stamp_ = stamp;
  text_ = *std::move(text);
  return text_;
}

std::optional<http::AwsSigning> ParseAwsCredentials(std::string_view text,
                                                    std::string_view profile) {
  http::AwsSigning aws;
  bool inside = false;
  for (absl::string_view raw : absl::StrSplit(ToAbsl(text), '\n')) {
    const absl::string_view line = absl::StripAsciiWhitespace(raw);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      inside = line == ToAbsl(StrCat("[", profile, "]"));
      continue;
    }
    const size_t equals = line.find('=');
    if (!inside || equals == absl::string_view::npos) continue;
    const absl::string_view name = absl::StripAsciiWhitespace(line.substr(0, equals));
    const std::string value(absl::StripAsciiWhitespace(line.substr(equals + 1)));
    if (!IsWord(value)) return std::nullopt;
    if (name == "aws_access_key_id") aws.access_key_id = value;
    if (name == "aws_secret_access_key") aws.secret_access_key = value;
    if (name == "aws_session_token") aws.session_token = value;
  }
  if (aws.access_key_id.empty() || aws.secret_access_key.empty()) return std::nullopt;
  return aws;
}

}  // namespace assay::judge
