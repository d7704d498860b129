#include "services/trace/core/trace_fields.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "common/json/safe_json.h"
#include "common/strings/strings.h"
#include "services/trace/core/index_terms.h"
#include "services/trace/core/search/span_fields.h"
#include "services/trace/core/trace_view.h"

namespace assay::trace {
namespace {

using filter::FieldType;
using filter::Value;

// Assessments of one trace that a filter looks at.
constexpr size_t kMaxAssessmentsRead = 1000;
// Terms of this size may be shortened ones.
constexpr size_t kShortenedTermBytes = 64;

std::string_view StateWord(v1::TraceState state) {
  switch (state) {
    case v1::TRACE_STATE_OK:
      return "OK";
    case v1::TRACE_STATE_ERROR:
      return "ERROR";
    default:
      return "IN_PROGRESS";
  }
}

std::string SourceWord(common::v1::SourceKind kind) {
  std::string word = common::v1::SourceKind_Name(kind);
  constexpr std::string_view kPrefix = "SOURCE_KIND_";
  return word.starts_with(kPrefix) ? word.substr(kPrefix.size()) : word;
}

// A JSON document as something to compare with; lists and objects are their text.
std::optional<Value> ValueOfJson(const std::string& text) {
  absl::StatusOr<json::Node> node = json::ParseJson(text);
  if (!node.ok() || node->is_null()) return std::nullopt;
  if (std::optional<bool> boolean = node->AsBool()) return *boolean;
  if (std::optional<int64_t> integer = node->AsInt64()) return *integer;
  if (std::optional<double> number = node->AsDouble()) return *number;
  if (node->is_string()) return node->text;
  return text;
}

// `field` is feedback.<name> or expectation.<name>, maybe with .source or .source_id, of this very
// assessment.
void LookupDigest(const v1::AssessmentDigest& digest, absl::Span<const std::string> field,
                  std::vector<Value>* values) {
  if (field.size() == 3 && field[2] == "source") {
    values->emplace_back(SourceWord(digest.source().kind()));
  } else if (field.size() == 3 && field[2] == "source_id") {
    values->emplace_back(digest.source().id());
  } else if (field.size() == 2 && digest.has_value()) {
    if (std::optional<Value> value = ValueOfJson(digest.value().json_text())) {
      values->push_back(*std::move(value));
    }
  }
}

bool IsAssessmentField(absl::Span<const std::string> field) {
  return field.size() >= 2 && (field[0] == "feedback" || field[0] == "expectation");
}

bool IsAbout(const v1::AssessmentDigest& digest, absl::Span<const std::string> field) {
  return digest.expectation() == (field[0] == "expectation") &&
         digest.assessment_name() == field[1];
}

class DigestFields final : public filter::FieldSource {
 public:
  explicit DigestFields(const v1::AssessmentDigest& digest) : digest_(digest) {}
  void Lookup(absl::Span<const std::string> field, std::vector<Value>* values) const override {
    if (IsAssessmentField(field) && IsAbout(digest_, field)) LookupDigest(digest_, field, values);
  }

