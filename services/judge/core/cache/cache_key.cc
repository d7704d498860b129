#include "services/judge/core/cache/cache_key.h"

#include <cstdint>
#include <cstring>

#include "common/json/canonical.h"

namespace assay::judge {
namespace {

// Every field with its size before it, so that no two requests have the same bytes.
class Bytes {
 public:
  Bytes& Number(uint64_t value) {
    char bytes[sizeof(value)];
    std::memcpy(bytes, &value, sizeof(value));
    text_.append(bytes, sizeof(bytes));
    return *this;
  }
  Bytes& Text(std::string_view value) {
    Number(value.size());
    text_.append(value);
    return *this;
  }
  Bytes& Real(double value) {
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(bits));
    return Number(bits);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_ = "answer 1\n";
};

void AddMessages(const ModelRequest& request, Bytes* bytes) {
  bytes->Number(request.messages.size());
  for (const ChatMessage& message : request.messages) {
    bytes->Number(static_cast<uint64_t>(message.role)).Text(message.text);
    bytes->Text(message.tool_call_id).Number(message.tool_calls.size());
    for (const ModelToolCall& call : message.tool_calls) {
      bytes->Text(call.id).Text(call.name).Text(call.arguments);
    }
  }
}

}  // namespace

std::string CacheKey(std::string_view identity, const ModelRequest& request) {
  Bytes bytes;
  bytes.Text(identity);
  AddMessages(request, &bytes);
  bytes.Text(request.response_schema).Text(request.schema_name);
  bytes.Number(request.tools.size());
  for (const ModelTool& tool : request.tools) {
    bytes.Text(tool.name).Text(tool.description).Text(tool.parameters_schema);
  }
  bytes.Number(request.parameters.size());
  for (const auto& [name, value] : request.parameters) bytes.Text(name).Real(value);
  bytes.Number(request.token_probabilities ? 1 : 0);
  bytes.Number(static_cast<uint64_t>(request.sample));
  return json::Sha256Bytes(bytes.text());
}

}  // namespace assay::judge
