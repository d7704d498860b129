#include "tests/fake_llm/model.h"

#include <map>
#include <utility>

#include "common/json/canonical.h"
#include "common/json/json_reader.h"
#include "common/json/safe_json.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "tests/fake_llm/answer.h"

namespace assay::fake_llm {
namespace {

using Then = PlannedReply::Then;

std::string HttpBytes(int status, std::string_view body, bool keep_alive,
                      std::string_view more_headers = "") {
  return StrCat("HTTP/1.1 ", status, status == 200 ? " OK" : " Failure",
                "\r\nContent-Type: application/json\r\n", more_headers,
                keep_alive ? "" : "Connection: close\r\n", "Content-Length: ", body.size(),
                "\r\n\r\n", body);
}

PlannedReply Reply(int status, std::string_view body, bool keep_alive,
                   std::string_view more_headers = "") {
  return {.bytes = HttpBytes(status, body, keep_alive, more_headers),
          .then = keep_alive ? Then::kKeep : Then::kClose};
}

std::string PercentDecoded(std::string_view text) {
  auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 32) - 'a' + 10; };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() &&
        text.find_first_not_of("0123456789abcdefABCDEF", i + 1) > i + 2) {
      out.push_back(static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

std::map<std::string, std::string> QueryFields(std::string_view query) {
  std::map<std::string, std::string> fields;
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view field = query.substr(0, end);
    const size_t equals = field.find('=');
    fields[PercentDecoded(field.substr(0, equals))] =
        equals == std::string_view::npos ? "" : PercentDecoded(field.substr(equals + 1));
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
  }
  return fields;
}

// Faults that stand in the model's answer, not around it.
void SpoilAnswer(FaultKind fault, ChatAnswer* answer) {
  const size_t half = answer->content.size() / 2;
  switch (fault) {
    case FaultKind::kTruncatedContent:
      answer->content.resize(half);
      answer->truncated = true;
      answer->plain_text = true;
      break;
    case FaultKind::kMalformedContent:
      answer->content = "I would say that this deserves a good mark.";
      answer->plain_text = true;
      break;
    case FaultKind::kFenced:
      answer->content = StrCat("Here is my verdict.\n```json\n", answer->content, "\n```\n");
      answer->plain_text = true;
      break;
    case FaultKind::kRefusal:
      answer->refused = true;
      break;
    default:
      break;
  }
}

// Puts the body of a 200 on the wire as the fault wants it. Status 0 in `sent` where nothing is
// sent.
PlannedReply Deliver(const Fault& fault, WireForm form, std::string_view body, bool keep_alive,
                     int* sent) {
  *sent = 200;
  switch (fault.kind) {
    case FaultKind::kStatus:
    case FaultKind::kQuota: {
      const bool quota = fault.kind == FaultKind::kQuota;
      *sent = quota ? 429 : fault.status;
      const std::string_view type = quota          ? "insufficient_quota"
                                    : *sent == 429 ? "rate_limit_exceeded"
                                    : *sent == 529 ? "overloaded_error"
                                                   : "server_error";
      const std::string header =
          fault.retry_after.empty() ? "" : StrCat("Retry-After: ", fault.retry_after, "\r\n");
      return Reply(*sent, WriteChatError(form, type, StrCat("scripted ", *sent)), keep_alive,
                   header);
    }
    case FaultKind::kTruncatedJson:
      return Reply(200, body.substr(0, body.size() / 2), keep_alive);
    case FaultKind::kMalformedJson:
      return Reply(200, "<html>this is no JSON</html>", keep_alive);
    case FaultKind::kDrop:
      *sent = 0;
      return {.then = Then::kClose};
    case FaultKind::kDropMidBody: {
      std::string bytes = HttpBytes(200, body, keep_alive);
      bytes.resize(bytes.size() - body.size() / 2);
      *sent = 0;
      return {.bytes = std::move(bytes), .then = Then::kClose};
    }
    case FaultKind::kHang:
      *sent = 0;
      return {.then = Then::kHang};
    case FaultKind::kEndlessBody:
      *sent = 0;
      return {.bytes = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n",
              .then = Then::kEndless};
    default:
      return Reply(200, body, keep_alive);
  }
}

}  // namespace

FakeModel::FakeModel(Script script) : script_(std::move(script)) {}

