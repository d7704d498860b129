#include "services/judge/clients/provider_settings.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/clients/key_source.h"

namespace assay::judge {
namespace {

constexpr std::string_view kFields[] = {"name",
                                        "url",
                                        "model",
                                        "dialect",
                                        "api_key_env",
                                        "header",
                                        "header_env",
                                        "ca_file",
                                        "api_key_file",
                                        "proxy",
                                        "private",
                                        "schema_with_tools",
                                        "max_input_tokens",
                                        "token_url",
                                        "token_scope",
                                        "client_id",
                                        "client_secret_env",
                                        "client_secret_file"};

constexpr int64_t kLeastInputTokens = 1'000;
constexpr int64_t kMostInputTokens = 100'000'000;

bool MayRepeat(std::string_view field) { return field == "header" || field == "header_env"; }

bool IsHeaderName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
  });
}

// "Name: value", the value perhaps that of a variable.
absl::StatusOr<http::HttpHeader> ReadHeader(const std::string& text, bool from_environment,
                                            std::string_view flag, const config::EnvLookup& env) {
  const size_t colon = text.find(':');
  const std::string name(absl::StripAsciiWhitespace(text.substr(0, colon)));
  if (colon == std::string::npos || !IsHeaderName(name)) {
    return InvalidFlag(flag, "a header is `Name: value`, header_env `Name: VARIABLE`");
  }
  std::string value(absl::StripAsciiWhitespace(text.substr(colon + 1)));
  if (from_environment) {
    const std::string variable = value;
    value = env(variable).value_or("");
    absl::StripAsciiWhitespace(&value);
    if (value.empty()) {
      return InvalidFlag(flag, StrCat("the environment variable ", variable, " for the header ",
                                      name, " is not set"));
    }
  }
  const bool printable = std::all_of(value.begin(), value.end(), [](char c) {
    return absl::ascii_isprint(static_cast<unsigned char>(c));
  });
  if (value.empty() || !printable) {
    return InvalidFlag(flag,
                       StrCat("the value of the header ", name, " is empty, or not printable"));
  }
  return http::HttpHeader{name, value};
}

absl::StatusOr<Dialect> ReadDialect(const std::string& name, std::string_view flag) {
  if (name.empty() || name == "openai") return Dialect::kOpenAi;
  if (name == "anthropic") return Dialect::kAnthropic;
  if (name == "gemini") return Dialect::kGemini;
  if (name == "databricks") return Dialect::kDatabricks;
  return InvalidFlag(flag, "dialect= is one of openai, anthropic, gemini, databricks");
}

absl::Status ApplyBool(const ProviderFields& fields, const std::string& name, std::string_view flag,
                       bool* value) {
  const std::string text = FieldOf(fields, name);
  if (text.empty()) return absl::OkStatus();
  if (text != "true" && text != "false") {
    return InvalidFlag(flag, StrCat(name, "= is true or false"));
  }
  *value = text == "true";
  return absl::OkStatus();
}

// What the models behind it can do.
absl::Status ApplyTraitFields(const ProviderFields& fields, std::string_view flag,
                              ProviderConfig* provider) {
  ASSAY_RETURN_IF_ERROR(ApplyBool(fields, "schema_with_tools", flag, &provider->schema_with_tools));
  const std::string tokens = FieldOf(fields, "max_input_tokens");
  if (tokens.empty()) return absl::OkStatus();
  if (!absl::SimpleAtoi(tokens, &provider->max_input_tokens) ||
      provider->max_input_tokens < kLeastInputTokens ||
      provider->max_input_tokens > kMostInputTokens) {
    return InvalidFlag(flag, StrCat("max_input_tokens= is a number from ", kLeastInputTokens,
                                    " to ", kMostInputTokens));
  }
  return absl::OkStatus();
}

absl::Status ApplyNetworkFields(const ProviderFields& fields, std::string_view flag,
                                ProviderConfig* provider) {
  if (const std::string path = FieldOf(fields, "ca_file"); !path.empty()) {
    if (!std::ifstream(path).good()) {
      return InvalidFlag(flag, StrCat("ca_file=", path, " cannot be read"));
    }
    provider->ca_file = path;
  }
  if (const std::string proxy = FieldOf(fields, "proxy"); !proxy.empty()) {
    ASSAY_ASSIGN_OR_RETURN(provider->proxy, CheckBaseUrl(proxy, flag));
  }
  return ApplyBool(fields, "private", flag, &provider->private_addresses);
}

