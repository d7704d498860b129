// The scripted model without its network: requests in, planned replies out.
#ifndef ASSAY_TESTS_FAKE_LLM_MODEL_H_
#define ASSAY_TESTS_FAKE_LLM_MODEL_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "common/sync/mutex.h"
#include "tests/fake_llm/chat.h"
#include "tests/fake_llm/request_log.h"
#include "tests/fake_llm/script.h"

namespace assay::fake_llm {

struct HttpCall {
  std::string method;
  std::string target;  // Path and query.
  std::string authorization;
  std::string x_api_key;
  std::string idempotency_key;
  std::string body;
  bool keep_alive = true;
};

struct PlannedReply {
  enum class Then : uint8_t { kKeep, kClose, kHang, kEndless };
  std::string bytes;               // Head and body.
  int64_t delay_ms = 0;            // Before `bytes`.
  Then then = Then::kKeep;         // After `bytes`.
  std::optional<uint64_t> logged;  // Call Ended with it.
};

// Thread-safe.
class FakeModel {
 public:
  explicit FakeModel(Script script);

  // Chat: POST /v1/chat/completions, POST /v1/messages. Control: POST /control/script (JSON,
  // replaces all of it), POST /control/reset (forgets the requests, keeps the script), GET
  // /control/log?prompts=1&contains=text, POST /control/search ({"texts": [...]}: in how many
  // prompts each occurs), GET /control/stats, GET /v1/models.
  PlannedReply Handle(HttpCall call) ABSL_LOCKS_EXCLUDED(mutex_);
  // The reply is about to leave as a whole, or never will. Exactly once per `logged`, and before
  // the last byte leaves: who has an answer finds it in the log.
  void Ended(uint64_t logged, bool whole) ABSL_LOCKS_EXCLUDED(mutex_);
  // After Ended(logged, true): sending failed.
  void Failed(uint64_t logged) ABSL_LOCKS_EXCLUDED(mutex_);
  void OnConnection(bool opened) ABSL_LOCKS_EXCLUDED(mutex_);

  // The same from C++.
  absl::Status SetScript(std::string_view json) ABSL_LOCKS_EXCLUDED(mutex_);
  void SetScript(Script script) ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<LoggedRequest> Log() const ABSL_LOCKS_EXCLUDED(mutex_);
  Stats stats() const ABSL_LOCKS_EXCLUDED(mutex_);
  // In how many of the prompts kept `text` occurs.
  uint64_t CountPromptsWith(std::string_view text) const ABSL_LOCKS_EXCLUDED(mutex_);
  void Reset() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  PlannedReply Chat(WireForm form, HttpCall call) ABSL_LOCKS_EXCLUDED(mutex_);
  PlannedReply Control(const HttpCall& call, std::string_view path, std::string_view query)
      ABSL_LOCKS_EXCLUDED(mutex_);
  Fault NextFault(const std::string& prompt, const std::string& sha, int attempt)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int64_t Delay(const std::string& sha, int attempt) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  PlannedReply Canned(WireForm form, const HttpCall& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  mutable Mutex mutex_;
  Script script_ ABSL_GUARDED_BY(mutex_);
  RequestLog log_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::fake_llm

#endif  // ASSAY_TESTS_FAKE_LLM_MODEL_H_
