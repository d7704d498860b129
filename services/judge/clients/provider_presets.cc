#include "services/judge/clients/provider_presets.h"

namespace assay::judge {
namespace {

constexpr ProviderPreset kPresets[] = {
    {"anthropic", "Anthropic", Dialect::kAnthropic, "https://api.anthropic.com",
     "ANTHROPIC_API_KEY", "", /*schema_with_tools=*/true},
    {"azure", "Azure OpenAI", Dialect::kAzure, "", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT",
     /*schema_with_tools=*/true},
    {"bedrock", "Amazon Bedrock", Dialect::kBedrock, "", "", "", /*schema_with_tools=*/true},
    {"databricks", "Databricks serving", Dialect::kDatabricks, "", "DATABRICKS_TOKEN",
     "DATABRICKS_HOST"},
    {"deepseek", "DeepSeek", Dialect::kOpenAi, "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY",
     ""},
    {"gemini", "Google Gemini", Dialect::kGemini,
     "https://generativelanguage.googleapis.com/v1beta", "GEMINI_API_KEY", ""},
    {"groq", "Groq", Dialect::kOpenAi, "https://api.groq.com/openai/v1", "GROQ_API_KEY", ""},
    {"mistral", "Mistral", Dialect::kOpenAi, "https://api.mistral.ai/v1", "MISTRAL_API_KEY", ""},
    // It cuts longer prompts at their beginning and says nothing.
    {"ollama", "Ollama", Dialect::kOpenAi, "http://127.0.0.1:11434/v1", "", "",
     /*schema_with_tools=*/false, /*max_input_tokens=*/4'096},
    {"openai", "OpenAI", Dialect::kOpenAi, "https://api.openai.com/v1", "OPENAI_API_KEY", "",
     /*schema_with_tools=*/true},
    {"openrouter", "OpenRouter", Dialect::kOpenAi, "https://openrouter.ai/api/v1",
     "OPENROUTER_API_KEY", ""},
    {"together", "Together", Dialect::kOpenAi, "https://api.together.xyz/v1", "TOGETHER_API_KEY",
     ""},
    {"xai", "xAI", Dialect::kOpenAi, "https://api.x.ai/v1", "XAI_API_KEY", ""},
};

}  // namespace

absl::Span<const ProviderPreset> ProviderPresets() { return kPresets; }

const ProviderPreset* FindProviderPreset(std::string_view name) {
  for (const ProviderPreset& preset : kPresets) {
    if (preset.name == name) return &preset;
  }
  return nullptr;
}

bool TakesSchemaWithTools(Dialect dialect) {
  return dialect == Dialect::kAnthropic || dialect == Dialect::kBedrock;
}

}  // namespace assay::judge
