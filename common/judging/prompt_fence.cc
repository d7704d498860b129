#include "common/judging/prompt_fence.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "common/json/canonical.h"
#include "common/strings/strings.h"

namespace assay::judging {

namespace {

constexpr std::string_view kBegin = "=== BEGIN ";
constexpr std::string_view kEnd = "=== END ";
constexpr std::string_view kClose = " ===";
constexpr size_t kMarkerSize = 16;

std::string Marker(std::string_view name, std::string_view content) {
  return json::Sha256Hex(StrCat(name, "\n", content)).substr(0, kMarkerSize);
}

std::string CleanName(std::string_view name) {
  std::string clean(name);
  for (char& c : clean) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) &&
        std::string_view("_.-[]").find(c) == std::string_view::npos) {
      c = '_';
    }
  }
  return clean;
}

// The block whose first line begins at `begin`, if one does; sets `*end` to where the text goes on.
bool ReadBlockAt(std::string_view text, size_t begin, PromptBlock* block, size_t* end) {
  const size_t line_end = text.find('\n', begin);
  if (line_end == std::string_view::npos) return false;
  std::string_view line = text.substr(begin, line_end - begin);
  if (line.size() < kBegin.size() + kClose.size() || !line.starts_with(kBegin) ||
      !line.ends_with(kClose)) {
    return false;
  }
  line = line.substr(kBegin.size(), line.size() - kBegin.size() - kClose.size());
  const size_t space = line.rfind(' ');
  if (space == std::string_view::npos) return false;
  const std::string_view name = line.substr(0, space);
  const std::string_view marker = line.substr(space + 1);
  if (marker.size() != kMarkerSize) return false;
  const std::string border = StrCat("\n", kEnd, name, " ", marker, kClose);
  const size_t close = text.find(border, line_end);
  if (close == std::string_view::npos) return false;
  const size_t content_begin = line_end + 1;
  const std::string_view content = close < content_begin
                                       ? std::string_view()
                                       : text.substr(content_begin, close - content_begin);
  if (Marker(name, content) != marker) return false;
  *block = {std::string(name), std::string(content)};
  *end = close + border.size();
  return true;
}

}  // namespace

std::string FencedBlock(std::string_view name, std::string_view content) {
  const std::string clean = CleanName(name);
  const std::string marker = Marker(clean, content);
  return StrCat(kBegin, clean, " ", marker, kClose, "\n", content, "\n", kEnd, clean, " ", marker,
                kClose, "\n");
}

BlockText ReadBlocks(std::string_view text) {
  BlockText result;
  size_t at = 0;
  while (at < text.size()) {
    PromptBlock block;
    size_t end = 0;
    if (text.substr(at).starts_with(kBegin) && ReadBlockAt(text, at, &block, &end)) {
      result.blocks.push_back(std::move(block));
      at = end;
      continue;
    }
    const size_t line_end = text.find('\n', at);
    const size_t next = line_end == std::string_view::npos ? text.size() : line_end + 1;
    StrAppend(&result.rest, text.substr(at, next - at));
    at = next;
  }
  return result;
}

}  // namespace assay::judging
