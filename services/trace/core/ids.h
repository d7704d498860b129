// Binary ids of traces and spans, and their hexadecimal forms.
#ifndef ASSAY_SERVICES_TRACE_CORE_IDS_H_
#define ASSAY_SERVICES_TRACE_CORE_IDS_H_

#include <array>
#include <compare>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/escaping.h"
#include "common/strings/strings.h"

namespace assay::trace {

// An id of `N` bytes as it stands on the wire. A plain value; ordered and hashed by its bytes.
template <size_t N>
class BinaryId {
 public:
  static constexpr size_t kSize = N;

  // nullopt unless `bytes` has exactly N bytes.
  static std::optional<BinaryId> FromBytes(std::string_view bytes) {
    if (bytes.size() != N) return std::nullopt;
    BinaryId id;
    std::memcpy(id.bytes_.data(), bytes.data(), N);
    return id;
  }

  // nullopt unless `hex` is 2N lower-case hexadecimal digits.
  static std::optional<BinaryId> FromHex(std::string_view hex) {
    if (hex.size() != 2 * N) return std::nullopt;
    for (char c : hex) {
      if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return std::nullopt;
    }
    return FromBytes(absl::HexStringToBytes(ToAbsl(hex)));
  }

  std::string_view bytes() const { return {bytes_.data(), N}; }
  std::string Hex() const { return absl::BytesToHexString(ToAbsl(bytes())); }
  bool IsZero() const { return bytes_ == std::array<char, N>{}; }

  friend bool operator==(const BinaryId& a, const BinaryId& b) { return a.bytes_ == b.bytes_; }
  friend std::strong_ordering operator<=>(const BinaryId& a, const BinaryId& b) {
    return a.bytes().compare(b.bytes()) <=> 0;
  }
  template <class H>
  friend H AbslHashValue(H state, const BinaryId& id) {
    return H::combine(std::move(state), id.bytes());
  }

 private:
  std::array<char, N> bytes_{};
};

using TraceId = BinaryId<16>;
using SpanId = BinaryId<8>;

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_IDS_H_