PlannedReply FakeModel::Handle(HttpCall call) {
  const std::string target = call.target;
  const size_t question = target.find('?');
  const std::string_view path = std::string_view(target).substr(0, question);
  const std::string_view query = question == std::string::npos
                                     ? std::string_view()
                                     : std::string_view(target).substr(question + 1);
  if (call.method == "POST" && path == "/v1/chat/completions") {
    return Chat(WireForm::kOpenAi, std::move(call));
  }
  if (call.method == "POST" && path == "/v1/messages") {
    return Chat(WireForm::kAnthropic, std::move(call));
  }
  return Control(call, path, query);
}

PlannedReply FakeModel::Chat(WireForm form, HttpCall call) {
  {
    MutexLock lock(&mutex_);
    const std::string& given = form == WireForm::kOpenAi ? call.authorization : call.x_api_key;
    const std::string wanted =
        form == WireForm::kOpenAi ? "Bearer " + script_.api_key : script_.api_key;
    if (!script_.api_key.empty() && given != wanted) {
      // Some real servers repeat the key they were given: so does this one.
      return Reply(
          401,
          WriteChatError(form, "invalid_api_key", StrCat("Incorrect API key provided: ", given)),
          call.keep_alive);
    }
    if (!script_.canned_content.empty() || !script_.canned_body.empty()) return Canned(form, call);
  }
  absl::StatusOr<ChatRequest> request = ReadChatRequest(form, call.body);
  if (!request.ok()) {
    return Reply(400,
                 WriteChatError(form, "invalid_request_error", ToStd(request.status().message())),
                 call.keep_alive);
  }
  std::string prompt = request->PromptText();
  const std::string sha = json::Sha256Hex(prompt);
  const auto at = std::chrono::steady_clock::now() - start_;

  MutexLock lock(&mutex_);
  if (!script_.structured_output && request->structured && form == WireForm::kOpenAi) {
    return Reply(
        400,
        WriteChatError(form, "invalid_request_error",
                       "'response_format' of type 'json_schema' is not supported with this model"),
        call.keep_alive);
  }
  const int attempt = log_.Seen(sha) + 1;
  const Fault fault = NextFault(prompt, sha, attempt);
  ChatAnswer answer = {.content = WriteContent(script_, *request, sha, fault.kind)};
  answer.input_tokens = static_cast<int64_t>(prompt.size() / 4);
  answer.output_tokens = static_cast<int64_t>(answer.content.size() / 4);
  SpoilAnswer(fault.kind, &answer);
  const std::vector<std::vector<ScriptedToolCall>>& rounds = script_.tool_rounds;
  if (request->offers_tools && !rounds.empty() &&
      (script_.repeat_tool_rounds || request->tool_rounds < rounds.size())) {
    answer.tool_calls = rounds[request->tool_rounds % rounds.size()];
  }
  const std::string body =
      WriteChatAnswer(form, request->model, request->tool, answer, log_.stats().requests);
  LoggedRequest logged = {
      .at_ms = std::chrono::duration_cast<std::chrono::milliseconds>(at).count(),
      .form = form,
      .model = request->model,
      .prompt_sha256 = sha,
      .prompt = std::move(prompt),
      .idempotency_key = std::move(call.idempotency_key),
      .fault = fault.kind};
  PlannedReply reply = Deliver(fault, form, body, call.keep_alive, &logged.status);
  reply.delay_ms = Delay(sha, attempt);
  reply.logged = log_.Add(std::move(logged), script_.log_prompts);
  return reply;
}

PlannedReply FakeModel::Canned(WireForm form, const HttpCall& call) {
  const ChatAnswer answer = {
      .content = script_.canned_content, .input_tokens = 1, .output_tokens = 1};
  const std::string body =
      script_.canned_body.empty()
          ? WriteChatAnswer(form, "canned", form == WireForm::kAnthropic ? "record_verdict" : "",
                            answer, log_.stats().requests)
          : script_.canned_body;
  PlannedReply reply = Reply(200, body, call.keep_alive);
  reply.delay_ms = script_.latency_ms;
  reply.logged =
      log_.Add({.form = form, .idempotency_key = call.idempotency_key, .status = 200}, false);
  return reply;
}

