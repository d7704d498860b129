#include "common/json/canonical.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/json/safe_json.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::json {
namespace {

constexpr int64_t kMaxPlainPoint = 40;
constexpr int64_t kMinPlainPoint = -5;
constexpr size_t kMaxExponentDigits = 9;
constexpr int64_t kMaxExponent = 999'999'999;

// A number as 0.<digits> times ten to the power of `point`; `digits` without leading and trailing
// zeros, and empty for zero.
struct Decimal {
  bool negative = false;
  std::string digits;
  int64_t point = 0;
};

absl::Status RefuseNumber(std::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, "INVALID_JSON",
                   StrCat("invalid JSON number: ", what));
}

absl::Status RefuseExponent() {
  return RefuseNumber(StrCat("an exponent of more than ", kMaxExponentDigits, " digits"));
}

absl::StatusOr<int64_t> ParseExponent(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
  if (text.size() > kMaxExponentDigits) {
    return RefuseExponent();
  }
  int64_t exponent = 0;
  std::from_chars(text.data(), text.data() + text.size(), exponent);
  return negative ? -exponent : exponent;
}

absl::StatusOr<Decimal> ParseDecimal(std::string_view token) {
  Decimal decimal;
  if (!token.empty() && token.front() == '-') {
    decimal.negative = true;
    token.remove_prefix(1);
  }
  const size_t mantissa_end = std::min(token.find_first_of("eE"), token.size());
  const std::string_view mantissa = token.substr(0, mantissa_end);
  const size_t whole_digits = std::min(mantissa.find('.'), mantissa.size());
  decimal.digits = mantissa.substr(0, whole_digits);
  if (whole_digits < mantissa.size()) decimal.digits += mantissa.substr(whole_digits + 1);
  const size_t leading = std::min(decimal.digits.find_first_not_of('0'), decimal.digits.size());
  decimal.digits.erase(0, leading);
  while (!decimal.digits.empty() && decimal.digits.back() == '0') decimal.digits.pop_back();
  if (decimal.digits.empty()) return Decimal{};  // Zero has no sign and no exponent.
  decimal.point = static_cast<int64_t>(whole_digits) - static_cast<int64_t>(leading);
  if (mantissa_end < token.size()) {
    ASSAY_ASSIGN_OR_RETURN(const int64_t exponent, ParseExponent(token.substr(mantissa_end + 1)));
    decimal.point += exponent;
    // The canonical form has an exponent of its own, which must be readable again.
    if (std::abs(decimal.point - 1) > kMaxExponent) return RefuseExponent();
  }
  return decimal;
}

std::string FormatDecimal(const Decimal& decimal) {
  const std::string& digits = decimal.digits;
  if (digits.empty()) return "0";
  std::string out = decimal.negative ? "-" : "";
  const auto length = static_cast<int64_t>(digits.size());
  if (decimal.point > kMaxPlainPoint || decimal.point < kMinPlainPoint) {
    StrAppend(&out, digits.substr(0, 1), length > 1 ? "." : "", digits.substr(1), "e",
              decimal.point > 0 ? "+" : "", decimal.point - 1);
  } else if (decimal.point <= 0) {
    StrAppend(&out, "0.", std::string(static_cast<size_t>(-decimal.point), '0'), digits);
  } else if (decimal.point >= length) {
    StrAppend(&out, digits, std::string(static_cast<size_t>(decimal.point - length), '0'));
  } else {
    const auto point = static_cast<size_t>(decimal.point);
    StrAppend(&out, digits.substr(0, point), ".", digits.substr(point));
  }
  return out;
}

absl::Status AppendCanonical(Node& node, std::string* out) {
  if (node.is_number()) {
    ASSAY_ASSIGN_OR_RETURN(const std::string number, CanonicalNumber(node.text));
    *out += number;
    return absl::OkStatus();
  }
  if (!node.is_array() && !node.is_object()) {
    *out += node.ToJson();
    return absl::OkStatus();
  }
  if (node.is_object()) {
    std::sort(node.children.begin(), node.children.end(),
              [](const Node& a, const Node& b) { return a.key < b.key; });
  }
  *out += node.is_object() ? '{' : '[';
  bool first = true;
  for (Node& child : node.children) {
    if (!std::exchange(first, false)) *out += ',';
    if (node.is_object()) {
      AppendJsonString(child.key, out);
      *out += ':';
    }
    ASSAY_RETURN_IF_ERROR(AppendCanonical(child, out));
  }
  *out += node.is_object() ? '}' : ']';
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> CanonicalNumber(std::string_view token) {
  ASSAY_ASSIGN_OR_RETURN(const Decimal decimal, ParseDecimal(token));
  return FormatDecimal(decimal);
}

absl::StatusOr<std::string> CanonicalJson(std::string_view json) {
  ASSAY_ASSIGN_OR_RETURN(Node root, ParseJson(json));
  std::string out;
  ASSAY_RETURN_IF_ERROR(AppendCanonical(root, &out));
  return out;
}

absl::StatusOr<std::string> Sha256OfCanonicalJson(std::string_view json) {
  ASSAY_ASSIGN_OR_RETURN(const std::string canonical, CanonicalJson(json));
  return Sha256Hex(canonical);
}

std::string Sha256Bytes(std::string_view bytes) {
  // Fetched once: OpenSSL 3 looks an algorithm up anew for each SHA256(), which takes about as long
  // as hashing a prompt.
  static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr,
             fetched != nullptr ? fetched : EVP_sha256(), nullptr);
  return digest;
}

std::string Sha256Hex(std::string_view bytes) { return absl::BytesToHexString(Sha256Bytes(bytes)); }

}  // namespace assay::json