 private:
  const v1::AssessmentDigest& digest_;
};

constexpr std::string_view kUsageFields[] = {"input_tokens",       "output_tokens",
                                             "total_tokens",       "cache_read_tokens",
                                             "cache_write_tokens", "reasoning_tokens"};

filter::FieldSchema MakeSchema() {
  filter::FieldSchema schema;
  for (const std::string_view name : kUsageFields) {
    schema.Field(StrCat("usage.", name), FieldType::kNumber);
  }
  for (const std::string_view map : {"feedback", "expectation"}) {
    schema.Map(map, FieldType::kAny)
        .MapEnum(map, "source", {"HUMAN", "LLM_JUDGE", "CODE"})
        .MapField(map, "source_id", FieldType::kString);
  }
  schema.Field("trace_id", FieldType::kString)
      .Enum("state", {"IN_PROGRESS", "OK", "ERROR"})
      .Field("root_span_name", FieldType::kString)
      .Field("start_time", FieldType::kTime)
      .Field("end_time", FieldType::kTime)
      .Field("create_time", FieldType::kTime)
      .Field("duration", FieldType::kDuration)
      .Field("span_count", FieldType::kNumber)
      .Field("error_span_count", FieldType::kNumber)
      .Field("size_bytes", FieldType::kNumber)
      .Field("session", FieldType::kString)
      .Field("user", FieldType::kString)
      .Field("evaluation", FieldType::kString)
      .Field("model", FieldType::kString)
      .Field("provider", FieldType::kString)
      .Field("cost", FieldType::kNumber)
      .Field("text", FieldType::kFullText)
      .Map("tags", FieldType::kString)
      .Map("metadata", FieldType::kString)
      .Map("attributes", FieldType::kAny)
      .Field("span.name", FieldType::kString)
      .Field("span.type", FieldType::kString)
      .Enum("span.status", {std::string(kSpanStatusOk), std::string(kSpanStatusError),
                            std::string(kSpanStatusUnspecified)})
      .Field("span.model", FieldType::kString)
      .Field("span.provider", FieldType::kString)
      .Map("span.attributes", FieldType::kAny);
  return schema;
}

// Dearer reads come later.
enum Cost { kOfFacts = 0, kOfAssessments, kOfRoot, kOfSpans, kOfTexts };

}  // namespace

const filter::FieldSchema& TraceFieldSchema() {
  static const auto* const kSchema = new filter::FieldSchema(MakeSchema());
  return *kSchema;
}

filter::FieldTraits TraceFieldTraits(absl::Span<const std::string> field) {
  if (IsAssessmentField(field)) return {.group_segments = 2, .cost = kOfAssessments};
  if (field[0] == "span") return {.group_segments = 1, .cost = kOfSpans};
  if (field[0] == "attributes") return {.group_segments = 0, .cost = kOfRoot};
  if (field[0] == "text") return {.group_segments = 0, .cost = kOfTexts};
  return {.group_segments = 0, .cost = kOfFacts};
}

absl::StatusOr<bool> TraceMatcher::Matches(const TraceStore& store, const TraceId& trace,
                                           const StoredTrace& stored, SpanReads* reads,
                                           bool* over_budget) const {
  const TraceFields fields(store, trace, stored, reads);
  const bool matches = matcher_.Matches(fields);
  if (over_budget != nullptr) *over_budget = fields.over_budget();
  if (!fields.status().ok()) return fields.status();
  return matches;
}

const std::vector<v1::AssessmentDigest>& TraceFields::Assessments() const {
  if (!assessments_.has_value()) {
    assessments_.emplace();
    auto read = store_.AssessmentsOf(trace_, kMaxAssessmentsRead);
    status_.Update(read.status());
    if (read.ok()) assessments_ = *std::move(read);
  }
  return *assessments_;
}

std::optional<std::vector<std::string>> TraceFields::KnownTerms(std::string_view field) const {
  const TraceFacts& facts = stored_.facts;
  for (const std::string& overflowed : facts.overflowed_fields()) {
    if (overflowed == field) return std::nullopt;
  }
  std::vector<std::string> values;
  bool indexed = false;  // Facts that list no name of a span were not made for an index.
  for (const std::string& term : facts.terms()) {
    indexed |= FieldOfTerm(term) == kTermSpanName;
    if (FieldOfTerm(term) != field) continue;
    const std::string_view value = ValueOfTerm(term);
    if (value.size() >= kShortenedTermBytes) return std::nullopt;
    values.emplace_back(value);
  }
  if (!indexed) return std::nullopt;
  return values;
}

void TraceFields::LookupOfSpans(std::string_view term, std::string_view SpanSummary::*member,
                                std::vector<Value>* values) const {
  if (const auto known = KnownTerms(term)) {
    values->insert(values->end(), known->begin(), known->end());
    return;
  }
  absl::flat_hash_set<std::string> said;
  spans_.ForEachSpan([&](const SpanView& span) {
    const SpanSummary summary = SummarizeSpan(span.bytes);
    if (!(summary.*member).empty()) said.emplace(summary.*member);
  });
  values->insert(values->end(), said.begin(), said.end());
}

void TraceFields::LookupUsage(std::string_view name, std::vector<Value>* values) const {
  if (!usage_.has_value()) usage_ = UsageOf(stored_.facts);
  const auto add = [&](bool has, int64_t value) {
    if (has) values->emplace_back(value);
  };
  if (name == "input_tokens") {
    add(usage_->has_input_tokens(), usage_->input_tokens());
  } else if (name == "output_tokens") {
    add(usage_->has_output_tokens(), usage_->output_tokens());
  } else if (name == "total_tokens") {
    add(usage_->has_total_tokens(), usage_->total_tokens());
  } else if (name == "cache_read_tokens") {
    add(usage_->has_cache_read_tokens(), usage_->cache_read_tokens());
  } else if (name == "cache_write_tokens") {
    add(usage_->has_cache_write_tokens(), usage_->cache_write_tokens());
  } else if (name == "reasoning_tokens") {
    add(usage_->has_reasoning_tokens(), usage_->reasoning_tokens());
  } else if (name == "cost" && usage_->has_total_nano_usd()) {
    values->emplace_back(UsdOfNanos(usage_->total_nano_usd()));
  }
}

void TraceFields::Lookup(absl::Span<const std::string> field, std::vector<Value>* values) const {
  const TraceFacts& facts = stored_.facts;
  const std::string& name = field[0];
  const auto add_text = [&](std::string_view text) {
    if (!text.empty()) values->emplace_back(std::string(text));
  };
  const auto add_entry = [&](const google::protobuf::Map<std::string, std::string>& entries) {
    const auto entry = entries.find(filter::MapKey(field, 1));
    if (entry != entries.end()) values->emplace_back(entry->second);
  };
  if (IsAssessmentField(field)) {
    for (const v1::AssessmentDigest& digest : Assessments()) {
      if (IsAbout(digest, field)) LookupDigest(digest, field, values);
    }
  } else if (name == "attributes") {
    const std::optional<std::string>& root = spans_.Root();
    if (!root.has_value()) return;
    std::optional<Value> value =
        AttributeOf(*root, spans_.root_resource(), filter::MapKey(field, 1));
    if (value.has_value()) values->push_back(*std::move(value));
  } else if (name == "tags") {
    add_entry(facts.tags());
  } else if (name == "metadata") {
    add_entry(facts.metadata());
  } else if (name == "trace_id") {
    add_text(trace_.Hex());
  } else if (name == "create_time") {
    values->emplace_back(TimeOfMillis(stored_.bound_ms));
  } else if (name == "evaluation") {
    // By id or by resource name.
    const std::string& evaluation = stored_.binding.evaluation;
    if (evaluation.empty()) return;
    add_text(evaluation);
    add_text(StrCat("experiments/", stored_.binding.experiment, "/evaluations/", evaluation));
  } else if (name == "state") {
    values->emplace_back(std::string(StateWord(StateOf(facts))));
  } else if (!HasSpans(facts)) {
    return;  // What follows is known of spans.
  } else if (name == "root_span_name") {
    add_text(RootNameOf(facts));
  } else if (name == "start_time") {
    values->emplace_back(TimeOfNanos(facts.start_unix_nano()));
  } else if (name == "end_time") {
    values->emplace_back(TimeOfNanos(facts.end_unix_nano()));
  } else if (name == "duration") {
    values->emplace_back(DurationOf(facts));
  } else if (name == "span_count") {
    values->emplace_back(SpanCount(facts));
  } else if (name == "error_span_count") {
    values->emplace_back(facts.error_spans());
  } else if (name == "size_bytes") {
    values->emplace_back(facts.span_bytes());
  } else if (name == "session") {
    add_text(facts.session());
  } else if (name == "user") {
    add_text(facts.user());
  } else if (name == "model") {
    LookupOfSpans(kTermModel, &SpanSummary::model, values);
  } else if (name == "provider") {
    LookupOfSpans(kTermProvider, &SpanSummary::provider, values);
  } else if (name == "cost") {
    LookupUsage(name, values);
  } else if (name == "usage" && field.size() == 2) {
    LookupUsage(field[1], values);
  }
}

std::optional<bool> TraceFields::AnyGroup(
    absl::Span<const std::string> prefix,
    absl::FunctionRef<bool(const filter::FieldSource& group)> matches) const {
  if (prefix[0] == "span") {
    return spans_.AnySpan([&](const SpanView& span) { return matches(SpanFields(span, 1)); });
  }
  if (!IsAssessmentField(prefix)) return std::nullopt;
  for (const v1::AssessmentDigest& digest : Assessments()) {
    if (IsAbout(digest, prefix) && matches(DigestFields(digest))) return true;
  }
  return false;
}

std::optional<bool> TraceFields::Compare(const filter::Comparison& comparison) const {
  const std::vector<std::string>& field = comparison.field;
  if (field[0] == "text") {
    const std::string& part = comparison.literal.text;
    return spans_.AnySpan(
        [&](const SpanView& span) {
          bool found = false;
          ForEachSpanText(span.bytes, [&](std::string_view text) {
            found = filter::ContainsText(text, part);
            return !found;
          });
          return found;
        },
        part);
  }
  if (field[0] != "span" || field.size() != 2) return std::nullopt;
  if (field[1] == "status") {
    const bool about_error =
        comparison.op == filter::Op::kEquals && comparison.literal.text == kSpanStatusError;
    if (!about_error) return std::nullopt;
    return stored_.facts.error_spans() > 0;
  }
  const bool of_trace_too = field[1] == kTermModel || field[1] == kTermProvider;
  const auto known = KnownTerms(of_trace_too ? field[1] : StrCat(field[0], ".", field[1]));
  if (!known.has_value()) return std::nullopt;
  // Each is the value of some span, which has no other.
  return std::any_of(known->begin(), known->end(), [&](const std::string& value) {
    return filter::CompareAll({Value(value)}, comparison);
  });
}

}  // namespace assay::trace
