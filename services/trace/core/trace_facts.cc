#include "services/trace/core/trace_facts.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "common/names/judge_call_metadata.h"

namespace assay::trace {
namespace {

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

// Of the same span in both, the record of the later chunk; of the same chunk, the newer.
void MergeSpanUsage(const TraceFacts& newer, TraceFacts* facts) {
  using Records = google::protobuf::RepeatedPtrField<storage::v1::SpanUsageRecord>;
  if (newer.has_more_model_usage()) {
    AddUsage(newer.more_model_usage(), facts->mutable_more_model_usage());
  }
  if (newer.has_more_other_usage()) {
    AddUsage(newer.more_other_usage(), facts->mutable_more_other_usage());
  }
  if (newer.span_usage().empty()) return;
  Records old;
  old.Swap(facts->mutable_span_usage());
  Records& merged = *facts->mutable_span_usage();
  int a = 0;
  int b = 0;
  auto keep = [&](const storage::v1::SpanUsageRecord& record) {
    if (merged.size() < kMaxUsageSpans) {
      *merged.Add() = record;
    } else {
      AddUsage(record.usage(), record.model() ? facts->mutable_more_model_usage()
                                              : facts->mutable_more_other_usage());
    }
  };
  while (a < old.size() || b < newer.span_usage_size()) {
    if (b == newer.span_usage_size()) {
      keep(old[a++]);
    } else if (a == old.size() || newer.span_usage(b).span_id() < old[a].span_id()) {
      keep(newer.span_usage(b++));
    } else if (old[a].span_id() < newer.span_usage(b).span_id()) {
      keep(old[a++]);
    } else {
      const bool again = newer.span_usage(b).sequence() >= old[a].sequence();
      keep(again ? newer.span_usage(b) : old[a]);
      ++a;
      ++b;
    }
  }
}

using Texts = google::protobuf::RepeatedPtrField<std::string>;

// The union of two ascending lists without repetitions; `most_of` a text says how many there may be
// for it to find room.
template <class Most, class Drop>
void MergeTexts(const Texts& newer, Most most_of, Texts* texts, Drop drop) {
  if (newer.empty()) return;
  Texts old;
  old.Swap(texts);
  texts->Reserve(old.size() + newer.size());
  int a = 0;
  int b = 0;
  while (a < old.size() || b < newer.size()) {
    const bool take_old = b == newer.size() || (a < old.size() && old[a] <= newer[b]);
    const bool take_newer = a == old.size() || (b < newer.size() && newer[b] <= old[a]);
    const std::string& text = take_old ? old[a] : newer[b];
    if (texts->size() < most_of(text)) {
      texts->Add(std::string(text));
    } else {
      drop(text);
    }
    a += take_old ? 1 : 0;
    b += take_newer ? 1 : 0;
  }
}

void MergeTerms(const TraceFacts& newer, TraceFacts* facts) {
  Texts overflowed = newer.overflowed_fields();
  const auto most = [](const std::string& term) {
    return kMaxTerms + (IsReserved(FieldOfTerm(term)) ? kReservedTerms : 0);
  };
  MergeTexts(newer.terms(), most, facts->mutable_terms(), [&](const std::string& term) {
    const std::string_view field = FieldOfTerm(term);
    const bool known = std::find(overflowed.begin(), overflowed.end(), field) != overflowed.end();
    if (!known) overflowed.Add(std::string(field));
  });
  std::sort(overflowed.begin(), overflowed.end());
  MergeTexts(
      overflowed, [](const std::string&) { return std::numeric_limits<int>::max(); },
      facts->mutable_overflowed_fields(), [](const std::string&) {});
}

using Entries = google::protobuf::Map<std::string, std::string>;

void SetTruncated(uint32_t bits, TraceFacts* facts) {
  if (bits != 0) facts->set_truncated(facts->truncated() | bits);
}

void MergeModels(const TraceFacts& newer, TraceFacts* facts) {
  MergeTexts(
      newer.models(), [](const std::string&) { return kMaxModels; }, facts->mutable_models(),
      [&](const std::string&) { SetTruncated(kFactsTruncatedModels, facts); });
}

// Keeps the entries of `first`, then those with the smallest keys. Whether some had to go.
bool Cap(size_t most, const std::set<std::string>& first, Entries* entries) {
  if (entries->size() <= most) return false;
  std::vector<std::pair<bool, std::string>> keys;
  keys.reserve(entries->size());
  for (const auto& [key, value] : *entries) keys.emplace_back(!first.contains(key), key);
  std::sort(keys.begin(), keys.end());
  for (size_t i = most; i < keys.size(); ++i) entries->erase(keys[i].second);
  return true;
}

// What a client said of a tag outweighs what spans say of it, now and later.
void MergeTags(const TraceFacts& newer, TraceFacts* facts) {
  if (newer.tags().empty() && newer.removed_tags().empty()) return;
  std::set<std::string> owned(facts->client_tags().begin(), facts->client_tags().end());
  const std::set<std::string> newly(newer.client_tags().begin(), newer.client_tags().end());
  for (const std::string& key : newer.removed_tags()) {
    facts->mutable_tags()->erase(key);
    owned.erase(key);
  }
  for (const auto& [key, value] : newer.tags()) {
    const bool by_client = newer.tags_by_client() || newly.contains(key);
    if (!by_client && owned.contains(key)) continue;
    (*facts->mutable_tags())[key] = value;
    if (by_client) owned.insert(key);
  }
  if (Cap(kMaxTags, owned, facts->mutable_tags())) SetTruncated(kFactsTruncatedTags, facts);
  facts->mutable_client_tags()->Assign(owned.begin(), owned.end());
}

void MergeEntries(const TraceFacts& newer, TraceFacts* facts) {
  for (const auto& [key, value] : newer.metadata()) facts->mutable_metadata()->insert({key, value});
  if (Cap(kMaxMetadata, {}, facts->mutable_metadata())) {
    SetTruncated(kFactsTruncatedMetadata, facts);
  }
  MergeTags(newer, facts);
}

// Of what `facts` now have from `newer`: whether it is all that was said.
void TakeTruncated(uint32_t bit, const TraceFacts& newer, TraceFacts* facts) {
  if (((facts->truncated() ^ newer.truncated()) & bit) != 0) {
    facts->set_truncated(facts->truncated() ^ bit);
  }
}

void MergeIdentity(const TraceFacts& newer, TraceFacts* facts) {
  if (facts->session().empty()) {
    facts->set_session(newer.session());
    TakeTruncated(kFactsTruncatedSession, newer, facts);
  }
  if (facts->user().empty()) {
    facts->set_user(newer.user());
    TakeTruncated(kFactsTruncatedUser, newer, facts);
  }
  constexpr uint32_t kSums = kFactsTruncatedTags | kFactsTruncatedMetadata | kFactsTruncatedModels;
  SetTruncated(newer.truncated() & kSums, facts);
}

void MergeCompletion(const TraceFacts& newer, TraceFacts* facts) {
  if (!newer.has_completion()) return;
  const auto rank = [](const storage::v1::CompletionRecord& completion) {
    return std::pair(completion.generation(), completion.through_sequence());
  };
  if (!facts->has_completion() || rank(facts->completion()) <= rank(newer.completion())) {
    *facts->mutable_completion() = newer.completion();
  }
}

// Times, root and names: what only facts with spans have.
void MergeSpans(const TraceFacts& newer, TraceFacts* facts) {
  const bool first = !HasSpans(*facts);
  // A place in the index is that of a start.
  const bool moves = first || newer.start_unix_nano() < facts->start_unix_nano();
  if (moves) facts->clear_index_group();
  const bool same = newer.start_unix_nano() == facts->start_unix_nano();
  if (newer.has_index_group() && (moves || (same && !facts->has_index_group()))) {
    *facts->mutable_index_group() = newer.index_group();
  }
  const auto start = [](const TraceFacts& of) {
    return std::tuple(of.start_unix_nano(), std::string_view(of.first_span_name()));
  };
  if (first || start(newer) < start(*facts)) {
    facts->set_start_unix_nano(newer.start_unix_nano());
    facts->set_first_span_name(newer.first_span_name());
    TakeTruncated(kFactsTruncatedFirstName, newer, facts);
  }
  facts->set_end_unix_nano(std::max(facts->end_unix_nano(), newer.end_unix_nano()));
  MergeIds(newer.span_ids(), facts);
  facts->set_uncounted_spans(facts->uncounted_spans() + newer.uncounted_spans());
  if (newer.has_root() && (!facts->has_root() || PrecedesAsRoot(newer.root(), facts->root()))) {
    *facts->mutable_root() = newer.root();
    TakeTruncated(kFactsTruncatedRootName, newer, facts);
  }
  facts->set_error_spans(facts->error_spans() + newer.error_spans());
  facts->set_span_bytes(facts->span_bytes() + newer.span_bytes());
}

}  // namespace

bool PrecedesAsRoot(const storage::v1::RootSpanRecord& a, const storage::v1::RootSpanRecord& b) {
  if (a.span_id() == b.span_id()) return a.sequence() > b.sequence();
  if (a.start_unix_nano() != b.start_unix_nano()) return a.start_unix_nano() < b.start_unix_nano();
  return a.span_id() < b.span_id();
}

void MergeFacts(const TraceFacts& newer, TraceFacts* facts) {
  facts->clear_removed_tags();
  facts->clear_tags_by_client();
  if (newer.schema_version() == 0) return;
  if (facts->schema_version() == 0) {
    *facts = newer;
    facts->clear_removed_tags();
    facts->clear_tags();
    MergeTags(newer, facts);
    facts->clear_tags_by_client();
    return;
  }
  if (HasSpans(newer)) MergeSpans(newer, facts);
  MergeIdentity(newer, facts);
  if (facts->experiment_number() == 0) {
    facts->set_experiment_number(newer.experiment_number());
    facts->set_bound_ms(newer.bound_ms());
  }
  facts->set_last_arrival_ms(std::max(facts->last_arrival_ms(), newer.last_arrival_ms()));
  facts->set_last_sequence(std::max(facts->last_sequence(), newer.last_sequence()));
  MergeSpanUsage(newer, facts);
  MergeTerms(newer, facts);
  MergeModels(newer, facts);
  MergeEntries(newer, facts);
  MergeCompletion(newer, facts);
}

bool CanMergeEarly(const TraceFacts& operand) {
  return operand.removed_tags().empty() && !operand.tags_by_client();
}

bool HasSpans(const TraceFacts& facts) {
  return !facts.span_ids().empty() || facts.uncounted_spans() > 0;
}

int64_t SpanCount(const TraceFacts& facts) {
  return static_cast<int64_t>(facts.span_ids().size() / SpanId::kSize) + facts.uncounted_spans();
}

std::string_view JudgedBy(const TraceFacts& facts) {
  if (facts.metadata().empty()) return {};
  static const std::string* const kCall = new std::string(names::kJudgeCallMetadata);
  static const std::string* const kJudged = new std::string(names::kJudgedMetadata);
  const auto judged = facts.metadata().find(*kJudged);
  if (judged == facts.metadata().end() || !facts.metadata().contains(*kCall)) return {};
  return judged->second;
}

std::string MakeTerm(std::string_view field, std::string_view value) {
  std::string term;
  term.reserve(field.size() + 1 + value.size());
  term.append(field).push_back('\0');
  return term.append(value);
}

std::string_view FieldOfTerm(std::string_view term) { return term.substr(0, term.find('\0')); }

bool IsReserved(std::string_view field) {
  return field == "session" || field == "user" || field == "root_span_name" || field == "judged";
}

std::string_view ValueOfTerm(std::string_view term) {
  const size_t end = term.find('\0');
  return end == std::string_view::npos ? std::string_view() : term.substr(end + 1);
}

}  // namespace assay::trace
