#include "tests/fake_llm/request_log.h"

#include <algorithm>
#include <utility>

#include "common/json/json_reader.h"
#include "common/strings/strings.h"

namespace assay::fake_llm {
namespace {

constexpr size_t kMaxRequests = 200'000;
constexpr size_t kMaxPromptBytes = size_t{256} << 20;

}  // namespace

uint64_t RequestLog::Add(LoggedRequest request, bool keep_prompt) {
  const uint64_t index = next_index_++;
  request.index = index - first_index_;
  if (!request.prompt_sha256.empty()) {
    request.attempt = ++seen_[request.prompt_sha256];
    stats_.distinct_prompts = seen_.size();
  }
  ++stats_.requests;
  stats_.max_in_flight = std::max(stats_.max_in_flight, ++stats_.in_flight);
  ++stats_.faults[std::string(FaultName(request.fault))];
  if (!keep_prompt || prompt_bytes_ + request.prompt.size() > kMaxPromptBytes) {
    request.prompt.clear();
  }
  prompt_bytes_ += request.prompt.size();
  if (requests_.size() < kMaxRequests) requests_.push_back(std::move(request));
  return index;
}

int RequestLog::Seen(const std::string& prompt_sha256) const {
  const auto found = seen_.find(prompt_sha256);
  return found == seen_.end() ? 0 : found->second;
}

void RequestLog::End(uint64_t index, bool whole) {
  --stats_.in_flight;
  if (index < first_index_ || index - first_index_ >= requests_.size()) return;
  LoggedRequest& request = requests_[index - first_index_];
  if (!whole || request.status != 200) return;
  request.answered = true;
  ++stats_.answered;
  if (!request.idempotency_key.empty() && ++answered_keys_[request.idempotency_key] == 2) {
    ++stats_.keys_answered_twice;
  }
}

void RequestLog::Revoke(uint64_t index) {
  if (index < first_index_ || index - first_index_ >= requests_.size()) return;
  LoggedRequest& request = requests_[index - first_index_];
  if (!std::exchange(request.answered, false)) return;
  --stats_.answered;
  if (!request.idempotency_key.empty() && --answered_keys_[request.idempotency_key] == 1) {
    --stats_.keys_answered_twice;
  }
}

void RequestLog::OnConnection(bool opened) {
  if (opened) {
    ++stats_.connections;
    ++stats_.open_connections;
  } else {
    --stats_.open_connections;
  }
}

void RequestLog::Clear() {
  requests_.clear();
  prompt_bytes_ = 0;
  seen_.clear();
  answered_keys_.clear();
  first_index_ = next_index_;
  const Stats old = std::exchange(stats_, Stats());
  stats_.in_flight = old.in_flight;
  stats_.open_connections = old.open_connections;
}

std::string LogJson(const RequestLog& log, bool with_prompts, std::string_view contains) {
  std::string text = R"({"requests":[)";
  uint64_t matches = 0;
  for (const LoggedRequest& request : log.requests()) {
    if (!contains.empty() && request.prompt.find(contains) == std::string::npos) continue;
    StrAppend(
        &text, matches++ == 0 ? "" : ",", R"({"index":)", request.index, R"(,"at_ms":)",
        request.at_ms, R"(,"form":")", request.form == WireForm::kOpenAi ? "openai" : "anthropic",
        R"(","model":)", json::JsonString(request.model), R"(,"prompt_sha256":")",
        request.prompt_sha256, R"(","idempotency_key":)", json::JsonString(request.idempotency_key),
        R"(,"attempt":)", request.attempt, R"(,"fault":")", FaultName(request.fault),
        R"(","status":)", request.status, R"(,"answered":)", request.answered ? "true" : "false");
    if (with_prompts) StrAppend(&text, R"(,"prompt":)", json::JsonString(request.prompt));
    text += "}";
  }
  StrAppend(&text, R"(],"count":)", matches, R"(,"complete":)",
            log.requests().size() == log.stats().requests ? "true" : "false", "}");
  return text;
}

std::string StatsJson(const Stats& stats) {
  std::string faults;
  for (const auto& [name, count] : stats.faults) {
    StrAppend(&faults, faults.empty() ? "" : ",", json::JsonString(name), ":", count);
  }
  return StrCat(R"({"requests":)", stats.requests, R"(,"answered":)", stats.answered,
                R"(,"distinct_prompts":)", stats.distinct_prompts, R"(,"keys_answered_twice":)",
                stats.keys_answered_twice, R"(,"in_flight":)", stats.in_flight,
                R"(,"max_in_flight":)", stats.max_in_flight, R"(,"open_connections":)",
                stats.open_connections, R"(,"connections":)", stats.connections, R"(,"faults":{)",
                faults, "}}");
}

}  // namespace assay::fake_llm
