#include "services/judge/core/agent/agent_machine.h"

#include <algorithm>
#include <string_view>
#include <variant>

#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"
#include "services/judge/core/answer_confidence.h"
#include "services/judge/core/answer_feedback.h"
#include "services/judge/core/prompt.h"

namespace assay::judge {

namespace {

constexpr size_t kMaxCallsInOneAnswer = 16;
constexpr int kMaxRepeatingRounds = 3;
// Room is left for the answer, and for how far an estimate may be off.
constexpr double kUsedShare = 0.85;
// Of all that fits, what the results of one round may take.
constexpr double kRoundShare = 0.5;
constexpr double kAssumedBytesPerToken = 3;
constexpr size_t kMaxShownTextBytes = 16'000;
constexpr size_t kMaxLoggedCallChars = 200;
constexpr size_t kMaxCallLogBytes = 3'500;

std::string KeyOf(const ModelToolCall& call) { return StrCat(call.name, " ", call.arguments); }

size_t BytesOf(const ChatMessage& message) {
  size_t bytes = message.text.size() + 20;
  for (const ModelToolCall& call : message.tool_calls) {
    bytes += call.name.size() + call.arguments.size() + 40;
  }
  return bytes;
}

}  // namespace

AgentMachine::AgentMachine(AgentPlan plan) : plan_(std::move(plan)) {}

JudgeStep AgentMachine::Next(JudgeEvent event) {
  if (const auto* started = std::get_if<JudgeStarted>(&event)) {
    tally_.Begin(started->now);
    return Ask();
  }
  ModelAnswered& answered = std::get<ModelAnswered>(event);
  if (!answered.response.ok()) {
    tally_.CountFailure(answered.response.status(), answered.now);
    return OnError(answered.response.status());
  }
  tally_.Count(*answered.response, answered.now);
  if (answered.response->input_tokens > 0) {
    bytes_per_token_ = std::clamp(
        static_cast<double>(asked_bytes_) / static_cast<double>(answered.response->input_tokens),
        1.0, 5.0);
  }
  return OnAnswer(*std::move(answered.response));
}

JudgeStep AgentMachine::Ask() {
  PruneToBudget();
  asked_bytes_ = PromptBytes();
  CallModel step{Request()};
  ++questions_;
  return step;
}

JudgeStep AgentMachine::OnAnswer(ModelResponse response) {
  // The second question offers no tools: a call there is no answer.
  if (!response.tool_calls.empty() && !repair_.has_value()) return OnToolCalls(std::move(response));
  const JudgePlan& plan = plan_.judge;
  auto read = ReadFeedback(plan.prompt, response.text, response.truncated);
  std::optional<AnswerViolation> violation;
  if (auto* feedback = std::get_if<common::v1::Feedback>(&read)) {
    violation = AddConfidence(plan.confidence, plan.prompt, response, feedback);
    if (!violation.has_value()) return Finish(std::move(*feedback));
  } else {
    violation = std::move(std::get<AnswerViolation>(read));
  }
  if (repair_.has_value()) {
    return Fail(violation->code,
                StrCat("The model's answer cannot be used, after a second question too: ",
                       violation->message, "."),
                response.text);
  }
  repair_ = Repair{std::move(response.text), *std::move(violation)};
  return Ask();
}

JudgeStep AgentMachine::OnToolCalls(ModelResponse response) {
  if (rounds_used_ >= plan_.max_rounds) {
    return Fail("TOOL_LIMIT_EXCEEDED", StrCat("The model still called tools after ", rounds_used_,
                                              " rounds, as many as the judge allows."));
  }
  ++rounds_used_;
  Round round;
  round.question.role = ChatRole::kAssistant;
  round.question.text =
      std::string(json::TruncateUtf8Bytes(json::SanitizeUtf8(response.text), kMaxShownTextBytes));
  const size_t count = std::min(response.tool_calls.size(), kMaxCallsInOneAnswer);
  bool all_repeated = true;
  std::set<std::string> ids;
  for (size_t i = 0; i < count; ++i) {
    ModelToolCall call = std::move(response.tool_calls[i]);
    if (call.id.empty() || !ids.insert(call.id).second)
      call.id = StrCat("call_", questions_, "_", i);
    if (call.arguments.size() > kMaxToolArgumentBytes) {
      call.arguments =
          std::string(json::TruncateUtf8Bytes(call.arguments, kMaxToolArgumentBytes)) + "...";
    }
    all_repeated = all_repeated && WasAnswered(KeyOf(call));
    ++calls_made_;
    if (call_log_.size() < kMaxCallLogBytes) {
      StrAppend(&call_log_, call_log_.empty() ? "" : "\n",
                json::PreviewOf(json::SanitizeUtf8(KeyOf(call)), kMaxLoggedCallChars));
    }
    ChatMessage result;
    result.role = ChatRole::kTool;
    result.tool_call_id = call.id;
    result.text = RunCall(call, round.bytes, &round);
    round.bytes += BytesOf(result);
    round.results.push_back(std::move(result));
    round.question.tool_calls.push_back(std::move(call));
  }
  if (response.tool_calls.size() > count) {
    StrAppend(&round.results.back().text,
              "Error: further calls of this answer were not made; at most ", kMaxCallsInOneAnswer,
              " are allowed at once\n");
  }
  round.bytes += BytesOf(round.question);
  rounds_.push_back(std::move(round));
  repeating_rounds_ = all_repeated ? repeating_rounds_ + 1 : 0;
  if (repeating_rounds_ >= kMaxRepeatingRounds) {
    return Fail("TOOL_LIMIT_EXCEEDED",
                "The model goes on repeating calls of tools that were answered already.");
  }
  return Ask();
}

std::string AgentMachine::RunCall(const ModelToolCall& call, size_t bytes_so_far,
                                  Round* round) const {
  const std::string key = KeyOf(call);
  if (WasAnswered(key) || !round->calls.insert(key).second) {
    return "Error: this very call was answered already, above; use that answer, or ask for "
           "something "
           "else\n";
  }
  std::string result = plan_.tools->Run(call);
  const double room = kRoundShare * static_cast<double>(plan_.max_input_tokens) * BytesPerToken();
  if (bytes_so_far == 0 || static_cast<double>(bytes_so_far + result.size()) <= room) return result;
  round->calls.erase(key);  // It may be made again.
  return StrCat(
      "Error: the results of this answer's calls are too long together; this one would "
      "have had ",
      result.size(),
      " bytes. Call it again by itself, or ask for less with max_content_length or "
      "max_results\n");
}

bool AgentMachine::WasAnswered(const std::string& key) const {
  return std::any_of(rounds_.begin(), rounds_.end(),
                     [&](const Round& round) { return round.calls.contains(key); });
}

JudgeStep AgentMachine::OnError(const absl::Status& error) {
  const std::string_view code = ModelErrorCode(error);
  if (code == "MODEL_CONTEXT_OVERFLOW" && !rounds_.empty()) {
    rounds_.pop_front();
    ++rounds_dropped_;
    return Ask();
  }
  if (code.empty()) return JudgeFinished{error};
  return Fail(code, ToStd(error.message()));
}

JudgeFinished AgentMachine::Fail(std::string_view code, std::string_view message,
                                 std::string_view answer) {
  return Finish(ErrorFeedback(code, message, answer));
}

JudgeFinished AgentMachine::Finish(common::v1::Feedback feedback) {
  JudgeVerdict verdict = tally_.Verdict(plan_.judge, repair_.has_value(), std::move(feedback));
  verdict.metadata = plan_.metadata;
  verdict.metadata["tool_rounds"] = StrCat(rounds_used_);
  verdict.metadata["tool_call_count"] = StrCat(calls_made_);
  if (!call_log_.empty()) verdict.metadata["tool_calls"] = call_log_;
  if (rounds_dropped_ > 0) verdict.metadata["tool_rounds_dropped"] = StrCat(rounds_dropped_);
  return {std::move(verdict)};
}

ModelRequest AgentMachine::Request() const {
  ModelRequest request = plan_.judge.Request(StrCat("/", questions_));
  if (repair_.has_value()) {
    AppendFlattened(&request.messages);
    AppendRepair(plan_.judge.prompt, repair_->answer, repair_->violation.message,
                 &request.messages);
    return request;
  }
  if (!plan_.schema_with_tools) request.response_schema.clear();
  request.tools = TraceTools::Offered();
  for (const Round& round : rounds_) {
    request.messages.push_back(round.question);
    request.messages.insert(request.messages.end(), round.results.begin(), round.results.end());
  }
  return request;
}

// The rounds as plain text: some providers refuse calls of tools in a question that offers none.
void AgentMachine::AppendFlattened(std::vector<ChatMessage>* messages) const {
  for (const Round& round : rounds_) {
    ChatMessage question{.role = ChatRole::kAssistant, .text = "I called these tools:"};
    for (const ModelToolCall& call : round.question.tool_calls) {
      StrAppend(&question.text, "\n", json::PreviewOf(KeyOf(call), kMaxToolArgumentBytes));
    }
    ChatMessage results{.role = ChatRole::kUser, .text = "Their results:\n"};
    for (const ChatMessage& result : round.results) results.text += result.text;
    messages->push_back(std::move(question));
    messages->push_back(std::move(results));
  }
}

size_t AgentMachine::PromptBytes() const {
  size_t bytes = repair_.has_value() ? 2 * kMaxShownTextBytes : 4'000;  // Of repair, or of tools.
  for (const ChatMessage& message : plan_.judge.prompt.messages) bytes += BytesOf(message);
  for (const Round& round : rounds_) bytes += round.bytes;
  return bytes;
}

double AgentMachine::BytesPerToken() const {
  return bytes_per_token_ > 0 ? bytes_per_token_ : kAssumedBytesPerToken;
}

void AgentMachine::PruneToBudget() {
  const double budget = kUsedShare * static_cast<double>(plan_.max_input_tokens) * BytesPerToken();
  while (rounds_.size() > 1 && static_cast<double>(PromptBytes()) > budget) {
    rounds_.pop_front();
    ++rounds_dropped_;
  }
}

}  // namespace assay::judge
