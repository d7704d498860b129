#include "services/judge/clients/model_windows.h"

#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "re2/re2.h"

namespace assay::judge {
namespace {

// Names that begin with another one stand before it.
constexpr std::pair<std::string_view, int64_t> kWindows[] = {
    {"gpt-5", 272'000},
    {"gpt-4.1", 1'000'000},
    {"gpt-4o", 128'000},
    {"gpt-4-turbo", 128'000},
    {"gpt-4-32k", 32'768},
    {"gpt-4", 8'192},
    {"gpt-3.5-turbo", 16'385},
    {"gpt-35-turbo", 16'385},
    {"gpt-oss", 131'072},
    {"o1-mini", 128'000},
    {"o1", 200'000},
    {"o3", 200'000},
    {"o4-mini", 200'000},
    {"claude-instant", 100'000},
    {"claude-2.0", 100'000},
    {"claude", 200'000},
    {"gemini-1.0", 30'720},
    {"gemini", 1'048'576},
    {"grok-4", 256'000},
    {"grok", 131'072},
    {"deepseek", 128'000},
    {"mistral-large", 128'000},
    {"mistral-medium", 128'000},
    {"mistral-small", 32'000},
    {"mixtral-8x22b", 64'000},
    {"mixtral", 32'000},
    {"llama-3.1", 128'000},
    {"llama-3.2", 128'000},
    {"llama-3.3", 128'000},
    {"llama3-1", 128'000},
    {"llama3-2", 128'000},
    {"llama3-3", 128'000},
    {"meta-llama-3-1", 128'000},
    {"meta-llama-3-3", 128'000},
    {"llama-3", 8'192},
    {"llama3", 8'192},
    {"llama-2", 4'096},
    {"nova-micro", 128'000},
    {"nova", 300'000},
    {"command-r", 128'000},
    {"dbrx", 32'768},
};

constexpr int64_t kLeastTokens = 256;
constexpr int64_t kMostTokens = 100'000'000;

bool BeginsWord(std::string_view text, size_t at) {
  return at == 0 || !absl::ascii_isalnum(static_cast<unsigned char>(text[at - 1]));
}

}  // namespace

int64_t KnownInputTokens(std::string_view model) {
  const std::string lower = absl::AsciiStrToLower(std::string(model));
  for (const auto& [name, tokens] : kWindows) {
    for (size_t at = lower.find(name); at != std::string::npos; at = lower.find(name, at + 1)) {
      if (BeginsWord(lower, at)) return tokens;
    }
  }
  return 0;
}

std::optional<int64_t> InputTokensIn(std::string_view refusal) {
  static const RE2* const kForms[] = {
      new RE2(R"((?i)context (?:length|window|size)(?: is| of)?(?: only)?[ (]+([\d,]+))"),
      new RE2(R"((?i)maximum prompt length is ([\d,]+))"),
      new RE2(R"((?i)maximum number of (?:input )?tokens(?: allowed)?[ (]+([\d,]+))"),
      new RE2(R"(> ([\d,]+) maximum)"),
  };
  const re2::StringPiece text(refusal.data(), refusal.size());
  for (const RE2* form : kForms) {
    std::string digits;
    if (!RE2::PartialMatch(text, *form, &digits)) continue;
    std::erase(digits, ',');
    int64_t tokens = 0;
    if (absl::SimpleAtoi(digits, &tokens) && tokens >= kLeastTokens && tokens <= kMostTokens) {
      return tokens;
    }
  }
  return std::nullopt;
}

}  // namespace assay::judge
