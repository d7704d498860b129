#include "services/judge/core/agent/timing_report.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "common/json/json_reader.h"
#include "common/json/utf8.h"
#include "common/proto/time.h"
#include "common/strings/strings.h"

namespace assay::judge {

namespace {

using json::JsonString;
using trace::v1::Span;

constexpr size_t kMaxNameChars = 30;
constexpr size_t kMaxEntries = 20;
// Siblings compared with each other: a thousand parallel calls have half a million pairs.
constexpr int64_t kMaxComparisons = 200'000;

struct Interval {
  absl::Time start;
  absl::Time end;
};

Interval IntervalOf(const Span& span) {
  const absl::Time start = proto::FromTimestamp(span.start_time());
  return {start, start + DurationOf(span)};
}

std::string Ms(absl::Duration duration) {
  return absl::StrFormat("%.3f", absl::ToDoubleMilliseconds(duration));
}

std::string Who(const Span& span) {
  return StrCat("\"span_id\":", JsonString(span.span_id()),
                ",\"name\":", JsonString(json::PreviewOf(span.span_name(), kMaxNameChars)));
}

// What of `span` its children do not cover. They come by start time.
absl::Duration OwnTime(const TraceIndex& index, const Span& span) {
  const Interval whole = IntervalOf(span);
  absl::Duration covered = absl::ZeroDuration();
  absl::Time reached = whole.start;
  for (const Span* child : index.ChildrenOf(span.span_id())) {
    const Interval part = IntervalOf(*child);
    const absl::Time from = std::max(part.start, reached);
    const absl::Time to = std::min(part.end, whole.end);
    if (from >= to) continue;
    covered += to - from;
    reached = to;
  }
  return whole.end - whole.start - covered;
}

struct Overlap {
  absl::Duration shared;
  const Span* first;
  const Span* second;
};

// The longest overlaps of siblings.
std::vector<Overlap> Overlaps(const TraceIndex& index) {
  std::vector<Overlap> found;
  int64_t compared = 0;
  const auto longer = [](const Overlap& a, const Overlap& b) { return a.shared > b.shared; };
  const auto search = [&](const std::vector<const Span*>& siblings) {
    for (size_t i = 0; i < siblings.size(); ++i) {
      const Interval one = IntervalOf(*siblings[i]);
      for (size_t j = i + 1; j < siblings.size(); ++j) {
        const Interval other = IntervalOf(*siblings[j]);
        if (other.start >= one.end || ++compared > kMaxComparisons) break;
        const absl::Duration shared = std::min(one.end, other.end) - other.start;
        if (shared > absl::ZeroDuration()) found.push_back({shared, siblings[i], siblings[j]});
      }
    }
  };
  search(index.roots());
  for (const Span* span : index.spans()) search(index.ChildrenOf(span->span_id()));
  const size_t kept = std::min(found.size(), kMaxEntries);
  std::partial_sort(found.begin(), found.begin() + static_cast<ptrdiff_t>(kept), found.end(),
                    longer);
  found.resize(kept);
  return found;
}

std::string ByType(const TraceIndex& index,
                   const std::vector<std::pair<absl::Duration, const Span*>>& own) {
  struct Sum {
    int64_t count = 0;
    absl::Duration total;
    absl::Duration own;
  };
  std::map<std::string, Sum> sums;
  for (const auto& [own_time, span] : own) {
    Sum& sum = sums[span->span_type().empty() ? "UNKNOWN"
                                              : json::PreviewOf(span->span_type(), kMaxNameChars)];
    ++sum.count;
    sum.total += DurationOf(*span);
    sum.own += own_time;
  }
  std::string text;
  size_t listed = 0;
  for (const auto& [type, sum] : sums) {
    if (++listed > kMaxEntries) break;
    StrAppend(&text, text.empty() ? "" : ",", "{\"type\":", JsonString(type),
              ",\"spans\":", sum.count, ",\"total_ms\":", Ms(sum.total),
              ",\"own_ms\":", Ms(sum.own), "}");
  }
  return text;
}

}  // namespace

std::string TimingReport(const TraceIndex& index) {
  std::vector<std::pair<absl::Duration, const Span*>> own;
  absl::Time last = index.start();
  int64_t errors = 0;
  for (const Span* span : index.spans()) {
    own.emplace_back(OwnTime(index, *span), span);
    last = std::max(last, IntervalOf(*span).end);
    if (span->error()) ++errors;
  }
  const std::string by_type = ByType(index, own);
  const size_t kept = std::min(own.size(), kMaxEntries);
  std::partial_sort(own.begin(), own.begin() + static_cast<ptrdiff_t>(kept), own.end(),
                    [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string slowest;
  for (size_t i = 0; i < kept; ++i) {
    StrAppend(&slowest, i == 0 ? "" : ",", "{", Who(*own[i].second),
              ",\"own_ms\":", Ms(own[i].first), ",\"duration_ms\":", Ms(DurationOf(*own[i].second)),
              "}");
  }
  std::string concurrent;
  for (const Overlap& overlap : Overlaps(index)) {
    StrAppend(&concurrent, concurrent.empty() ? "" : ",", "{\"first\":{", Who(*overlap.first),
              "},\"second\":{", Who(*overlap.second), "},\"overlap_ms\":", Ms(overlap.shared), "}");
  }
  return StrCat("{\"total_ms\":", Ms(last - index.start()), ",\"spans\":", index.spans().size(),
                ",\"spans_with_errors\":", errors, ",\"slowest_by_own_time\":[", slowest,
                "],\"by_type\":[", by_type, "],\"concurrent_siblings\":[", concurrent, "]}");
}

}  // namespace assay::judge
