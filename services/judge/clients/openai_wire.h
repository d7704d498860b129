// The bodies of OpenAI's chat completions, as pure functions.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_OPENAI_WIRE_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_OPENAI_WIRE_H_

#include <string>

#include "absl/status/statusor.h"
#include "services/judge/clients/provider_options.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// The body that asks `model`. With `structured`, the response schema goes into response_format;
// without, it is spelled out in a system message. INVALID_ARGUMENT if the schema is no JSON object
// or a parameter is not finite.
absl::StatusOr<std::string> OpenAiRequestBody(const ProviderOptions& options,
                                              const ModelRequest& request, const std::string& model,
                                              bool structured);

// Reads a 2xx answer. Errors: UNAVAILABLE MODEL_UNREACHABLE, marked retriable, if it is not what
// the contract says; INVALID_ARGUMENT MODEL_REFUSED if the model or a content filter refuses.
absl::StatusOr<ModelResponse> ReadOpenAiAnswer(const ProviderOptions& options,
                                               const std::string& model, const std::string& body);

// Whether this 400 says that the server knows no structured output.
bool SaysNoStructuredOutput(int status, const std::string& body);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_OPENAI_WIRE_H_
