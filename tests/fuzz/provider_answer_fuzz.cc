// Whatever a provider answers is read, or is an error with a reason. The first byte chooses the
// provider and whether it is a good answer or a refusal.
#include <memory>
#include <string>
#include <vector>

#include "common/status/errors.h"
#include "services/judge/clients/anthropic_wire.h"
#include "services/judge/clients/attempt_error.h"
#include "services/judge/clients/bedrock_wire.h"
#include "services/judge/clients/gemini_wire.h"
#include "services/judge/clients/openai_wire.h"
#include "tests/fuzz/check.h"

namespace {

using namespace assay::judge;

std::vector<std::unique_ptr<ProviderWire>> Wires() {
  std::vector<std::unique_ptr<ProviderWire>> wires;
  wires.push_back(std::make_unique<OpenAiWire>(OpenAiWire::Options{.uri_prefix = "openai:/"}));
  wires.push_back(std::make_unique<AnthropicWire>("anthropic:/"));
  wires.push_back(std::make_unique<GeminiWire>("gemini:/"));
  wires.push_back(std::make_unique<BedrockWire>("bedrock:/"));
  return wires;
}

void CheckAnswer(const absl::StatusOr<ModelResponse>& answer) {
  if (!answer.ok()) {
    FUZZ_CHECK(!assay::ErrorReason(answer.status()).empty());
    return;
  }
  FUZZ_CHECK(answer->input_tokens >= 0 && answer->output_tokens >= 0);
  for (const ModelToolCall& call : answer->tool_calls) FUZZ_CHECK(!call.name.empty());
  for (const TokenProbability& token : answer->token_probabilities) {
    FUZZ_CHECK(token.probability >= 0 && token.probability <= 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static const auto* const wires = new std::vector<std::unique_ptr<ProviderWire>>(Wires());
  const std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const ProviderWire& wire = *(*wires)[data[0] % wires->size()];
  if (data[0] & 0x80) {
    const int status = 400 + (data[0] & 0x1f);
    const assay::http::HttpResponse answer = {status, {}, "hush-1234" + body};
    const absl::Status error = AnswerError("p:/", {"hush-1234"}, answer, absl::UnixEpoch());
    FUZZ_CHECK(!error.ok() && !assay::ErrorReason(error).empty());
    FUZZ_CHECK(error.ToString().find("hush-1234") == std::string::npos);
    wire.RefusedBy(status, ReadProviderError(answer));
    return 0;
  }
  CheckAnswer(wire.Read(ModelRequest(), "m", body));
  return 0;
}
