// The providers that are known by name: what stands before ":/" in a model's URI.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_PRESETS_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_PRESETS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/types/span.h"

namespace assay::judge {

// What is spoken to a provider.
enum class Dialect : uint8_t { kOpenAi, kAzure, kDatabricks, kAnthropic, kGemini, kBedrock };

struct ProviderPreset {
  std::string_view name;  // In URIs, and before _base_url and _api_key_file among the flags.
  std::string_view title;
  Dialect dialect = Dialect::kOpenAi;
  std::string_view base_url;           // "" if it must be set.
  std::string_view key_variable;       // "" if no key is needed.
  std::string_view base_url_variable;  // Of the environment; "" if there is none.
  bool schema_with_tools = false;      // Whether one question may have a schema and tools.
  int64_t max_input_tokens = 0;        // Of all its models; 0: by their names.
};

// In the order of their names. Thread-safe.
absl::Span<const ProviderPreset> ProviderPresets();

// Null for a name that is not known.
const ProviderPreset* FindProviderPreset(std::string_view name);

// Whether a server of the operator's that speaks so takes a schema and tools in one question. False
// where servers differ: some then never call a tool.
bool TakesSchemaWithTools(Dialect dialect);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_PRESETS_H_
