// Numbers as text.
#ifndef ASSAY_COMMON_STRINGS_NUMBER_TEXT_H_
#define ASSAY_COMMON_STRINGS_NUMBER_TEXT_H_

#include <charconv>
#include <string>
#include <system_error>

namespace assay {

// The shortest text that reads back as the same number. Thread-safe.
inline std::string NumberText(double number) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), number);
  return error == std::errc() ? std::string(buffer, end) : "0";
}

}  // namespace assay

#endif  // ASSAY_COMMON_STRINGS_NUMBER_TEXT_H_
