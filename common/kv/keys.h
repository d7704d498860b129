// How keys are spelled. Every key begins with a format version byte and a kind byte; the fields
// follow in the memory-comparable code of common/rocks/ordered_code.h, so that keys of one kind
// sort as the tuples of their fields do, and no two tuples share a key. Kinds 0xF0..0xFF belong to
// common/kv; a service numbers its own from 0x01 and lists them, one comment line each, in its
// *_keys.h:
//
//   // 0x01 experiment: id -> ExperimentRecord
//   std::string ExperimentKey(std::string_view id) {
//     return KeyBuilder().Kind(0x01).String(id).Build();
//   }
//   absl::StatusOr<std::string> ExperimentIdFromKey(std::string_view key) {
//     KeyReader reader(key);
//     std::string id;
//     reader.Kind(0x01).String(&id);
//     ASSAY_RETURN_IF_ERROR(reader.Finish());
//     return id;
//   }
#ifndef ASSAY_COMMON_KV_KEYS_H_
#define ASSAY_COMMON_KV_KEYS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace assay::kv {

inline constexpr uint8_t kKeyFormatVersion = 1;
inline constexpr uint8_t kFirstReservedKind = 0xF0;
inline constexpr uint8_t kRequestRecordKind = 0xF0;
inline constexpr uint8_t kJournalKind = 0xF1;

// Appends fields; each call returns *this. Not thread-safe.
class KeyBuilder {
 public:
  // The version byte and the kind; called first, once.
  KeyBuilder& Kind(uint8_t kind);
  KeyBuilder& Byte(uint8_t value);
  KeyBuilder& String(std::string_view value);  // any bytes; ordered as the bytes are
  KeyBuilder& Uint32(uint32_t value);          // ascending
  KeyBuilder& Uint64(uint64_t value);          // ascending
  KeyBuilder& Int64(int64_t value);            // ascending, negatives first
  KeyBuilder& DescUint64(uint64_t value);      // descending: newest first
  KeyBuilder& DescInt64(int64_t value);        // descending
  KeyBuilder& Double(double value);            // ascending; -0 is 0, NaN last
  KeyBuilder& Raw(
      std::string_view fixed_bytes);  // fields of a fixed size only, such as 16-byte ids
  // The beginning of a String field, without its end: a prefix of all keys whose field begins so.
  // Only as the last part of a scan prefix.
  KeyBuilder& StringPrefix(std::string_view value);

  std::string Build() const { return key_; }

 private:
  std::string key_;
};

// Reads the fields back in the same order. The first mismatch sticks; Finish() tells. Outputs are
// unspecified after a mismatch. `key` must outlive the reader. Not thread-safe.
class KeyReader {
 public:
  explicit KeyReader(std::string_view key) : rest_(key) {}

  KeyReader& Kind(uint8_t kind);
  KeyReader& Byte(uint8_t* value);
  KeyReader& String(std::string* value);
  KeyReader& Uint32(uint32_t* value);
  KeyReader& Uint64(uint64_t* value);
  KeyReader& Int64(int64_t* value);
  KeyReader& DescUint64(uint64_t* value);
  KeyReader& DescInt64(int64_t* value);
  KeyReader& Double(double* value);
  KeyReader& Raw(size_t size, std::string* value);

  // DATA_LOSS if a field did not match or bytes are left over.
  absl::Status Finish() const;

 private:
  std::string_view rest_;
  bool ok_ = true;
};

// The smallest key above all keys with this prefix; empty (no bound) if there is none.
std::string PrefixEnd(std::string_view prefix);

}  // namespace assay::kv

#endif  // ASSAY_COMMON_KV_KEYS_H_
