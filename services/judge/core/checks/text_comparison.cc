#include "services/judge/core/checks/text_comparison.h"

#include <wctype.h>

#include <clocale>

#include "common/json/utf8.h"
#include "common/strings/strings.h"

namespace assay::judge {

namespace {

constexpr size_t kCharsBefore = 20;
constexpr size_t kCharsShown = 60;

// The C library's tables of letters, whatever locale the process has; null if they are not there.
locale_t Letters() {
  static const locale_t letters = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return letters;
}

char32_t Lower(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
  if (Letters() == nullptr) return c;
  return static_cast<char32_t>(towlower_l(static_cast<wint_t>(c), Letters()));
}

bool IsSpace(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

void AppendUtf8(char32_t c, std::string* out) {
  if (c < 0x80) {
    *out += static_cast<char>(c);
  } else if (c < 0x800) {
    *out += static_cast<char>(0xC0 | (c >> 6));
    *out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    *out += static_cast<char>(0xE0 | (c >> 12));
    *out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    *out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    *out += static_cast<char>(0xF0 | (c >> 18));
    *out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    *out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    *out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

std::string Excerpt(const std::u32string& text, size_t difference) {
  const size_t begin = difference > kCharsBefore ? difference - kCharsBefore : 0;
  std::string shown = begin > 0 ? "…" : "";
  for (size_t i = begin; i < text.size() && i < begin + kCharsShown; ++i) {
    AppendUtf8(text[i] < 0x20 ? U' ' : text[i], &shown);
  }
  if (begin + kCharsShown < text.size()) shown += "…";
  return shown;
}

}  // namespace

std::u32string CodePoints(std::string_view text) {
  const std::string valid = json::SanitizeUtf8(text);
  std::u32string points;
  points.reserve(valid.size());
  for (size_t i = 0; i < valid.size();) {
    const auto lead = static_cast<unsigned char>(valid[i]);
    const int more = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    char32_t point = more == 0 ? lead : lead & (0x3F >> more);
    for (int k = 1; k <= more; ++k) {
      point = (point << 6) | (static_cast<unsigned char>(valid[i + static_cast<size_t>(k)]) & 0x3F);
    }
    points += point;
    i += static_cast<size_t>(more) + 1;
  }
  return points;
}

std::string FoldCase(std::string_view text) {
  std::string folded;
  folded.reserve(text.size());
  for (const char32_t c : CodePoints(text)) AppendUtf8(Lower(c), &folded);
  return folded;
}

std::string CollapseWhiteSpace(std::string_view text) {
  std::string collapsed;
  bool space = false;
  for (const char32_t c : CodePoints(text)) {
    if (IsSpace(c)) {
      space = true;
      continue;
    }
    if (space && !collapsed.empty()) collapsed += ' ';
    space = false;
    AppendUtf8(c, &collapsed);
  }
  return collapsed;
}

std::optional<size_t> FirstDifference(std::string_view a, std::string_view b) {
  if (a == b) return std::nullopt;
  const std::u32string x = CodePoints(a);
  const std::u32string y = CodePoints(b);
  size_t i = 0;
  while (i < x.size() && i < y.size() && x[i] == y[i]) ++i;
  return i;
}

std::string DescribeDifference(std::string_view expected, std::string_view found) {
  const std::optional<size_t> at = FirstDifference(expected, found);
  if (!at.has_value()) return "They are equal.";
  const auto shown = [&](std::string_view text) {
    return text.empty() ? std::string("nothing") : StrCat("`", Excerpt(CodePoints(text), *at), "`");
  };
  return StrCat("They differ at character ", *at + 1, ": expected ", shown(expected), ", found ",
                shown(found), ".");
}

}  // namespace assay::judge