// A client's id and secret, for which a token is asked for in a key's place.
absl::Status ApplyClientCredentials(const ProviderFields& fields, std::string_view flag,
                                    const config::EnvLookup& env, ProviderConfig* provider) {
  OAuthConfig& oauth = provider->oauth;
  if (const std::string url = FieldOf(fields, "token_url"); !url.empty()) {
    ASSAY_ASSIGN_OR_RETURN(oauth.token_url, CheckBaseUrl(url, flag));
  }
  if (fields.contains("token_scope")) oauth.scope = FieldOf(fields, "token_scope");
  const std::string id = FieldOf(fields, "client_id");
  const std::string variable = FieldOf(fields, "client_secret_env");
  const std::string file = FieldOf(fields, "client_secret_file");
  if (id.empty() && variable.empty() && file.empty()) return absl::OkStatus();
  if (id.empty() || variable.empty() == file.empty() || fields.contains("api_key_env") ||
      fields.contains("api_key_file")) {
    return InvalidFlag(flag,
                       "takes client_id= with one of client_secret_env= and "
                       "client_secret_file=, and no key beside it");
  }
  if (oauth.token_url.empty()) return InvalidFlag(flag, "needs token_url= beside client_id=");
  ASSAY_RETURN_IF_ERROR(ReadClientSecret(id, variable, file, flag, env, provider));
  if (oauth.client_secret.empty()) {
    return InvalidFlag(flag, StrCat("the environment variable ", variable, " is not set"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status InvalidFlag(std::string_view flag, std::string_view what) {
  return InvalidField(flag, what, "INVALID_FLAG");
}

absl::StatusOr<std::vector<ProviderFields>> SplitProviderEntries(
    const std::vector<std::string>& texts, std::string_view flag, std::string_view form) {
  std::vector<ProviderFields> entries;
  for (const std::string& text : texts) {
    for (absl::string_view piece :
         absl::StrSplit(text, absl::ByAnyChar(",;"), absl::SkipWhitespace())) {
      const std::pair<std::string, std::string> field =
          absl::StrSplit(absl::StripAsciiWhitespace(piece), absl::MaxSplits('=', 1));
      if (std::find(std::begin(kFields), std::end(kFields), field.first) == std::end(kFields)) {
        return InvalidFlag(flag, StrCat("is ", form));
      }
      if (field.first == "name") entries.emplace_back();
      if (entries.empty()) return InvalidFlag(flag, StrCat("begins with name=; it is ", form));
      const bool again = entries.back().contains(field.first) && !MayRepeat(field.first);
      if (field.second.empty() || again) {
        return InvalidFlag(flag, StrCat(field.first, "= is empty or given twice; it is ", form));
      }
      entries.back().insert(field);
    }
  }
  return entries;
}

std::string FieldOf(const ProviderFields& fields, const std::string& name) {
  const auto found = fields.find(name);
  return found == fields.end() ? "" : found->second;
}

absl::StatusOr<std::string> CheckBaseUrl(std::string url, std::string_view flag) {
  while (url.ends_with('/')) url.pop_back();
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    return InvalidFlag(flag, "must begin with http:// or https://");
  }
  if (url.find('@') != std::string::npos) {
    return InvalidFlag(flag, "must hold no user or password; name a key instead");
  }
  if (url.find_first_of("?#") != std::string::npos) {
    return InvalidFlag(flag, "must hold no query and no fragment");
  }
  return url;
}

absl::Status ResolveKey(const std::string& file, const std::vector<std::string>& variables,
                        const std::string& flag, const config::EnvLookup& env,
                        ProviderConfig* provider) {
  if (!file.empty()) {
    const absl::StatusOr<std::string> text = ReadSmallFile(file);
    if (!text.ok()) return InvalidFlag(flag, ToStd(text.status().message()));
    ASSAY_ASSIGN_OR_RETURN(provider->api_key, CheckKey(*text, StrCat("the file ", file)));
    provider->api_key_file = file;
    if (provider->api_key.empty()) return InvalidFlag(flag, StrCat("the file ", file, " is empty"));
    return absl::OkStatus();
  }
  for (const std::string& variable : variables) {
    ASSAY_ASSIGN_OR_RETURN(
        provider->api_key,
        CheckKey(env(variable).value_or(""), StrCat("the environment variable ", variable)));
    if (!provider->api_key.empty()) return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status ReadClientSecret(const std::string& client_id, const std::string& variable,
                              const std::string& file, std::string_view flag,
                              const config::EnvLookup& env, ProviderConfig* provider) {
  if (client_id.empty()) return absl::OkStatus();
  // As a key is read, so that the rules are the same.
  ProviderConfig read;
  ASSAY_RETURN_IF_ERROR(ResolveKey(file, {variable}, std::string(flag), env, &read));
  if (read.api_key.empty()) return absl::OkStatus();
  provider->oauth.client_id = client_id;
  provider->oauth.client_secret = read.api_key;
  provider->oauth.client_secret_file = read.api_key_file;
  provider->needs_key = false;
  provider->api_key.clear();
  provider->api_key_file.clear();
  provider->missing.clear();
  return absl::OkStatus();
}

absl::Status ApplyProviderFields(const ProviderFields& fields, std::string_view flag,
                                 const config::EnvLookup& env, ProviderConfig* provider) {
  ASSAY_RETURN_IF_ERROR(ApplyNetworkFields(fields, flag, provider));
  for (const auto& [name, value] : fields) {
    if (!MayRepeat(name)) continue;
    ASSAY_ASSIGN_OR_RETURN(http::HttpHeader header,
                           ReadHeader(value, name == "header_env", flag, env));
    provider->headers.push_back(std::move(header));
  }
  if (provider->is_endpoint) {
    ASSAY_ASSIGN_OR_RETURN(provider->dialect, ReadDialect(FieldOf(fields, "dialect"), flag));
    provider->schema_with_tools = TakesSchemaWithTools(provider->dialect);
  }
  ASSAY_RETURN_IF_ERROR(ApplyTraitFields(fields, flag, provider));
  ASSAY_RETURN_IF_ERROR(ApplyClientCredentials(fields, flag, env, provider));
  const std::string variable = FieldOf(fields, "api_key_env");
  const std::string file = FieldOf(fields, "api_key_file");
  if (variable.empty() && file.empty()) return absl::OkStatus();
  if (!variable.empty() && !file.empty()) {
    return InvalidFlag(flag, "takes api_key_env= or api_key_file=, not both");
  }
  provider->needs_key = true;
  provider->api_key.clear();
  ASSAY_RETURN_IF_ERROR(ResolveKey(file, {variable}, std::string(flag), env, provider));
  provider->missing =
      provider->api_key.empty() ? StrCat("the environment variable ", variable) : "";
  return absl::OkStatus();
}

}  // namespace assay::judge
