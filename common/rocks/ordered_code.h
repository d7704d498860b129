// Fields of keys, spelled so that the order of bytes is the order of values and every decoding is
// unique. Fixed numbers are big-endian; a string is escaped and terminated:
//   0x00 -> 0x00 0xFF, end -> 0x00 0x01, any other byte is itself.
// Append* add to `out`. Consume* take from the front of `in`; false, with `in` and the output
// unspecified, if the bytes are not what the encoder writes. Pure functions.
#ifndef ASSAY_COMMON_ROCKS_ORDERED_CODE_H_
#define ASSAY_COMMON_ROCKS_ORDERED_CODE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace assay::rocks {

void AppendByte(uint8_t value, std::string* out);
void AppendUint32(uint32_t value, std::string* out);
void AppendUint64(uint64_t value, std::string* out);
void AppendInt64(int64_t value, std::string* out);        // negatives first
void AppendDescUint64(uint64_t value, std::string* out);  // greatest first
void AppendDescInt64(int64_t value, std::string* out);    // greatest first
void AppendDouble(double value, std::string* out);        // -0 becomes 0; every NaN one value, last
void AppendString(std::string_view value, std::string* out);

// AppendString without its end: the common prefix of all strings that begin with `value`.
void AppendStringPrefix(std::string_view value, std::string* out);

[[nodiscard]] bool ConsumeByte(std::string_view* in, uint8_t* value);
[[nodiscard]] bool ConsumeUint32(std::string_view* in, uint32_t* value);
[[nodiscard]] bool ConsumeUint64(std::string_view* in, uint64_t* value);
[[nodiscard]] bool ConsumeInt64(std::string_view* in, int64_t* value);
[[nodiscard]] bool ConsumeDescUint64(std::string_view* in, uint64_t* value);
[[nodiscard]] bool ConsumeDescInt64(std::string_view* in, int64_t* value);
[[nodiscard]] bool ConsumeDouble(std::string_view* in, double* value);
[[nodiscard]] bool ConsumeString(std::string_view* in, std::string* value);
[[nodiscard]] bool ConsumeFixed(std::string_view* in, size_t size, std::string* value);

// The smallest key above all keys with this prefix; empty (no bound) if there is none.
std::string PrefixEnd(std::string_view prefix);

}  // namespace assay::rocks

#endif  // ASSAY_COMMON_ROCKS_ORDERED_CODE_H_
