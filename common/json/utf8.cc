#include "common/json/utf8.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace assay::json {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

uint8_t ByteAt(std::string_view text, size_t i) { return static_cast<uint8_t>(text[i]); }

// Length of the well-formed sequence at the start of `text` (not empty); 0 if there is none.
size_t SequenceLength(std::string_view text) {
  const uint8_t lead = ByteAt(text, 0);
  if (lead < 0x80) return 1;
  size_t length = 0;
  uint8_t low = 0x80;   // Bounds of the second byte keep out overlong forms,
  uint8_t high = 0xBF;  // surrogates and what is above U+10FFFF.
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  }
  if (length == 0 || text.size() < length) return 0;
  if (ByteAt(text, 1) < low || ByteAt(text, 1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((ByteAt(text, i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

constexpr uint64_t kHighBits = 0x8080808080808080;

template <class Word>
uint64_t WordAt(std::string_view text, size_t at) {
  Word word = 0;
  std::memcpy(&word, text.data() + at, sizeof(word));
  return word;
}

// How many bytes at the start are certainly ASCII: eight at a time, since most text is nothing else.
size_t AsciiPrefix(std::string_view text) {
  size_t end = 0;
  for (uint64_t word = 0; end + sizeof(word) <= text.size(); end += sizeof(word)) {
    std::memcpy(&word, text.data() + end, sizeof(word));
    if ((word & kHighBits) != 0) break;
  }
  return end;
}

// Whether no byte is above 0x7F.
bool IsAscii(std::string_view text) {
  const size_t size = text.size();
  uint64_t seen = 0;
  if (size >= sizeof(uint64_t)) {
    // The last word overlaps the one before.
    const size_t last = size - sizeof(uint64_t);
    for (size_t at = 0; at < last; at += sizeof(uint64_t)) seen |= WordAt<uint64_t>(text, at);
    seen |= WordAt<uint64_t>(text, last);
  } else if (size >= sizeof(uint32_t)) {
    seen = WordAt<uint32_t>(text, 0) | WordAt<uint32_t>(text, size - sizeof(uint32_t));
  } else {
    for (size_t i = 0; i < size; ++i) seen |= ByteAt(text, i);
  }
  return (seen & kHighBits) == 0;
}

}  // namespace

bool IsValidUtf8(std::string_view text) {
  constexpr size_t kShort = 256;  // Read twice if it is not ASCII.
  if (text.size() <= kShort && IsAscii(text)) return true;
  while (!text.empty()) {
    text.remove_prefix(AsciiPrefix(text));
    if (text.empty()) return true;
    const size_t length = SequenceLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string SanitizeUtf8(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    if (length == 0) {
      clean += kReplacement;
    } else {
      clean += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return clean;
}

size_t CountChars(std::string_view text) {
  size_t count = 0;
  while (!text.empty()) {
    text.remove_prefix(std::max<size_t>(SequenceLength(text), 1));
    ++count;
  }
  return count;
}

std::string_view TruncateUtf8(std::string_view text, size_t max_chars) {
  if (text.size() <= max_chars) return text;  // No character has less than a byte.
  size_t end = 0;
  for (size_t chars = 0; chars < max_chars && end < text.size(); ++chars) {
    end += std::max<size_t>(SequenceLength(text.substr(end)), 1);
  }
  return text.substr(0, end);
}

std::string_view TruncateUtf8Bytes(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  size_t end = 0;
  while (true) {
    const size_t length = std::max<size_t>(SequenceLength(text.substr(end)), 1);
    if (end + length > max_bytes) return text.substr(0, end);
    end += length;
  }
}

std::string PreviewOf(std::string_view text, size_t max_chars) {
  const std::string_view whole = TruncateUtf8(text, max_chars);
  if (whole.size() == text.size()) return SanitizeUtf8(text);
  if (max_chars == 0) return "";
  return SanitizeUtf8(TruncateUtf8(text, max_chars - 1)) + "…";
}

}  // namespace assay::json
