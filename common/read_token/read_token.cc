#include "common/read_token/read_token.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay {
namespace {

constexpr size_t kMaxStoreChars = 64;
constexpr size_t kMaxTokenChars = 256;

bool IsStoreId(std::string_view store) {
  return !store.empty() && store.size() <= kMaxStoreChars &&
         std::all_of(store.begin(), store.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
         });
}

std::optional<ReadToken> Read(std::string_view text) {
  std::string plain;
  if (text.size() > kMaxTokenChars || !absl::WebSafeBase64Unescape(ToAbsl(text), &plain)) {
    return std::nullopt;
  }
  const size_t colon = plain.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  ReadToken token{plain.substr(0, colon), 0};
  if (!absl::SimpleAtoi(plain.substr(colon + 1), &token.sequence)) return std::nullopt;
  if (!IsStoreId(token.store) || token.sequence <= 0) return std::nullopt;
  // One spelling only: numbers may be read from others.
  if (EncodeReadToken(token) != text) return std::nullopt;
  return token;
}

}  // namespace

std::string EncodeReadToken(const ReadToken& token) {
  return absl::WebSafeBase64Escape(StrCat(token.store, ":", token.sequence));
}

absl::StatusOr<ReadToken> DecodeReadToken(std::string_view text, std::string_view field) {
  std::optional<ReadToken> token = Read(text);
  if (!token.has_value()) {
    return InvalidField(
        field, "is not a read token; pass one that the feedback service has answered, or none",
        "INVALID_READ_TOKEN");
  }
  return *std::move(token);
}

}  // namespace assay
