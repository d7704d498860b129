#include "services/trace/core/meaning/span_summary.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "absl/container/flat_hash_map.h"
#include "common/json/safe_json.h"
#include "common/json/utf8.h"
#include "common/strings/strings.h"
#include "services/trace/core/attribute_json.h"
#include "services/trace/core/meaning/mapping_table.h"
#include "services/trace/core/wire_cursor.h"

namespace assay::trace {
namespace {

// Documents of tokens, costs and metadata are small; larger ones are not looked into.
constexpr size_t kMaxDocumentBytes = size_t{64} << 10;
// A details event's attributes come after every attribute of the span.
constexpr uint16_t kDetailsRank = 10'000;
constexpr uint16_t kNoRank = std::numeric_limits<uint16_t>::max();

bool IsSummarized(const Source& source) {
  switch (source.target) {
    case Target::kInputs:
    case Target::kOutputs:
    case Target::kSystemInstructions:
    case Target::kInputMessages:
    case Target::kOutputMessages:
    case Target::kTools:
    case Target::kDocuments:
    case Target::kErrorMessage:
    case Target::kErrorStack:
      return false;
    default:
      return true;
  }
}

// Finds the sources of a key. Most keys of most spans mean nothing: a bit set by length and last
// character tells that without hashing.
class SummaryIndex {
 public:
  static const SummaryIndex& Get() {
    static const SummaryIndex* const index = new SummaryIndex(MappingTable::Default());
    return *index;
  }

  // Null if the key means nothing.
  const std::vector<const Source*>* Find(std::string_view key) const {
    if (key.empty() || key.size() >= kMaxKey) return nullptr;
    if ((last_chars_[key.size()] >> (static_cast<uint8_t>(key.back()) & 63) & 1) == 0) {
      return nullptr;
    }
    auto found = exact_.find(key);
    return found == exact_.end() ? nullptr : &found->second;
  }
  // The source of a flattened map that the key is of, or null.
  const Source* FindFlattened(std::string_view key) const {
    for (const Source* source : flattened_) {
      if (key.size() > source->key.size() && key.starts_with(source->key)) return source;
    }
    return nullptr;
  }
  const std::vector<const Source*>* FindEvent(std::string_view name) const {
    auto found = events_.find(name);
    return found == events_.end() ? nullptr : &found->second;
  }

 private:
  static constexpr size_t kMaxKey = 128;

  explicit SummaryIndex(const MappingTable& table) {
    for (size_t target = 0; target < kTargets; ++target) {
      for (const Source& source : table.SourcesOf(static_cast<Target>(target))) {
        if (IsSummarized(source)) Add(source);
      }
    }
  }

  void Add(const Source& source) {
    switch (source.kind) {
      case KeyKind::kAttribute:
        exact_[source.key].push_back(&source);
        last_chars_[source.key.size()] |= uint64_t{1}
                                          << (static_cast<uint8_t>(source.key.back()) & 63);
        break;
      case KeyKind::kFlattened:
        flattened_.push_back(&source);
        break;
      case KeyKind::kEventAttribute:
        events_[source.event].push_back(&source);
        break;
      default:
        break;
    }
  }