Fault FakeModel::NextFault(const std::string& prompt, const std::string& sha, int attempt) {
  if (!script_.sequence.empty()) {
    Fault fault = script_.sequence.front();
    if (--script_.sequence.front().times <= 0) script_.sequence.pop_front();
    return fault;
  }
  for (size_t i = 0; i < script_.faults.size(); ++i) {
    const Fault& fault = script_.faults[i];
    if (fault.max_attempt > 0 && attempt > fault.max_attempt) continue;
    if (!fault.contains.empty() && prompt.find(fault.contains) == std::string::npos) continue;
    const std::string label = StrCat("fault", i);
    if (Chance(script_.seed, sha, label, static_cast<uint64_t>(attempt)) < fault.probability) {
      return fault;
    }
  }
  return {};
}

int64_t FakeModel::Delay(const std::string& sha, int attempt) const {
  return script_.latency_ms +
         static_cast<int64_t>(Chance(script_.seed, sha, "latency", static_cast<uint64_t>(attempt)) *
                              static_cast<double>(script_.latency_jitter_ms));
}

PlannedReply FakeModel::Control(const HttpCall& call, std::string_view path,
                                std::string_view query) {
  const bool get = call.method == "GET";
  if (get && path == "/control/stats") return Reply(200, StatsJson(stats()), call.keep_alive);
  if (get && path == "/control/log") {
    std::map<std::string, std::string> fields = QueryFields(query);
    MutexLock lock(&mutex_);
    return Reply(200, LogJson(log_, fields["prompts"] == "1", fields["contains"]), call.keep_alive);
  }
  if (get && path == "/v1/models") {
    return Reply(200, R"({"object":"list","data":[{"id":"fake","object":"model"}]})",
                 call.keep_alive);
  }
  if (call.method == "POST" && path == "/control/reset") {
    Reset();
    return Reply(200, "{}", call.keep_alive);
  }
  if (call.method == "POST" && path == "/control/script") {
    const absl::Status set = SetScript(call.body);
    return set.ok()
               ? Reply(200, "{}", call.keep_alive)
               : Reply(400, StrCat(R"({"error":)", json::JsonString(ToStd(set.message())), "}"),
                       call.keep_alive);
  }
  if (call.method == "POST" && path == "/control/search") {
    const absl::StatusOr<json::Node> root = json::ParseJson(call.body);
    const json::Node* texts = root.ok() ? root->Find("texts") : nullptr;
    if (texts == nullptr) return Reply(400, R"({"error":"texts is required"})", call.keep_alive);
    std::string found;
    for (const json::Node& text : texts->children) {
      StrAppend(&found, found.empty() ? "" : ",", json::JsonString(text.text), ":",
                CountPromptsWith(text.text));
    }
    return Reply(200, StrCat(R"({"prompts_with":{)", found, "}}"), call.keep_alive);
  }
  return Reply(404, R"({"error":{"message":"no such path"}})", call.keep_alive);
}

void FakeModel::Ended(uint64_t logged, bool whole) {
  MutexLock lock(&mutex_);
  log_.End(logged, whole);
}

void FakeModel::Failed(uint64_t logged) {
  MutexLock lock(&mutex_);
  log_.Revoke(logged);
}

void FakeModel::OnConnection(bool opened) {
  MutexLock lock(&mutex_);
  log_.OnConnection(opened);
}

absl::Status FakeModel::SetScript(std::string_view json) {
  ASSAY_ASSIGN_OR_RETURN(Script script, ParseScript(json));
  SetScript(std::move(script));
  return absl::OkStatus();
}

void FakeModel::SetScript(Script script) {
  MutexLock lock(&mutex_);
  script_ = std::move(script);
}

std::vector<LoggedRequest> FakeModel::Log() const {
  MutexLock lock(&mutex_);
  return log_.requests();
}

Stats FakeModel::stats() const {
  MutexLock lock(&mutex_);
  return log_.stats();
}

uint64_t FakeModel::CountPromptsWith(std::string_view text) const {
  MutexLock lock(&mutex_);
  uint64_t count = 0;
  for (const LoggedRequest& request : log_.requests()) {
    if (request.prompt.find(text) != std::string::npos) ++count;
  }
  return count;
}

void FakeModel::Reset() {
  MutexLock lock(&mutex_);
  log_.Clear();
}

}  // namespace assay::fake_llm
