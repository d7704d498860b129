// The two wire forms, read into one and written from one.
#ifndef ASSAY_TESTS_FAKE_LLM_CHAT_H_
#define ASSAY_TESTS_FAKE_LLM_CHAT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/json/safe_json.h"
#include "tests/fake_llm/script.h"

namespace assay::fake_llm {

enum class WireForm : uint8_t { kOpenAi, kAnthropic };

struct ChatTurn {
  std::string role;
  std::string text;
};

struct ChatRequest {
  WireForm form = WireForm::kOpenAi;
  std::string model;
  std::vector<ChatTurn> turns;  // Anthropic's system text comes first.
  json::Node schema;            // Null if none is asked for.
  bool structured = false;      // By response_format or by a forced tool.
  std::string tool;             // Anthropic: the tool to call.
  bool offers_tools = false;    // OpenAI: the model may call tools, and has,
  size_t tool_rounds = 0;       // in so many of the turns.

  // All turns, each with its role.
  std::string PromptText() const;
};

// INVALID_ARGUMENT for a body that is not of its form.
absl::StatusOr<ChatRequest> ReadChatRequest(WireForm form, const std::string& body);

struct ChatAnswer {
  std::string content;      // What the model writes; JSON where a schema was asked for.
  bool plain_text = false;  // Anthropic: as text, even if a tool was to be called.
  bool truncated = false;
  bool refused = false;
  std::vector<ScriptedToolCall> tool_calls;  // OpenAI: instead of content.
  int64_t input_tokens = 0;
  int64_t output_tokens = 0;
};

// The body of a 200. `id` becomes part of the answer's id.
std::string WriteChatAnswer(WireForm form, const std::string& model, const std::string& tool,
                            const ChatAnswer& answer, uint64_t id);

// The body of an error.
std::string WriteChatError(WireForm form, std::string_view type, std::string_view message);

}  // namespace assay::fake_llm

#endif  // ASSAY_TESTS_FAKE_LLM_CHAT_H_
