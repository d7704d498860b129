// Text as it travels: UTF-8.
#ifndef ASSAY_COMMON_JSON_UTF8_H_
#define ASSAY_COMMON_JSON_UTF8_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace assay::json {

// Well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. Thread-safe, as all
// here.
bool IsValidUtf8(std::string_view text);

// `text` with each byte that is not part of well-formed UTF-8 replaced by U+FFFD.
std::string SanitizeUtf8(std::string_view text);

// How many code points `text` has; a malformed byte counts as one.
size_t CountChars(std::string_view text);

// The first `max_chars` code points of `text`; never cuts one in the middle.
std::string_view TruncateUtf8(std::string_view text, size_t max_chars);

// Like TruncateUtf8 with a bound in bytes.
std::string_view TruncateUtf8Bytes(std::string_view text, size_t max_bytes);

// At most `max_chars` characters for people to read: valid UTF-8, and "…" at the end where text was
// left out.
std::string PreviewOf(std::string_view text, size_t max_chars);

}  // namespace assay::json

#endif  // ASSAY_COMMON_JSON_UTF8_H_
