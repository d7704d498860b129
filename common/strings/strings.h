// Bridges std::string_view and Abseil's string functions. The distribution's Abseil has a
// string_view of its own that neither converts to std::string_view nor from it.
#ifndef ASSAY_COMMON_STRINGS_STRINGS_H_
#define ASSAY_COMMON_STRINGS_STRINGS_H_

#include <string>
#include <string_view>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace assay::inline strings {

inline absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view ToStd(absl::string_view text) { return {text.data(), text.size()}; }

namespace internal_strings {

template <class T>
decltype(auto) Piece(const T& value) {
  if constexpr (std::is_same_v<T, std::string_view>) {
    return ToAbsl(value);
  } else {
    return static_cast<const T&>(value);
  }
}

}  // namespace internal_strings

// absl::StrCat and absl::StrAppend that also take std::string_view. Thread-safe.
template <class... Pieces>
std::string StrCat(const Pieces&... pieces) {
  return absl::StrCat(internal_strings::Piece(pieces)...);
}
template <class... Pieces>
void StrAppend(std::string* out, const Pieces&... pieces) {
  absl::StrAppend(out, internal_strings::Piece(pieces)...);
}

}  // namespace assay::inline strings

#endif  // ASSAY_COMMON_STRINGS_STRINGS_H_
