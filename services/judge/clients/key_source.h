// Credentials that may change while the service runs.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_KEY_SOURCE_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_KEY_SOURCE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/http/http_client.h"
#include "common/sync/mutex.h"

namespace assay::judge {

// At most this often a file is looked at.
inline constexpr absl::Duration kKeyFileInterval = absl::Seconds(2);
inline constexpr size_t kMaxKeyFileBytes = 64 * 1024;

// `text` without blanks around it, if what is left is one printable word of at most 16 KiB.
// INVALID_ARGUMENT otherwise; the error never shows the key. `origin` says where it comes from.
absl::StatusOr<std::string> CheckKey(std::string text, std::string_view origin);

// The whole of a small file. FAILED_PRECONDITION if it is absent, empty or larger than
// kMaxKeyFileBytes; the error names the path only.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path);

// A text that stands in a file, read again when the file changes. Thread-safe.
class WatchedText {
 public:
  // Whether a new text may replace the old one, which stays otherwise.
  using Check = std::function<bool(const std::string&)>;

  // Always `text`.
  explicit WatchedText(std::string text) : text_(std::move(text)) {}
  // `text` until `path` differs from what it is now. `clock` outlives it.
  WatchedText(std::string text, std::string path, Check check, Clock* clock);

  std::string Get() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Stamp {
    int64_t modified_ns = 0;
    int64_t size = -1;
    uint64_t inode = 0;
    bool operator==(const Stamp&) const = default;
  };
  static Stamp StampOf(const std::string& path);

  const std::string path_;
  const Check check_;
  Clock* const clock_ = nullptr;
  Mutex mutex_;
  std::string text_ ABSL_GUARDED_BY(mutex_);
  Stamp stamp_ ABSL_GUARDED_BY(mutex_);
  absl::Time looked_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

// Amazon's credentials out of a file in the form of ~/.aws/credentials: the profile's
// aws_access_key_id, aws_secret_access_key and aws_session_token. nullopt if the first two are not
// there, or one is no single printable word. Region and service are left empty.
std::optional<http::AwsSigning> ParseAwsCredentials(std::string_view text,
                                                    std::string_view profile);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_KEY_SOURCE_H_
