#include "services/trace/core/trace_fields.h"

#include <bit>
#include <cstdint>
#include <string_view>
#include <utility>

#include "common/json/safe_json.h"
#include "services/trace/core/attribute_json.h"
#include "services/trace/core/otlp_wire_reader.h"
#include "services/trace/core/trace_view.h"
#include "services/trace/core/wire_cursor.h"

namespace assay::trace {
namespace {

using filter::Expr;
using filter::FieldType;
using filter::Value;

// Assessments of one trace that a filter looks at.
constexpr size_t kMaxAssessmentsRead = 1000;

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

std::optional<Value> ValueOfAttribute(std::string_view any_value) {
  WireCursor cursor(any_value);
  WireField field;
  WireField last;
  while (cursor.Next(&field)) {
    if (field.number <= 7) last = field;
  }
  switch (last.number) {
    case 0:
      return std::nullopt;
    case 1:
      return std::string(last.bytes);
    case 2:
      return last.value != 0;
    case 3:
      return static_cast<int64_t>(last.value);
    case 4:
      return std::bit_cast<double>(last.value);
    default: {
      std::string text;
      AppendAnyValueJson(any_value, &text);
      return text;
    }
  }
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

std::optional<AssessmentIndex> RequiredBy(const Expr& expr) {
  if (expr.kind == Expr::Kind::kCompare) {
    const std::vector<std::string>& field = expr.comparison.field;
    if (!IsAssessmentField(field)) return std::nullopt;
    return AssessmentIndex{"", field[0] == "expectation", field[1]};
  }
  if (expr.kind != Expr::Kind::kAnd) return std::nullopt;
  for (const Expr& child : expr.children) {
    if (auto index = RequiredBy(child)) return index;
  }
  return std::nullopt;
}

filter::FieldSchema MakeSchema() {
  filter::FieldSchema schema;
  schema.Field("trace_id", FieldType::kString)
      .Enum("state", {"IN_PROGRESS", "OK", "ERROR"})
      .Field("root_span_name", FieldType::kString)
      .Field("start_time", FieldType::kTime)
      .Field("duration", FieldType::kDuration)
      .Field("session", FieldType::kString)
      .Field("user", FieldType::kString)
      .Field("evaluation", FieldType::kString)
      .Map("feedback", FieldType::kAny)
      .MapEnum("feedback", "source", {"HUMAN", "LLM_JUDGE", "CODE"})
      .MapField("feedback", "source_id", FieldType::kString)
      .Map("expectation", FieldType::kAny)
      .MapEnum("expectation", "source", {"HUMAN", "LLM_JUDGE", "CODE"})
      .MapField("expectation", "source_id", FieldType::kString)
      .Map("attributes", FieldType::kAny);
  return schema;
}

}  // namespace

const filter::FieldSchema& TraceFieldSchema() {
  static const auto* const kSchema = new filter::FieldSchema(MakeSchema());
  return *kSchema;
}

std::optional<AssessmentIndex> RequiredAssessment(const filter::Filter& filter) {
  if (filter.empty()) return std::nullopt;
  return RequiredBy(filter.root());
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

void TraceFields::LookupAttribute(const std::string& key, std::vector<Value>* values) const {
  if (!std::exchange(root_read_, true)) {
    auto root = ReadRootSpan(store_, trace_, stored_.facts);
    status_.Update(root.status());
    if (root.ok()) root_ = *std::move(root);
  }
  if (!root_.has_value()) return;
  std::optional<Value> found;
  ForEachSpanAttribute(*root_, [&](std::string_view name, std::string_view value) {
    if (name == key) found = ValueOfAttribute(value);
    return true;
  });
  if (found.has_value()) values->push_back(*std::move(found));
}

void TraceFields::Lookup(absl::Span<const std::string> field, std::vector<Value>* values) const {
  const TraceFacts& facts = stored_.facts;
  const auto add_text = [&](const std::string& text) {
    if (!text.empty()) values->emplace_back(text);
  };
  if (IsAssessmentField(field)) {
    for (const v1::AssessmentDigest& digest : Assessments()) {
      if (IsAbout(digest, field)) LookupDigest(digest, field, values);
    }
  } else if (field[0] == "attributes") {
    LookupAttribute(filter::MapKey(field, 1), values);
  } else if (field[0] == "trace_id") {
    add_text(trace_.Hex());
  } else if (field[0] == "state") {
    values->emplace_back(std::string(StateWord(StateOf(facts))));
  } else if (field[0] == "root_span_name") {
    add_text(RootNameOf(facts));
  } else if (field[0] == "start_time") {
    values->emplace_back(TimeOfNanos(facts.start_unix_nano()));
  } else if (field[0] == "duration") {
    values->emplace_back(DurationOf(facts));
  } else if (field[0] == "session") {
    add_text(facts.session());
  } else if (field[0] == "user") {
    add_text(facts.user());
  } else if (field[0] == "evaluation") {
    // By id or by resource name.
    const std::string& evaluation = stored_.binding.evaluation;
    if (evaluation.empty()) return;
    add_text(evaluation);
    add_text("experiments/" + stored_.binding.experiment + "/evaluations/" + evaluation);
  }
}

std::optional<std::vector<std::unique_ptr<filter::FieldSource>>> TraceFields::Groups(
    absl::Span<const std::string> prefix) const {
  if (!IsAssessmentField(prefix)) return std::nullopt;
  std::vector<std::unique_ptr<filter::FieldSource>> groups;
  for (const v1::AssessmentDigest& digest : Assessments()) {
    if (IsAbout(digest, prefix)) groups.push_back(std::make_unique<DigestFields>(digest));
  }
  return groups;
}

}  // namespace assay::trace