  std::array<uint64_t, kMaxKey> last_chars_ = {};
  absl::flat_hash_map<std::string_view, std::vector<const Source*>> exact_;
  absl::flat_hash_map<std::string_view, std::vector<const Source*>> events_;
  std::vector<const Source*> flattened_;
};

// Takes a length-delimited field with this tag off the front, if its length has one byte: nearly all
// have.
inline bool TakeShortField(char tag, std::string_view* rest, std::string_view* bytes) {
  if (rest->size() < 2 || (*rest)[0] != tag) return false;
  const auto size = static_cast<uint8_t>((*rest)[1]);
  if (size >= 0x80 || rest->size() < size_t{2} + size) return false;
  *bytes = rest->substr(2, size);
  rest->remove_prefix(size_t{2} + size);
  return true;
}

// The member of an AnyValue that is set; number 0 if none is.
WireField MemberOf(std::string_view any_value) {
  if (std::string_view text, rest = any_value; TakeShortField(0x0A, &rest, &text) && rest.empty()) {
    return {.number = 1, .type = WireType::kBytes, .bytes = text};
  }
  WireCursor cursor(any_value);
  WireField field;
  WireField last;
  while (cursor.Next(&field)) {
    if (field.number <= 7) last = field;
  }
  return cursor.ok() ? last : WireField();
}

std::optional<double> NumberOf(const WireField& member) {
  switch (member.number) {
    case 1: {
      double value = 0;
      const char* end = member.bytes.data() + member.bytes.size();
      auto [stop, error] = std::from_chars(member.bytes.data(), end, value);
      if (error != std::errc() || stop != end) return std::nullopt;
      return value;
    }
    case 3:
      return static_cast<double>(static_cast<int64_t>(member.value));
    case 4:
      return std::bit_cast<double>(member.value);
    default:
      return std::nullopt;
  }
}

std::optional<int64_t> CountOf(double value) {
  if (!(value >= 0 && value <= 9e15) || value != std::floor(value)) return std::nullopt;
  return static_cast<int64_t>(value);
}

std::optional<double> UsdOf(double value) {
  if (!(value >= 0) || !std::isfinite(value)) return std::nullopt;
  return value;
}

// Gathers what one span says.
class SummaryReader {
 public:
  explicit SummaryReader(SpanSummary* summary) : index_(SummaryIndex::Get()), summary_(summary) {
    ranks_.fill(kNoRank);
  }

  void Read(std::string_view span) {
    WireCursor cursor(span);
    WireField field;
    while (cursor.Next(&field)) {
      if (field.IsBytes(9)) {
        ReadKeyValue(field.bytes, 0);
      } else if (field.IsBytes(11)) {
        ReadEvent(field.bytes);
      } else if (field.IsBytes(15)) {
        ReadStatus(field.bytes);
      }
    }
    Finish();
  }

 private:
  static size_t At(Target target) { return static_cast<size_t>(target); }

  // A value of a source that holds for some span types only, until the type is known.
  struct Deferred {
    const Source* source;
    uint16_t rank;
    std::string_view text;
    bool cut;
  };
  struct RankedEntry {
    uint16_t rank;
    SpanSummary::Entry entry;
  };

  static void SplitKeyValue(std::string_view message, std::string_view* key,
                            std::string_view* value) {
    if (std::string_view rest = message;
        TakeShortField(0x0A, &rest, key) && TakeShortField(0x12, &rest, value) && rest.empty()) {
      return;
    }
    WireCursor cursor(message);
    WireField part;
    while (cursor.Next(&part)) {
      if (part.IsBytes(1)) *key = part.bytes;
      if (part.IsBytes(2)) *value = part.bytes;
    }
  }

  void ReadKeyValue(std::string_view message, uint16_t more_rank) {
    std::string_view key;
    std::string_view value;
    SplitKeyValue(message, &key, &value);
    if (const std::vector<const Source*>* sources = index_.Find(key)) {
      const WireField member = MemberOf(value);
      if (member.number == 0) return;
      for (const Source* source : *sources) Take(*source, more_rank, member, value);
    } else if (const Source* map = index_.FindFlattened(key)) {
      AddEntry(map->target, map->rank + more_rank, key.substr(map->key.size()),
               TextOf(MemberOf(value), value, kMaxEntryValueChars));
    }
  }

  void ReadEvent(std::string_view event) {
    WireCursor cursor(event);
    WireField field;
    std::string_view name;
    while (cursor.Next(&field)) {
      if (field.IsBytes(2)) name = field.bytes;
    }
    const bool details = name == kDetailsEvent;
    const std::vector<const Source*>* sources = details ? nullptr : index_.FindEvent(name);
    if (!details && sources == nullptr) return;
    WireCursor again(event);
    while (again.Next(&field)) {
      if (!field.IsBytes(3)) continue;
      if (details) {
        ReadKeyValue(field.bytes, kDetailsRank);
        continue;
      }
      std::string_view key;
      std::string_view value;
      SplitKeyValue(field.bytes, &key, &value);
      for (const Source* source : *sources) {
        if (source->key == key) Take(*source, 0, MemberOf(value), value);
      }
    }
  }

