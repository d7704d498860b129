#include "common/kv/keys.h"

#include "common/rocks/ordered_code.h"
#include "common/status/errors.h"

namespace assay::kv {

KeyBuilder& KeyBuilder::Kind(uint8_t kind) { return Byte(kKeyFormatVersion).Byte(kind); }

KeyBuilder& KeyBuilder::Byte(uint8_t value) {
  rocks::AppendByte(value, &key_);
  return *this;
}

KeyBuilder& KeyBuilder::String(std::string_view value) {
  rocks::AppendString(value, &key_);
  return *this;
}

KeyBuilder& KeyBuilder::Uint32(uint32_t value) {
  rocks::AppendUint32(value, &key_);
  return *this;
}

KeyBuilder& KeyBuilder::Uint64(uint64_t value) {
  rocks::AppendUint64(value, &key_);
  return *this;
}

KeyBuilder& KeyBuilder::Int64(int64_t value) {
  rocks::AppendInt64(value, &key_);
  return *this;
}

KeyBuilder& KeyBuilder::DescUint64(uint64_t value) {
  rocks::AppendDescUint64(value, &key_);
  return *this;
}

KeyBuilder& KeyBuilder::DescInt64(int64_t value) {
  rocks::AppendDescInt64(value, &key_);
  return *this;
}

KeyBuilder& KeyBuilder::Double(double value) {
  rocks::AppendDouble(value, &key_);
  return *this;
}

KeyBuilder& KeyBuilder::Raw(std::string_view fixed_bytes) {
  key_.append(fixed_bytes);
  return *this;
}

KeyBuilder& KeyBuilder::StringPrefix(std::string_view value) {
  rocks::AppendStringPrefix(value, &key_);
  return *this;
}

KeyReader& KeyReader::Kind(uint8_t kind) {
  uint8_t version = 0;
  uint8_t found = 0;
  Byte(&version).Byte(&found);
  ok_ = ok_ && version == kKeyFormatVersion && found == kind;
  return *this;
}

KeyReader& KeyReader::Byte(uint8_t* value) {
  ok_ = ok_ && rocks::ConsumeByte(&rest_, value);
  return *this;
}

KeyReader& KeyReader::String(std::string* value) {
  ok_ = ok_ && rocks::ConsumeString(&rest_, value);
  return *this;
}

KeyReader& KeyReader::Uint32(uint32_t* value) {
  ok_ = ok_ && rocks::ConsumeUint32(&rest_, value);
  return *this;
}

KeyReader& KeyReader::Uint64(uint64_t* value) {
  ok_ = ok_ && rocks::ConsumeUint64(&rest_, value);
  return *this;
}

KeyReader& KeyReader::Int64(int64_t* value) {
  ok_ = ok_ && rocks::ConsumeInt64(&rest_, value);
  return *this;
}

KeyReader& KeyReader::DescUint64(uint64_t* value) {
  ok_ = ok_ && rocks::ConsumeDescUint64(&rest_, value);
  return *this;
}

KeyReader& KeyReader::DescInt64(int64_t* value) {
  ok_ = ok_ && rocks::ConsumeDescInt64(&rest_, value);
  return *this;
}

KeyReader& KeyReader::Double(double* value) {
  ok_ = ok_ && rocks::ConsumeDouble(&rest_, value);
  return *this;
}

KeyReader& KeyReader::Raw(size_t size, std::string* value) {
  ok_ = ok_ && rocks::ConsumeFixed(&rest_, size, value);
  return *this;
}

absl::Status KeyReader::Finish() const {
  if (ok_ && rest_.empty()) return absl::OkStatus();
  return MakeError(absl::StatusCode::kDataLoss, "STORAGE_CORRUPT",
                   "a stored key does not have the form of its kind");
}

std::string PrefixEnd(std::string_view prefix) { return rocks::PrefixEnd(prefix); }

}  // namespace assay::kv
