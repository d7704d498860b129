#include "common/kv/counter.h"

#include "absl/strings/str_cat.h"
#include "common/status/errors.h"

namespace assay::kv {

std::string EncodeCounter(int64_t value) {
  std::string out(sizeof(uint64_t), '\0');
  auto bits = static_cast<uint64_t>(value);
  for (char& byte : out) {
    byte = static_cast<char>(bits);
    bits >>= 8;
  }
  return out;
}

absl::StatusOr<int64_t> DecodeCounter(std::string_view value) {
  if (value.size() != sizeof(uint64_t)) {
    return MakeError(absl::StatusCode::kDataLoss, "STORAGE_CORRUPT",
                     absl::StrCat("a counter of ", value.size(), " bytes"));
  }
  uint64_t bits = 0;
  for (size_t i = sizeof(uint64_t); i-- > 0;) {
    bits = (bits << 8) | static_cast<unsigned char>(value[i]);
  }
  return static_cast<int64_t>(bits);
}

absl::StatusOr<int64_t> CounterOrZero(const std::optional<std::string>& value) {
  if (!value.has_value()) return 0;
  return DecodeCounter(*value);
}

int64_t AddToCounter(const std::optional<std::string>& value, int64_t delta) {
  const absl::StatusOr<int64_t> base = CounterOrZero(value);
  return static_cast<int64_t>(static_cast<uint64_t>(base.ok() ? *base : 0) +
                              static_cast<uint64_t>(delta));
}

}  // namespace assay::kv
