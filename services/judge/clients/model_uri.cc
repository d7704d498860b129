#include "services/judge/clients/model_uri.h"

#include <algorithm>

#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"
#include "services/judge/clients/provider_presets.h"

namespace assay::judge {
namespace {

constexpr size_t kMaxUriBytes = 500;
constexpr size_t kMaxShownChars = 100;

std::string_view WithoutSlashes(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of('/'), text.size()));
  return text;
}

std::string Providers() {
  std::string names;
  for (const ProviderPreset& preset : ProviderPresets()) {
    StrAppend(&names, names.empty() ? "" : ", ", preset.name);
  }
  return names;
}

}  // namespace

absl::Status InvalidModelUri(std::string_view uri, std::string_view why) {
  return InvalidField(
      "model",
      StrCat("`", json::PreviewOf(uri, kMaxShownChars), "` ", why,
             "; a model is <provider>:/<model> with a provider of ", Providers(),
             ", or endpoints:/<name>, endpoints:/<name>/<model>, ", "offline:/lexical"),
      "INVALID_MODEL_URI");
}

absl::StatusOr<ModelUri> ParseModelUri(std::string_view uri) {
  const size_t colon = uri.find(":/");
  if (colon == std::string_view::npos) return InvalidModelUri(uri, "is no model URI");
  const bool printable = std::all_of(uri.begin(), uri.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7f;
  });
  if (uri.size() > kMaxUriBytes) return InvalidModelUri(uri, "is longer than 500 bytes");
  if (!printable) return InvalidModelUri(uri, "holds spaces or control characters");
  ModelUri parsed;
  parsed.provider = std::string(uri.substr(0, colon));
  std::string_view name = WithoutSlashes(uri.substr(colon + 1));
  if (name.empty()) return InvalidModelUri(uri, "names no model");
  if (parsed.provider == "endpoints") {
    const size_t slash = name.find('/');
    parsed.endpoint = std::string(name.substr(0, slash));
    name =
        slash == std::string_view::npos ? std::string_view() : WithoutSlashes(name.substr(slash));
  } else if (parsed.provider != "offline" && FindProviderPreset(parsed.provider) == nullptr) {
    return InvalidModelUri(uri, "has a provider that is not known here");
  }
  parsed.model = std::string(name);
  return parsed;
}

}  // namespace assay::judge
