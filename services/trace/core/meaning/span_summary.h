// The fast way from a span to what search, totals and facts need of it: one pass over the span's
// bytes, no copies, no allocation for a span that says nothing of the kind.
#ifndef ASSAY_SERVICES_TRACE_CORE_MEANING_SPAN_SUMMARY_H_
#define ASSAY_SERVICES_TRACE_CORE_MEANING_SPAN_SUMMARY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay::trace {

// Bounds of what a summary holds; what exceeds them is cut (texts) or left out (entries).
inline constexpr size_t kMaxIdentityChars = 250;     // Every text but the values of entries.
inline constexpr size_t kMaxEntryValueChars = 4096;  // Values of tags and metadata.
inline constexpr size_t kMaxSummaryEntries = 50;     // Tags, and metadata, of one span.

// What a summary holds less of than the span says: bits of SpanSummary::truncated.
inline constexpr uint32_t kTruncatedTags = 1;
inline constexpr uint32_t kTruncatedMetadata = 2;
inline constexpr uint32_t kTruncatedSession = 4;
inline constexpr uint32_t kTruncatedUser = 8;
inline constexpr uint32_t kTruncatedModel = 16;

// Absent means not said; never negative. `input` includes what was read from or written to a
// cache, `output` includes reasoning. `total` is the sum of input and output if only these are
// said.
struct TokenCounts {
  std::optional<int64_t> input;
  std::optional<int64_t> output;
  std::optional<int64_t> total;
  std::optional<int64_t> cache_read;
  std::optional<int64_t> cache_write;
  std::optional<int64_t> reasoning;

  bool any() const { return input || output || total || cache_read || cache_write || reasoning; }
};

// In US dollars. Absent means not known; never negative, finite. `total` is the sum of input and
// output if only these are known.
struct CostUsd {
  std::optional<double> input;
  std::optional<double> output;
  std::optional<double> total;

  bool any() const { return input || output || total; }
};

// What one span says. Views point into the span's bytes, into static tables, or into `owned`; they
// survive a move of the summary. Texts are empty if the span does not say.
struct SpanSummary {
  using Entry = std::pair<std::string_view, std::string_view>;

  // LLM CHAIN AGENT TOOL CHAT_MODEL RETRIEVER PARSER EMBEDDING RERANKER MEMORY UNKNOWN WORKFLOW
  // TASK GUARDRAIL EVALUATOR, or a word of the application's own.
  std::string_view span_type;
  std::string_view model;
  std::string_view provider;  // Lower case.
  std::string_view session;
  std::string_view user;
  std::string_view tool_name;
  std::string_view agent_name;
  std::string_view prompt_name;
  // Of an exception event or `error.type`; also of spans whose status is no error.
  std::string_view error_type;
  bool error = false;  // The span's status.
  TokenCounts tokens;
  CostUsd cost;  // Only what the span itself says.
  // Keys are distinct. A tag without a value (`tag.tags`) has the empty value. Metadata that is not
  // text is JSON text.
  std::vector<Entry> tags;
  std::vector<Entry> metadata;
  uint32_t truncated = 0;  // Bits kTruncated... above; of no other text.

  // Whether a span of this type calls a model itself. The usage of other types (AGENT, CHAIN,
  // WORKFLOW, TASK ...) repeats what the spans below them used. A span of no known type counts as
  // calling a model if it names one.
  bool CallsModel() const;

  std::vector<std::unique_ptr<const std::string>> owned;
};

// `span` is a Span message that the wire reader has accepted, and outlives the summary. Of several
// attributes with one meaning, the first of mapping.txt wins; of one key twice, the last.
// Thread-safe; never fails: what cannot be read is not said.
SpanSummary SummarizeSpan(std::string_view span);

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_MEANING_SPAN_SUMMARY_H_
