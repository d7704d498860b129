#include "common/rocks/int64_add.h"

#include "rocksdb/slice.h"

namespace assay::rocks {
namespace {

class Int64Add final : public rocksdb::AssociativeMergeOperator {
 public:
  bool Merge(const rocksdb::Slice& /*key*/, const rocksdb::Slice* existing,
             const rocksdb::Slice& operand, std::string* result,
             rocksdb::Logger* /*logger*/) const override {
    const int64_t base =
        existing == nullptr ? 0 : DecodeFixedInt64(existing->ToStringView()).value_or(0);
    *result =
        EncodeFixedInt64(WrappingAdd(base, DecodeFixedInt64(operand.ToStringView()).value_or(0)));
    return true;
  }
  const char* Name() const override { return "assay.Int64Add.1"; }
};

}  // namespace

std::shared_ptr<rocksdb::MergeOperator> NewInt64AddOperator() {
  return std::make_shared<Int64Add>();
}

std::string EncodeFixedInt64(int64_t value) {
  std::string out(sizeof(uint64_t), '\0');
  auto bits = static_cast<uint64_t>(value);
  for (char& byte : out) {
    byte = static_cast<char>(bits);
    bits >>= 8;
  }
  return out;
}

std::optional<int64_t> DecodeFixedInt64(std::string_view value) {
  if (value.size() != sizeof(uint64_t)) return std::nullopt;
  uint64_t bits = 0;
  for (size_t i = sizeof(uint64_t); i-- > 0;) {
    bits = (bits << 8) | static_cast<unsigned char>(value[i]);
  }
  return static_cast<int64_t>(bits);
}

int64_t WrappingAdd(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

}  // namespace assay::rocks
