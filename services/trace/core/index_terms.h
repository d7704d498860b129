// Which terms a trace is found by: pairs of a field and a value, as filters name the field. The
// store keeps an index entry for each, with the trace's start.
//
//   session, user, evaluation, root_span_name      of the trace
//   span.name, span.type, model, provider          of any span (`model` serves `span.model` too)
//   span.status                                    of any span, only the value ERROR
//   attributes.<key>                               of any span or its resource, if <key> is indexed
//   tags.<key>                                     of the trace
//   judged                                         of the trace of a judgement: what was judged
//
// What a reader may rely on: a trace with spans whose spans, tags or binding say a term has an entry
// under that term at its present start; or, if it says more terms than there is room for, an entry
// under (field, kOverflowValue): the field of such a trace may have any value. More entries may
// stand than are true: at a start the trace no longer has, of values that something later replaced,
// of traces that are gone. An entry is a hint; look at the trace.
#ifndef ASSAY_SERVICES_TRACE_CORE_INDEX_TERMS_H_
#define ASSAY_SERVICES_TRACE_CORE_INDEX_TERMS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "services/trace/core/meaning/span_summary.h"
#include "services/trace/core/otlp_wire_reader.h"
#include "services/trace/core/trace_facts.h"

namespace assay::trace {

inline constexpr std::string_view kTermSession = "session";
inline constexpr std::string_view kTermUser = "user";
inline constexpr std::string_view kTermEvaluation = "evaluation";
inline constexpr std::string_view kTermRootSpanName = "root_span_name";
inline constexpr std::string_view kTermSpanName = "span.name";
inline constexpr std::string_view kTermSpanType = "span.type";
inline constexpr std::string_view kTermSpanStatus = "span.status";
inline constexpr std::string_view kTermModel = "model";
inline constexpr std::string_view kTermProvider = "provider";
inline constexpr std::string_view kTermAttributes = "attributes.";  // And the key.
inline constexpr std::string_view kTermTags = "tags.";              // And the key.
// No field of filters: traces from before it was indexed have no such term.
inline constexpr std::string_view kTermJudged = "judged";

inline constexpr std::string_view kStatusError = "ERROR";  // The only value of kTermSpanStatus.

// Stands for all the values of a field that a trace has and that are not indexed one by one.
inline constexpr std::string_view kOverflowValue = "\x01overflow";

// A field and a value, and how they stand in TraceFacts::terms.
struct IndexTerm {
  std::string field;
  std::string value;
  friend bool operator==(const IndexTerm&, const IndexTerm&) = default;
};

// The value of an attribute as its term has it: texts as they are, true and false, numbers in
// their shortest form (5 for 5.0 as well); nullopt for lists, maps, bytes and none.
std::optional<std::string> TermOfAnyValue(std::string_view any_value);
std::string TermOfNumber(double number);

// Long values stand as their beginning and a hash; applied twice it changes nothing.
std::string ShortTermValue(std::string_view value);

// The attributes that are indexed, of spans and of resources. Immutable: thread-safe.
class IndexedAttributes {
 public:
  // service.name, deployment.environment.name, gen_ai.agent.name, gen_ai.tool.name,
  // gen_ai.prompt.name, and `more`.
  explicit IndexedAttributes(absl::Span<const std::string> more = {});

  // Whether a comparison with `attributes.<key>` can be served.
  bool Contains(std::string_view key) const { return FieldOf(key) != nullptr; }
  // `attributes.<key>`, or null for one that is not indexed.
  const std::string* FieldOf(std::string_view key) const {
    if (key.empty() || key.size() >= kMaxKey) return nullptr;
    return (lasts_[key.size()] & LastOf(key)) == 0 ? nullptr : Find(key);
  }

 private:
  static constexpr size_t kMaxKey = 256;  // Longer keys are not indexed.
  static uint64_t LastOf(std::string_view key) {
    return uint64_t{1} << (static_cast<uint8_t>(key.back()) & 63);
  }
  const std::string* Find(std::string_view key) const;

  // By length, a bit for the last byte: nearly all keys are told apart without hashing.
  std::array<uint64_t, kMaxKey> lasts_ = {};
  absl::flat_hash_map<std::string, std::string> fields_;
};

// Collects the terms of one trace in one request, each once. Not thread-safe.
class TermCollector {
 public:
  // `attributes` outlives the collector.
  explicit TermCollector(const IndexedAttributes& attributes) : attributes_(attributes) {}

  void AddSpan(const SpanView& span, const SpanSummary& summary);
  void Add(std::string_view field, std::string_view value);
  // Puts what was collected, and what `facts` say themselves (session, user, name), into `facts`.
  void Finish(TraceFacts* facts);

 private:
  struct Term {
    std::string_view field;  // Of static storage, or of `attributes_`.
    std::string value;
  };
  const IndexedAttributes& attributes_;
  std::vector<Term> terms_;
  std::vector<std::string_view> overflowed_;
};

// The terms of a resource; the fields are those of `attributes`.
using ResourceTerms = std::vector<std::pair<std::string_view, std::string>>;
ResourceTerms TermsOfResource(std::string_view resource, const IndexedAttributes& attributes);

// Calls `visit` with each term that AllTerms has, in any order, some perhaps twice. The views are
// valid during the call.
void ForEachTerm(const TraceFacts& facts, std::string_view evaluation,
                 absl::FunctionRef<void(std::string_view field, std::string_view value)> visit);

// Of these the ones that do not stand among the terms of the facts.
void ForEachTermBesides(
    const TraceFacts& facts, std::string_view evaluation,
    absl::FunctionRef<void(std::string_view field, std::string_view value)> visit);

// All terms that a trace with these facts has in the index: the listed ones, markers of overflowed
// fields, tags, and its evaluation if that is not empty. Ascending, each once.
std::vector<IndexTerm> AllTerms(const TraceFacts& facts, std::string_view evaluation);

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_INDEX_TERMS_H_
