// The bodies of Anthropic's messages, as pure functions.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_ANTHROPIC_WIRE_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_ANTHROPIC_WIRE_H_

#include <string>

#include "absl/status/statusor.h"
#include "services/judge/clients/provider_options.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// The tool that the model must call when an answer by schema is wanted: its input is the answer.
inline constexpr char kVerdictTool[] = "record_verdict";
inline constexpr int kDefaultMaxTokens = 4096;  // Anthropic wants a limit in each request.

// The body that asks `model`. System messages go into `system`; `seed`, which Anthropic does not
// know, is left out. INVALID_ARGUMENT if the schema is no JSON object or a parameter is not finite.
absl::StatusOr<std::string> AnthropicRequestBody(const ModelRequest& request,
                                                 const std::string& model);

// Reads a 2xx answer: the input of the verdict tool if there is one, else the text. Errors as
// ReadOpenAiAnswer's.
absl::StatusOr<ModelResponse> ReadAnthropicAnswer(const ProviderOptions& options,
                                                  const std::string& model,
                                                  const std::string& body);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_ANTHROPIC_WIRE_H_
