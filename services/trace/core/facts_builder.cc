#include "services/trace/core/facts_builder.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/json/utf8.h"

namespace assay::trace {
namespace {

int64_t NanoUsd(double usd) {
  constexpr double kMost = 9e18;
  return static_cast<int64_t>(std::llround(std::min(usd * 1e9, kMost)));
}

// A name as lists show it. Filters are not longer; the span has it whole.
std::string ListedName(std::string_view name, bool* truncated) {
  constexpr size_t kMostBytes = 4096;
  const std::string_view listed = json::TruncateUtf8Bytes(name, kMostBytes);
  *truncated = listed.size() < name.size();
  return std::string(listed);
}

static_assert(kTruncatedTags == kFactsTruncatedTags);
static_assert(kTruncatedMetadata == kFactsTruncatedMetadata);
static_assert(kTruncatedSession == kFactsTruncatedSession);
static_assert(kTruncatedUser == kFactsTruncatedUser);
static_assert(kTruncatedModel == kFactsTruncatedModels);

}  // namespace

UsageRecord UsageOfSpan(const SpanSummary& summary, PriceMemo& prices, uint64_t start_unix_nano) {
  UsageRecord usage;
  const TokenCounts& tokens = summary.tokens;
  if (tokens.input) usage.set_input_tokens(*tokens.input);
  if (tokens.output) usage.set_output_tokens(*tokens.output);
  if (tokens.total) usage.set_total_tokens(*tokens.total);
  if (tokens.cache_read) usage.set_cache_read_tokens(*tokens.cache_read);
  if (tokens.cache_write) usage.set_cache_write_tokens(*tokens.cache_write);
  if (tokens.reasoning) usage.set_reasoning_tokens(*tokens.reasoning);
  if (const std::optional<SpanCost> cost = prices.CostOf(summary, start_unix_nano)) {
    if (cost->usd.input) usage.set_input_nano_usd(NanoUsd(*cost->usd.input));
    if (cost->usd.output) usage.set_output_nano_usd(NanoUsd(*cost->usd.output));
    if (cost->usd.total) usage.set_total_nano_usd(NanoUsd(*cost->usd.total));
  }
  return usage;
}

void FactsBuilder::Add(const SpanView& span) {
  const SpanSummary summary = SummarizeSpan(span.bytes);
  if (ids_.empty() || span.start_unix_nano < facts_.start_unix_nano()) {
    facts_.set_start_unix_nano(span.start_unix_nano);
    bool truncated = false;
    facts_.set_first_span_name(ListedName(span.name, &truncated));
    SetTruncated(kFactsTruncatedFirstName, truncated);
  }
  ids_.push_back(span.span_id);
  directory_.set_schema_version(1);
  directory_.mutable_span_ids()->append(span.span_id.bytes());
  directory_.add_start_unix_nano(span.start_unix_nano);
  facts_.set_end_unix_nano(
      std::max({facts_.end_unix_nano(), span.start_unix_nano, span.end_unix_nano}));
  facts_.set_span_bytes(facts_.span_bytes() + static_cast<int64_t>(span.bytes.size()));
  if (span.error) facts_.set_error_spans(facts_.error_spans() + 1);
  AddIdentity(summary);
  if (summary.tokens.any() || summary.cost.any()) AddUsage(span, summary);
  terms_.AddSpan(span, summary);
  if (span.IsRoot()) AddRoot(span);
}

void FactsBuilder::SetTruncated(uint32_t bits, bool is) {
  if (is) {
    facts_.set_truncated(facts_.truncated() | bits);
  } else if ((facts_.truncated() & bits) != 0) {
    facts_.set_truncated(facts_.truncated() & ~bits);
  }
}

void FactsBuilder::AddIdentity(const SpanSummary& summary) {
  uint32_t truncated = summary.truncated;
  if (facts_.session().empty()) {
    facts_.set_session(std::string(summary.session));
  } else {
    truncated &= ~kTruncatedSession;
  }
  if (facts_.user().empty()) {
    facts_.set_user(std::string(summary.user));
  } else {
    truncated &= ~kTruncatedUser;
  }
  if (!summary.model.empty()) AddModel(summary.model);
  for (const auto& [key, value] : summary.tags) {
    if (facts_.tags().size() < kMaxTags || facts_.tags().contains(std::string(key))) {
      (*facts_.mutable_tags())[std::string(key)] = std::string(value);
    } else {
      truncated |= kFactsTruncatedTags;
    }
  }
  for (const auto& [key, value] : summary.metadata) {
    if (facts_.metadata().size() < kMaxMetadata || facts_.metadata().contains(std::string(key))) {
      facts_.mutable_metadata()->insert({std::string(key), std::string(value)});
    } else {
      truncated |= kFactsTruncatedMetadata;
    }
  }
  if (truncated != 0) SetTruncated(truncated, true);
}

// Of too many, the first by name.
void FactsBuilder::AddModel(std::string_view model) {
  const auto place = std::lower_bound(models_.begin(), models_.end(), model);
  if (place != models_.end() && *place == model) return;
  models_.insert(place, std::string(model));
  if (models_.size() <= static_cast<size_t>(kMaxModels)) return;
  models_.pop_back();
  SetTruncated(kFactsTruncatedModels, true);
}

void FactsBuilder::AddUsage(const SpanView& span, const SpanSummary& summary) {
  storage::v1::SpanUsageRecord& used = usage_.emplace_back();
  used.set_span_id(std::string(span.span_id.bytes()));
  used.set_model(summary.CallsModel());
  if (!used.model() && !span.IsRoot()) {
    used.set_parent_span_id(std::string(span.parent_span_id.bytes()));
  }
  *used.mutable_usage() = UsageOfSpan(summary, prices_, span.start_unix_nano);
}

void FactsBuilder::AddRoot(const SpanView& span) {
  storage::v1::RootSpanRecord root;
  root.set_span_id(std::string(span.span_id.bytes()));
  bool truncated = false;
  root.set_name(ListedName(span.name, &truncated));
  root.set_start_unix_nano(span.start_unix_nano);
  root.set_ended(span.end_unix_nano != 0);
  root.set_error(span.error);
  const bool again = facts_.root().span_id() == root.span_id();
  if (!facts_.has_root() || again || PrecedesAsRoot(root, facts_.root())) {
    *facts_.mutable_root() = std::move(root);
    SetTruncated(kFactsTruncatedRootName, truncated);
  }
}

void FactsBuilder::BuildUsage() {
  std::vector<uint32_t> order(usage_.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [this](uint32_t a, uint32_t b) {
    const int by_id = usage_[a].span_id().compare(usage_[b].span_id());
    return by_id != 0 ? by_id < 0 : a < b;
  });
  for (size_t place = 0; place < order.size(); ++place) {
    const uint32_t i = order[place];
    const bool again =
        place + 1 < order.size() && usage_[order[place + 1]].span_id() == usage_[i].span_id();
    if (again) continue;
    if (facts_.span_usage_size() < kMaxUsageSpans) {
      *facts_.add_span_usage() = std::move(usage_[i]);
    } else {
      trace::AddUsage(usage_[i].usage(), usage_[i].model() ? facts_.mutable_more_model_usage()
                                                           : facts_.mutable_more_other_usage());
    }
  }
}

TraceFacts FactsBuilder::Build() {
  facts_.set_schema_version(1);
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
  BuildUsage();
  facts_.mutable_models()->Assign(models_.begin(), models_.end());
  terms_.Finish(&facts_);
  return std::move(facts_);
}

}  // namespace assay::trace
