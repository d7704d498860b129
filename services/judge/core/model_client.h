// The port to language models: what a judge asks, and what comes back.
#ifndef ASSAY_SERVICES_JUDGE_CORE_MODEL_CLIENT_H_
#define ASSAY_SERVICES_JUDGE_CORE_MODEL_CLIENT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"

namespace assay::judge {

enum class ChatRole { kSystem, kUser, kAssistant, kTool };

// A tool that a model may ask for.
struct ModelTool {
  std::string name;
  std::string description;
  std::string parameters_schema;  // JSON Schema text of an object.
};

// A call of a tool that a model asks for.
struct ModelToolCall {
  std::string id;  // What the result refers to; made up where a provider has none.
  std::string name;
  std::string arguments;  // JSON text as the model wrote it; may be no valid JSON.
};

struct ChatMessage {
  ChatRole role = ChatRole::kUser;
  std::string text;                       // UTF-8. Of kTool: the result.
  std::vector<ModelToolCall> tool_calls;  // Of kAssistant.
  std::string tool_call_id;               // Of kTool.
};

// Whose call it is: budgets and usage are kept by these. Both may be "".
struct ModelAccount {
  std::string experiment;  // experiments/{experiment}
  std::string judge;       // The judge's revision, or the assessment's name.
};

struct ModelRequest {
  std::string model_uri;  // `provider:/model`.
  std::vector<ChatMessage> messages;
  std::string response_schema;               // JSON Schema text, or "" for free text.
  std::string schema_name;                   // A name for the schema, where a provider wants one.
  std::map<std::string, double> parameters;  // temperature, top_p, max_tokens, seed.
  std::string idempotency_key;               // "" if the call may simply be made again.
  std::vector<ModelTool> tools;              // Offered; the model decides whether it calls them.
  // Asks for the probabilities of the answer's tokens. Providers without them ignore it.
  bool token_probabilities = false;
  // Asked in this order where the model before fails for good (unreachable, quota).
  std::vector<std::string> fallback_models;
  ModelAccount account;
  bool bypass_cache = false;  // The model is asked in any case; its answer replaces the cached one.
  // Numbers the samples of one question that is asked several times on purpose: equal questions
  // share one call and one cached answer, samples do not.
  int sample = 0;
  int attempt = 1;  // Which one it is; the retry loop counts.
};

struct TokenProbability {
  std::string token;
  double probability = 0;  // From 0 to 1.
  // What else might have stood there, the likeliest first, this token included where it is said.
  std::vector<std::pair<std::string, double>> alternatives;
};

// What a provider says of its limits in an answer's headers, where it says it.
struct RateHints {
  std::optional<int64_t> remaining_requests;
  std::optional<int64_t> remaining_tokens;
  absl::Duration requests_reset = absl::ZeroDuration();  // Until the budget of requests is full.
  absl::Duration tokens_reset = absl::ZeroDuration();
};

struct ModelResponse {
  std::string text;
  std::string answered_by;  // The model that answered, by its own name.
  std::string model_uri;    // The one that answered, a fallback perhaps. "": the request's.
  int64_t input_tokens = 0;
  int64_t output_tokens = 0;
  int64_t cached_input_tokens = 0;  // Of the input tokens, those the provider had cached.
  int64_t reasoning_tokens = 0;     // Of the output tokens, those the model thought with.
  int attempts = 1;        // Over the network, retries included; 0 if the answer was cached here.
  bool truncated = false;  // Cut off by a token limit.
  std::vector<ModelToolCall> tool_calls;
  std::vector<TokenProbability> token_probabilities;  // Of `text`, in order; empty if not said.
  bool cache_hit = false;                             // From our own response cache.
  std::optional<double> cost_usd;                     // By the price table; absent if not known.
  RateHints rate_hints;
};

// What a model can do beyond answering with text.
struct ModelTraits {
  bool tools = false;
  bool token_probabilities = false;
  bool schema_with_tools = false;  // Whether one request may have both.
  int64_t max_input_tokens = 0;    // 0: not known.
};

// Errors of Complete: UNAVAILABLE, reason MODEL_UNREACHABLE (after bounded retries; metadata
// attempts, last_error); FAILED_PRECONDITION MODEL_NOT_CONFIGURED or MODEL_UNAUTHORIZED;
// DEADLINE_EXCEEDED MODEL_TIMEOUT; INVALID_ARGUMENT MODEL_REFUSED (the provider refuses this very
// request), MODEL_CONTEXT_OVERFLOW or INVALID_INFERENCE_PARAMETER; RESOURCE_EXHAUSTED
// MODEL_QUOTA_EXHAUSTED, MODEL_ANSWER_TOO_LARGE or BUDGET_EXHAUSTED; CANCELLED. Thread-safe.
class ModelClient {
 public:
  virtual ~ModelClient() = default;
  // Calls `done` exactly once, never inline. Honours the deadline and the cancellation of
  // `context`.
  virtual void Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) = 0;

  // What the model behind `model_uri` can do, as far as it is known. Decorators pass it on.
  virtual ModelTraits Traits(std::string_view) const { return {}; }
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_MODEL_CLIENT_H_
