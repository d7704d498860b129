#include "services/judge/core/agent/trace_search.h"

#include <algorithm>
#include <string_view>

#include "absl/status/status.h"
#include "common/json/json_reader.h"
#include "common/json/utf8.h"
#include "common/strings/strings.h"
#include "re2/re2.h"
#include "services/judge/core/agent/span_text.h"

namespace assay::judge {

namespace {

using json::JsonString;
using trace::v1::Span;

constexpr size_t kMaxCounted = 10'000;
constexpr size_t kMaxMatchedBytes = 500;
constexpr int64_t kMaxPatternMemory = 8 << 20;

// Moves a cut so that it stands between two characters.
size_t Boundary(std::string_view text, size_t at) {
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
  return std::min(at, text.size());
}

class Matches {
 public:
  explicit Matches(const TraceSearch& search) : search_(search) {}

  bool full() const { return counted_ >= kMaxCounted; }

  void LookAt(const RE2& pattern, const Span& span, std::string_view where, std::string_view text) {
    const re2::StringPiece piece(text.data(), text.size());
    size_t from = 0;
    re2::StringPiece match;
    while (from <= text.size() && !full() &&
           pattern.Match(piece, from, text.size(), RE2::UNANCHORED, &match, 1)) {
      const size_t at = static_cast<size_t>(match.data() - piece.data());
      from = at + std::max<size_t>(match.size(), 1);
      if (match.empty()) continue;  // Says nothing.
      ++counted_;
      Keep(span, where, text, at, match.size());
    }
  }

  std::string ToJson() const {
    return StrCat("\"matches\":[", list_, "],\"total_matches\":", counted_,
                  ",\"more_matches\":", kept_ < counted_ || full() ? "true" : "false");
  }

 private:
  void Keep(const Span& span, std::string_view where, std::string_view text, size_t at,
            size_t size) {
    if (kept_ >= search_.max_matches || list_.size() >= search_.max_bytes) return;
    const size_t begin = Boundary(text, at > search_.surrounding ? at - search_.surrounding : 0);
    const size_t end = Boundary(text, std::min(text.size(), at + size + search_.surrounding));
    const std::string_view matched = text.substr(at, size);
    StrAppend(&list_, list_.empty() ? "" : ",", "{\"span_id\":", JsonString(span.span_id()),
              ",\"span_name\":", JsonString(json::PreviewOf(span.span_name(), 100)),
              ",\"where\":", JsonString(json::PreviewOf(where, 250)),
              ",\"matched\":", JsonString(json::TruncateUtf8Bytes(matched, kMaxMatchedBytes)),
              ",\"surrounding\":",
              JsonString(json::TruncateUtf8Bytes(
                  text.substr(std::min(begin, at), end - std::min(begin, at)),
                  kMaxMatchedBytes + 2 * search_.surrounding)),
              "}");
    ++kept_;
  }

  const TraceSearch& search_;
  size_t counted_ = 0;
  size_t kept_ = 0;
  std::string list_;
};

}  // namespace

absl::StatusOr<std::string> SearchTrace(const TraceIndex& index, const TraceSearch& search) {
  RE2::Options options;
  options.set_case_sensitive(false);
  options.set_log_errors(false);
  options.set_max_mem(kMaxPatternMemory);
  const RE2 pattern(search.pattern, options);
  if (!pattern.ok()) {
    return absl::InvalidArgumentError(ToAbsl(
        StrCat("the pattern does not compile as RE2: ", json::PreviewOf(pattern.error(), 300),
               "; escape special characters, and use neither look-around nor "
               "back-references")));
  }
  Matches matches(search);
  for (const Span* span : index.spans()) {
    if (matches.full()) break;
    ForEachText(*span, [&](std::string_view where, std::string_view text) {
      if (!matches.full()) matches.LookAt(pattern, *span, where, text);
    });
  }
  return matches.ToJson();
}

}  // namespace assay::judge