  void ReadStatus(std::string_view status) {
    WireCursor cursor(status);
    WireField field;
    while (cursor.Next(&field)) {
      if (field.number == 3 && field.type == WireType::kVarint) summary_->error = field.value == 2;
    }
  }

  std::string_view Own(std::string text) {
    summary_->owned.push_back(std::make_unique<const std::string>(std::move(text)));
    return *summary_->owned.back();
  }

  // The beginning of a text; `cut_` says whether that is not all.
  std::string_view Cut(std::string_view text, size_t max_chars) {
    const std::string_view kept = json::TruncateUtf8(text, max_chars);
    cut_ = kept.size() < text.size();
    return kept;
  }

  // A JSON string in a string is unwrapped; what is no string becomes JSON text. Sets `cut_`.
  std::string_view TextOf(const WireField& member, std::string_view any_value, size_t max_chars) {
    cut_ = false;
    if (member.number == 0) return {};
    if (member.number != 1) {
      std::string json;
      AppendAnyValueJson(any_value, &json);
      return Cut(Own(std::move(json)), max_chars);
    }
    std::string_view text = member.bytes;
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
      const std::string_view inner = text.substr(1, text.size() - 2);
      if (inner.find_first_of("\\\"") == inner.npos) {
        text = inner;
      } else if (text.size() <= kMaxDocumentBytes) {
        absl::StatusOr<json::Node> node = json::ParseJson(text);
        if (node.ok()) text = Own(std::move(node->text));
      }
    }
    return Cut(text, max_chars);
  }

  // The document of an attribute with members, parsed once for all the sources that read it; null
  // if it is none.
  const json::Node* DocumentOf(const WireField& member, std::string_view any_value) {
    if (document_of_ == any_value.data()) return document_ok_ ? &document_ : nullptr;
    document_of_ = any_value.data();
    document_ok_ = false;
    if (any_value.size() > kMaxDocumentBytes) return nullptr;
    std::string made;
    std::string_view text = member.bytes;
    if (member.number != 1) {
      AppendAnyValueJson(any_value, &made);
      text = made;
    }
    absl::StatusOr<json::Node> node = json::ParseJson(text);
    if (!node.ok()) return nullptr;
    document_ = *std::move(node);
    document_ok_ = true;
    return &document_;
  }

  const json::Node* MemberAt(const Source& source, const WireField& member,
                             std::string_view any_value) {
    const json::Node* document = DocumentOf(member, any_value);
    if (document == nullptr) return nullptr;
    if (source.path.front() != '[') return document->Find(source.path);
    absl::StatusOr<const json::Node*> found = json::JsonPathFind(*document, source.path);
    return found.ok() ? *found : nullptr;
  }

  void Take(const Source& source, uint16_t more_rank, const WireField& member,
            std::string_view any_value) {
    const uint16_t rank = source.rank + more_rank;
    if (source.conversion == Conversion::kList || source.conversion == Conversion::kEntries) {
      return TakeEntries(source, rank, member, any_value);
    }
    if (rank > ranks_[At(source.target)]) return;
    switch (source.conversion) {
      case Conversion::kWord:
        return TakeWord(source, rank, member, any_value);
      case Conversion::kText:
      case Conversion::kLower:
        return TakeText(source, rank, member, any_value);
      case Conversion::kInt:
      case Conversion::kUsd:
        return TakeNumber(source, rank, member, any_value);
      default:
        return;
    }
  }

  void Set(const Source& source, uint16_t rank, std::string_view text) {
    if (text.empty()) return;
    if (!source.if_type.empty()) {
      deferred_.push_back({&source, rank, text, cut_});
      return;
    }
    SetText(At(source.target), rank, text, cut_);
  }

