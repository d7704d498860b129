// The port to language models: what a judge asks, and what comes back.
#ifndef ASSAY_SERVICES_JUDGE_CORE_MODEL_CLIENT_H_
#define ASSAY_SERVICES_JUDGE_CORE_MODEL_CLIENT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/exec/call_context.h"
#include "common/exec/done.h"

namespace assay::judge {

enum class ChatRole { kSystem, kUser, kAssistant };

struct ChatMessage {
  ChatRole role = ChatRole::kUser;
  std::string text;  // UTF-8.
};

struct ModelRequest {
  std::string model_uri;  // `provider:/model`.
  std::vector<ChatMessage> messages;
  std::string response_schema;               // JSON Schema text, or "" for free text.
  std::string schema_name;                   // A name for the schema, where a provider wants one.
  std::map<std::string, double> parameters;  // temperature, top_p, max_tokens, seed.
  std::string idempotency_key;               // "" if the call may simply be made again.
};

struct ModelResponse {
  std::string text;
  std::string answered_by;  // The model that answered, by its own name.
  int64_t input_tokens = 0;
  int64_t output_tokens = 0;
  int attempts = 1;        // Over the network, retries included.
  bool truncated = false;  // Cut off by a token limit.
};

// Errors of Complete: UNAVAILABLE, reason MODEL_UNREACHABLE (after bounded retries; metadata
// attempts, last_error); FAILED_PRECONDITION MODEL_NOT_CONFIGURED; DEADLINE_EXCEEDED MODEL_TIMEOUT;
// INVALID_ARGUMENT MODEL_REFUSED (the provider refuses this very request); RESOURCE_EXHAUSTED
// MODEL_QUOTA_EXHAUSTED; CANCELLED. Thread-safe.
class ModelClient {
 public:
  virtual ~ModelClient() = default;
  // Calls `done` exactly once, never inline. Honours the deadline and the cancellation of
  // `context`.
  virtual void Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) = 0;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_MODEL_CLIENT_H_
