#include "services/judge/clients/limits/token_estimate.h"

#include <algorithm>

namespace assay::judge {
namespace {

constexpr int64_t kBytesPerToken = 4;
constexpr double kUsualAnswer = 300;
constexpr int64_t kTokensPerPart = 16;  // Roles and separators around a message or a tool.
constexpr int64_t kTokensPerRequest =
    512;  // Instructions that providers add for tools and schemas.

}  // namespace

int64_t PromptBytes(const ModelRequest& request) {
  size_t bytes = request.response_schema.size();
  for (const ChatMessage& message : request.messages) {
    bytes += message.text.size();
    for (const ModelToolCall& call : message.tool_calls) {
      bytes += call.id.size() + call.name.size() + call.arguments.size();
    }
  }
  for (const ModelTool& tool : request.tools) {
    bytes += tool.name.size() + tool.description.size() + tool.parameters_schema.size();
  }
  return static_cast<int64_t>(bytes);
}

int64_t LikelyInputTokens(const ModelRequest& request) {
  return PromptBytes(request) / kBytesPerToken;
}

double ExpectedTokens(const ModelRequest& request) {
  double output = kUsualAnswer;
  if (const std::optional<int64_t> most = MostOutputTokens(request)) {
    output = std::min(output, static_cast<double>(*most));
  }
  return static_cast<double>(LikelyInputTokens(request)) + output;
}

int64_t MostInputTokens(const ModelRequest& request) {
  const auto parts = static_cast<int64_t>(request.messages.size() + request.tools.size());
  const bool extras = !request.response_schema.empty() || !request.tools.empty();
  return PromptBytes(request) + kTokensPerPart * (parts + 1) + (extras ? kTokensPerRequest : 0);
}

std::optional<int64_t> MostOutputTokens(const ModelRequest& request) {
  const auto found = request.parameters.find("max_tokens");
  if (found == request.parameters.end() || !(found->second >= 1)) return std::nullopt;
  return static_cast<int64_t>(std::min(found->second, 1e9));
}

}  // namespace assay::judge