  void SetText(size_t target, uint16_t rank, std::string_view text, bool cut) {
    ranks_[target] = rank;
    texts_[target] = text;
    const uint64_t bit = uint64_t{1} << target;
    cut_texts_ = cut ? cut_texts_ | bit : cut_texts_ & ~bit;
  }

  void TakeWord(const Source& source, uint16_t rank, const WireField& member,
                std::string_view any_value) {
    std::string_view word = TextOf(member, any_value, kMaxIdentityChars);
    if (source.words != nullptr) {
      // Some write a name of their own after the word.
      auto found = source.words->find(ToAbsl(word.substr(0, word.find(' '))));
      if (found == source.words->end()) return;
      word = found->second;
      cut_ = false;
    }
    Set(source, rank, word);
  }

  void TakeText(const Source& source, uint16_t rank, const WireField& member,
                std::string_view any_value) {
    std::string_view text;
    cut_ = false;
    if (source.path.empty()) {
      text = TextOf(member, any_value, kMaxIdentityChars);
    } else if (const json::Node* node = MemberAt(source, member, any_value);
               node != nullptr && node->is_string()) {
      text = Own(std::string(Cut(node->text, kMaxIdentityChars)));
    }
    if (source.until != 0) {
      const size_t end = text.find(source.until);
      if (end != text.npos) cut_ = false;
      text = text.substr(0, end);
    }
    if (source.conversion == Conversion::kLower &&
        std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) {
      std::string lower(text);
      for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      text = Own(std::move(lower));
    }
    Set(source, rank, text);
  }

  void TakeNumber(const Source& source, uint16_t rank, const WireField& member,
                  std::string_view any_value) {
    std::optional<double> number;
    if (source.path.empty()) {
      number = NumberOf(member);
    } else if (const json::Node* node = MemberAt(source, member, any_value)) {
      number = node->AsDouble();
    }
    if (!number.has_value()) return;
    if (source.conversion == Conversion::kInt) {
      std::optional<int64_t> count = CountOf(*number);
      if (!count.has_value()) return;
      *TokensOf(source.target) = *count;
    } else {
      std::optional<double> usd = UsdOf(*number);
      if (!usd.has_value()) return;
      *CostOf(source.target) = *usd;
    }
    ranks_[At(source.target)] = rank;
  }

  std::optional<int64_t>* TokensOf(Target target) {
    switch (target) {
      case Target::kTokensInput:
        return &summary_->tokens.input;
      case Target::kTokensOutput:
        return &summary_->tokens.output;
      case Target::kTokensTotal:
        return &summary_->tokens.total;
      case Target::kTokensCacheRead:
        return &summary_->tokens.cache_read;
      case Target::kTokensCacheWrite:
        return &summary_->tokens.cache_write;
      default:
        return &summary_->tokens.reasoning;
    }
  }
  std::optional<double>* CostOf(Target target) {
    if (target == Target::kCostInput) return &summary_->cost.input;
    return target == Target::kCostOutput ? &summary_->cost.output : &summary_->cost.total;
  }

  void SetTruncated(Target entries) {
    summary_->truncated |= entries == Target::kTags ? kTruncatedTags : kTruncatedMetadata;
  }

  // The lowest rank wins a key; the last of equal ranks. `cut_` is of the value.
  void AddEntry(Target target, uint16_t rank, std::string_view key, std::string_view value) {
    bool cut = cut_;
    key = Cut(key, kMaxIdentityChars);
    cut = cut || cut_;
    if (key.empty()) return;
    if (cut) SetTruncated(target);
    std::vector<RankedEntry>& entries = target == Target::kTags ? tags_ : metadata_;
    for (RankedEntry& known : entries) {
      if (known.entry.first != key) continue;
      if (rank <= known.rank) known = {rank, {key, value}};
      return;
    }
    if (entries.size() < kMaxSummaryEntries) {
      entries.push_back({rank, {key, value}});
    } else {
      SetTruncated(target);
    }
  }

