// Everything that the scripted model was asked, and what became of it.
#ifndef ASSAY_TESTS_FAKE_LLM_REQUEST_LOG_H_
#define ASSAY_TESTS_FAKE_LLM_REQUEST_LOG_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fake_llm/chat.h"
#include "tests/fake_llm/script.h"

namespace assay::fake_llm {

struct LoggedRequest {
  uint64_t index = 0;  // From 0, in the order of arrival.
  int64_t at_ms = 0;   // Since the start.
  WireForm form = WireForm::kOpenAi;
  std::string model;
  std::string prompt_sha256;  // "" with canned answers.
  std::string prompt;         // Unless it is not kept.
  std::string idempotency_key;
  int attempt = 1;  // How often this prompt has come.
  FaultKind fault = FaultKind::kNone;
  int status = 0;         // 0 if none was sent.
  bool answered = false;  // A whole 200 left for a client that was still there.
};

struct Stats {
  uint64_t requests = 0;
  uint64_t answered = 0;  // Whole answers with status 200.
  uint64_t distinct_prompts = 0;
  uint64_t keys_answered_twice =
      0;  // Idempotency keys with more than one whole 200: paid for twice.
  uint64_t in_flight = 0;
  uint64_t max_in_flight = 0;
  uint64_t open_connections = 0;
  uint64_t connections = 0;
  std::map<std::string, uint64_t> faults;  // By name, "ok" too.
};

// Keeps at most 200,000 requests and 256 MB of prompts; later ones are only counted. Not
// thread-safe.
class RequestLog {
 public:
  // Returns the request's index. Fills index and attempt.
  uint64_t Add(LoggedRequest request, bool keep_prompt);
  // How often the prompt has come before.
  int Seen(const std::string& prompt_sha256) const;
  // The answer of `index` is about to leave (or never will).
  void End(uint64_t index, bool whole);
  // After End(index, true): it did not leave as a whole after all.
  void Revoke(uint64_t index);
  void OnConnection(bool opened);
  void Clear();  // Open connections stay counted.

  const std::vector<LoggedRequest>& requests() const { return requests_; }
  const Stats& stats() const { return stats_; }

 private:
  std::vector<LoggedRequest> requests_;
  uint64_t next_index_ = 0;
  size_t prompt_bytes_ = 0;
  std::map<std::string, int> seen_;
  std::map<std::string, int> answered_keys_;
  uint64_t first_index_ = 0;  // Of the requests since the last Clear.
  Stats stats_;
};

// The log as JSON. `contains`: only requests whose prompt has this text.
std::string LogJson(const RequestLog& log, bool with_prompts, std::string_view contains);
std::string StatsJson(const Stats& stats);

}  // namespace assay::fake_llm

#endif  // ASSAY_TESTS_FAKE_LLM_REQUEST_LOG_H_
