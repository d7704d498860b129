// How much the known models read at once.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_MODEL_WINDOWS_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_MODEL_WINDOWS_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace assay::judge {

// Tokens of input that a model of that name takes, whatever stands around the name (a vendor, a
// region, a version): "us.anthropic.claude-sonnet-4-5-v1:0". 0 if the name is not known.
// Thread-safe, as all here.
int64_t KnownInputTokens(std::string_view model);

// The limit that a provider names when it refuses a prompt as too long: "This model's maximum
// context length is 8192 tokens". nullopt if it names none that can be one.
std::optional<int64_t> InputTokensIn(std::string_view refusal);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_MODEL_WINDOWS_H_