  void TakeEntries(const Source& source, uint16_t rank, const WireField& member,
                   std::string_view any_value) {
    const json::Node* document = nullptr;
    // A list may also be one plain text.
    const bool plain = source.conversion == Conversion::kList && member.number == 1 &&
                       !member.bytes.starts_with('[');
    if (plain)
      return AddEntry(source.target, rank, TextOf(member, any_value, kMaxIdentityChars), {});
    if (any_value.size() > kMaxDocumentBytes) return SetTruncated(source.target);
    document = DocumentOf(member, any_value);
    if (document == nullptr) return;
    size_t taken = 0;
    for (const json::Node& child : document->children) {
      if (++taken > kMaxSummaryEntries) return SetTruncated(source.target);
      cut_ = false;
      if (source.conversion == Conversion::kList) {
        if (!document->is_array() || !child.is_string()) continue;
        AddEntry(source.target, rank, Own(child.text), {});
      } else if (document->is_object()) {
        const std::string_view whole = Own(child.is_string() ? child.text : child.ToJson());
        const std::string_view value = Cut(whole, kMaxEntryValueChars);
        AddEntry(source.target, rank, Own(child.key), value);
      }
    }
  }

  void Finish() {
    summary_->span_type = texts_[At(Target::kSpanType)];
    for (const Deferred& late : deferred_) {
      if (late.source->if_type != summary_->span_type) continue;
      const size_t at = At(late.source->target);
      if (late.rank > ranks_[at]) continue;
      SetText(at, late.rank, late.text, late.cut);
    }
    summary_->model = texts_[At(Target::kModel)];
    summary_->provider = texts_[At(Target::kProvider)];
    summary_->session = texts_[At(Target::kSession)];
    summary_->user = texts_[At(Target::kUser)];
    summary_->tool_name = texts_[At(Target::kToolName)];
    summary_->agent_name = texts_[At(Target::kAgentName)];
    summary_->prompt_name = texts_[At(Target::kPromptName)];
    summary_->error_type = texts_[At(Target::kErrorType)];
    TokenCounts& tokens = summary_->tokens;
    if (!tokens.total && tokens.input && tokens.output)
      tokens.total = *tokens.input + *tokens.output;
    CostUsd& cost = summary_->cost;
    if (!cost.total && cost.input && cost.output) cost.total = *cost.input + *cost.output;
    if (cut_texts_ != 0) SetTruncatedTexts();
    for (const RankedEntry& tag : tags_) summary_->tags.push_back(tag.entry);
    for (const RankedEntry& one : metadata_) summary_->metadata.push_back(one.entry);
  }

  void SetTruncatedTexts() {
    const auto set = [this](Target target, uint32_t bit) {
      if ((cut_texts_ >> At(target) & 1) != 0) summary_->truncated |= bit;
    };
    set(Target::kSession, kTruncatedSession);
    set(Target::kUser, kTruncatedUser);
    set(Target::kModel, kTruncatedModel);
  }

  const SummaryIndex& index_;
  SpanSummary* const summary_;
  std::array<uint16_t, kTargets> ranks_;
  std::array<std::string_view, kTargets> texts_;
  std::vector<Deferred> deferred_;
  std::vector<RankedEntry> tags_;
  std::vector<RankedEntry> metadata_;
  bool cut_ = false;        // Whether the text that was read last is only its beginning.
  uint64_t cut_texts_ = 0;  // A bit for each of `texts_` that is only a beginning.
  const char* document_of_ = nullptr;
  bool document_ok_ = false;
  json::Node document_;
};

}  // namespace

bool SpanSummary::CallsModel() const {
  if (span_type.empty() || span_type == "UNKNOWN") return !model.empty();
  return span_type == "LLM" || span_type == "CHAT_MODEL" || span_type == "EMBEDDING" ||
         span_type == "RERANKER";
}

SpanSummary SummarizeSpan(std::string_view span) {
  SpanSummary summary;
  SummaryReader(&summary).Read(span);
  return summary;
}

}  // namespace assay::trace
