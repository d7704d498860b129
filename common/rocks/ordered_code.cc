#include "common/rocks/ordered_code.h"

#include <bit>
#include <cmath>
#include <limits>

namespace assay::rocks {
namespace {

constexpr char kEscape = '\x00';
constexpr char kEscapedZero = '\xff';  // after kEscape
constexpr char kEnd = '\x01';  // after kEscape; below kEscapedZero, so that a prefix sorts first
constexpr uint64_t kSignBit = uint64_t{1} << 63;

template <class Unsigned>
void AppendBigEndian(Unsigned value, std::string* out) {
  for (int shift = (sizeof(Unsigned) - 1) * 8; shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>(value >> shift));
  }
}

template <class Unsigned>
bool ConsumeBigEndian(std::string_view* in, Unsigned* value) {
  if (in->size() < sizeof(Unsigned)) return false;
  Unsigned result = 0;
  for (size_t i = 0; i < sizeof(Unsigned); ++i) {
    result = static_cast<Unsigned>((result << 8) | static_cast<unsigned char>((*in)[i]));
  }
  in->remove_prefix(sizeof(Unsigned));
  *value = result;
  return true;
}

}  // namespace

void AppendByte(uint8_t value, std::string* out) { out->push_back(static_cast<char>(value)); }
void AppendUint32(uint32_t value, std::string* out) { AppendBigEndian(value, out); }
void AppendUint64(uint64_t value, std::string* out) { AppendBigEndian(value, out); }

void AppendInt64(int64_t value, std::string* out) {
  AppendUint64(static_cast<uint64_t>(value) ^ kSignBit, out);
}

void AppendDescUint64(uint64_t value, std::string* out) { AppendUint64(~value, out); }

void AppendDescInt64(int64_t value, std::string* out) {
  AppendUint64(~(static_cast<uint64_t>(value) ^ kSignBit), out);
}

void AppendDouble(double value, std::string* out) {
  if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
  if (value == 0) value = 0;  // -0 too
  const uint64_t bits = std::bit_cast<uint64_t>(value);
  // IEEE 754 orders as sign and magnitude: negatives turn round, the others move above them.
  AppendUint64((bits & kSignBit) != 0 ? ~bits : bits ^ kSignBit, out);
}

void AppendStringPrefix(std::string_view value, std::string* out) {
  // Nearly no value has a byte to escape.
  for (size_t end = value.find(kEscape); end != value.npos; end = value.find(kEscape)) {
    out->append(value.substr(0, end + 1));
    out->push_back(kEscapedZero);
    value.remove_prefix(end + 1);
  }
  out->append(value);
}

void AppendString(std::string_view value, std::string* out) {
  AppendStringPrefix(value, out);
  out->push_back(kEscape);
  out->push_back(kEnd);
}

bool ConsumeByte(std::string_view* in, uint8_t* value) { return ConsumeBigEndian(in, value); }
bool ConsumeUint32(std::string_view* in, uint32_t* value) { return ConsumeBigEndian(in, value); }
bool ConsumeUint64(std::string_view* in, uint64_t* value) { return ConsumeBigEndian(in, value); }

bool ConsumeInt64(std::string_view* in, int64_t* value) {
  uint64_t bits = 0;
  if (!ConsumeUint64(in, &bits)) return false;
  *value = static_cast<int64_t>(bits ^ kSignBit);
  return true;
}

bool ConsumeDescUint64(std::string_view* in, uint64_t* value) {
  if (!ConsumeUint64(in, value)) return false;
  *value = ~*value;
  return true;
}

bool ConsumeDescInt64(std::string_view* in, int64_t* value) {
  uint64_t bits = 0;
  if (!ConsumeUint64(in, &bits)) return false;
  *value = static_cast<int64_t>(~bits ^ kSignBit);
  return true;
}

bool ConsumeDouble(std::string_view* in, double* value) {
  const std::string_view encoded = in->substr(0, sizeof(uint64_t));
  uint64_t bits = 0;
  if (!ConsumeUint64(in, &bits)) return false;
  *value = std::bit_cast<double>((bits & kSignBit) != 0 ? bits ^ kSignBit : ~bits);
  // Only what the encoder writes: one zero, one NaN.
  std::string again;
  AppendDouble(*value, &again);
  return again == encoded;
}

bool ConsumeString(std::string_view* in, std::string* value) {
  value->clear();
  while (true) {
    const size_t escape = in->find(kEscape);
    if (escape == std::string_view::npos || escape + 1 >= in->size()) return false;
    value->append(in->substr(0, escape));
    const char marker = (*in)[escape + 1];
    in->remove_prefix(escape + 2);
    if (marker == kEnd) return true;
    if (marker != kEscapedZero) return false;
    value->push_back(kEscape);
  }
}

bool ConsumeFixed(std::string_view* in, size_t size, std::string* value) {
  if (in->size() < size) return false;
  value->assign(in->substr(0, size));
  in->remove_prefix(size);
  return true;
}

std::string PrefixEnd(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

}  // namespace assay::rocks
