#include "services/trace/core/trace_facts.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "services/trace/core/attribute_mapping.h"

namespace assay::trace {
namespace {

// Whether `a` is the root rather than `b`.
bool Precedes(const storage::v1::RootSpanRecord& a, const storage::v1::RootSpanRecord& b) {
  if (a.span_id() == b.span_id()) return a.sequence() > b.sequence();
  if (a.start_unix_nano() != b.start_unix_nano()) return a.start_unix_nano() < b.start_unix_nano();
  return a.span_id() < b.span_id();
}

// The union of two ascending lists of ids; what does not fit is only counted.
void MergeIds(std::string_view newer, TraceFacts* facts) {
  constexpr size_t kSize = SpanId::kSize;
  const std::string old = facts->span_ids();
  std::string merged;
  merged.reserve(old.size() + newer.size());
  size_t a = 0;
  size_t b = 0;
  int64_t left_out = 0;
  while (a + kSize <= old.size() || b + kSize <= newer.size()) {
    const std::string_view left = std::string_view(old).substr(std::min(a, old.size()), kSize);
    const std::string_view right = newer.substr(std::min(b, newer.size()), kSize);
    const bool take_left = !left.empty() && (right.empty() || left <= right);
    if (!right.empty() && (left.empty() || right <= left)) b += kSize;
    if (take_left) a += kSize;
    if (merged.size() < kMaxCountedSpans * kSize) {
      merged.append(take_left ? left : right);
    } else {
      ++left_out;
    }
  }
  facts->set_span_ids(std::move(merged));
  if (left_out != 0) facts->set_uncounted_spans(facts->uncounted_spans() + left_out);
}

}  // namespace

void FactsBuilder::Add(const SpanView& span) {
  ids_.push_back(span.span_id);
  if (facts_.schema_version() == 0 || span.start_unix_nano < facts_.start_unix_nano()) {
    facts_.set_start_unix_nano(span.start_unix_nano);
    facts_.set_first_span_name(std::string(span.name));
  }
  facts_.set_schema_version(1);
  facts_.set_end_unix_nano(
      std::max({facts_.end_unix_nano(), span.start_unix_nano, span.end_unix_nano}));
  Identity identity = IdentityOf(span.bytes);
  if (facts_.session().empty()) facts_.set_session(std::move(identity.session));
  if (facts_.user().empty()) facts_.set_user(std::move(identity.user));
  if (!span.IsRoot()) return;
  storage::v1::RootSpanRecord root;
  root.set_span_id(std::string(span.span_id.bytes()));
  root.set_name(std::string(span.name));
  root.set_start_unix_nano(span.start_unix_nano);
  root.set_ended(span.end_unix_nano != 0);
  root.set_error(span.error);
  const bool again = facts_.root().span_id() == root.span_id();
  if (!facts_.has_root() || again || Precedes(root, facts_.root())) {
    *facts_.mutable_root() = std::move(root);
  }
}

TraceFacts FactsBuilder::Build() {
  std::sort(ids_.begin(), ids_.end());
  ids_.erase(std::unique(ids_.begin(), ids_.end()), ids_.end());
  std::string packed;
  const size_t counted = std::min(ids_.size(), kMaxCountedSpans);
  packed.reserve(counted * SpanId::kSize);
  for (size_t i = 0; i < counted; ++i) packed.append(ids_[i].bytes());
  facts_.set_span_ids(std::move(packed));
  if (ids_.size() > counted) {
    facts_.set_uncounted_spans(static_cast<int64_t>(ids_.size() - counted));
  }
  return facts_;
}

void MergeFacts(const TraceFacts& newer, TraceFacts* facts) {
  if (newer.schema_version() == 0) return;
  if (facts->schema_version() == 0) {
    *facts = newer;
    return;
  }
  if (newer.start_unix_nano() < facts->start_unix_nano()) {
    facts->set_start_unix_nano(newer.start_unix_nano());
    facts->set_first_span_name(newer.first_span_name());
  }
  facts->set_end_unix_nano(std::max(facts->end_unix_nano(), newer.end_unix_nano()));
  MergeIds(newer.span_ids(), facts);
  if (newer.uncounted_spans() != 0) {
    facts->set_uncounted_spans(facts->uncounted_spans() + newer.uncounted_spans());
  }
  if (newer.has_root() && (!facts->has_root() || Precedes(newer.root(), facts->root()))) {
    *facts->mutable_root() = newer.root();
  }
  if (facts->session().empty()) facts->set_session(newer.session());
  if (facts->user().empty()) facts->set_user(newer.user());
}

int64_t SpanCount(const TraceFacts& facts) {
  return static_cast<int64_t>(facts.span_ids().size() / SpanId::kSize) + facts.uncounted_spans();
}

}  // namespace assay::trace
