#include "services/feedback/core/assessment_filter.h"

#include <optional>
#include <vector>

#include "common/json/safe_json.h"
#include "common/names/resource_name.h"
#include "common/proto/time.h"

namespace assay::feedback {
namespace {

using filter::Comparison;
using filter::Expr;
using filter::FieldType;

const filter::FieldSchema& AssessmentFields() {
  static const auto& schema =
      *new filter::FieldSchema(filter::FieldSchema()
                                   .Field("assessment_name", FieldType::kString)
                                   .Field("trace_id", FieldType::kString)
                                   .Field("span_id", FieldType::kString)
                                   .Enum("source", {"HUMAN", "LLM_JUDGE", "CODE"})
                                   .Field("source_id", FieldType::kString)
                                   .Enum("kind", {"FEEDBACK", "EXPECTATION"})
                                   .Enum("outcome", {"VALUE", "ERROR", "ABSTAINED", "SKIPPED"})
                                   .Field("value", FieldType::kAny)
                                   .Field("evaluation", FieldType::kString)
                                   .Field("create_time", FieldType::kTime)
                                   .Map("metadata", FieldType::kString));
  return schema;
}

// The enumerator's name without what it begins with in the contract.
std::string Word(const std::string& name, std::string_view prefix) {
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

void AddScalar(const json::Node& node, std::vector<filter::Value>* values) {
  if (node.is_string()) {
    values->emplace_back(node.text);
  } else if (std::optional<bool> truth = node.AsBool(); truth.has_value()) {
    values->emplace_back(*truth);
  } else if (std::optional<int64_t> whole = node.AsInt64(); whole.has_value()) {
    values->emplace_back(*whole);
  } else if (std::optional<double> number = node.AsDouble(); number.has_value()) {
    values->emplace_back(*number);
  }
}

// A scalar as it is; each element of a list; an object as its JSON text.
void AddJson(const common::v1::JsonValue& value, std::vector<filter::Value>* values) {
  const absl::StatusOr<json::Node> node = json::ParseJson(value.json_text());
  if (!node.ok()) return;
  if (node->is_object()) {
    values->emplace_back(value.json_text());
  } else if (node->is_array()) {
    for (const json::Node& item : node->children) AddScalar(item, values);
  } else {
    AddScalar(*node, values);
  }
}

class AssessmentSource final : public filter::FieldSource {
 public:
  explicit AssessmentSource(const v1::Assessment& assessment) : assessment_(assessment) {}

  void Lookup(absl::Span<const std::string> field,
              std::vector<filter::Value>* values) const override {
    const std::string& name = field[0];
    if (name == "value") return AddValue(values);
    if (name == "create_time") {
      values->emplace_back(proto::FromTimestamp(assessment_.create_time()));
      return;
    }
    std::string text = name == "metadata" ? Metadata(filter::MapKey(field)) : Text(name);
    if (!text.empty()) values->emplace_back(std::move(text));
  }

 private:
  // A field of text; empty if there is none.
  std::string Text(std::string_view name) const {
    if (name == "assessment_name") return assessment_.assessment_name();
    if (name == "trace_id") {
      const absl::StatusOr<names::TraceName> trace =
          names::TraceName::Parse(assessment_.target().trace());
      return trace.ok() ? trace->trace : "";
    }
    if (name == "span_id") return assessment_.target().span_id();
    if (name == "source") {
      return Word(common::v1::SourceKind_Name(assessment_.source().kind()), "SOURCE_KIND_");
    }
    if (name == "source_id") return assessment_.source().id();
    if (name == "kind") return assessment_.has_feedback() ? "FEEDBACK" : "EXPECTATION";
    if (name == "outcome" && assessment_.has_feedback()) {
      return Word(common::v1::Outcome_Name(assessment_.feedback().outcome()), "OUTCOME_");
    }
    if (name == "evaluation") return assessment_.evaluation();
    return "";
  }

  std::string Metadata(const std::string& key) const {
    const auto entry = assessment_.metadata().find(key);
    return entry == assessment_.metadata().end() ? "" : entry->second;
  }

  void AddValue(std::vector<filter::Value>* values) const {
    if (assessment_.has_expectation()) return AddJson(assessment_.expectation().value(), values);
    if (assessment_.feedback().has_value()) AddJson(assessment_.feedback().value(), values);
  }

  const v1::Assessment& assessment_;
};

std::string TraceOf(const Expr& expr) {
  const Comparison& comparison = expr.comparison;
  const bool demands = expr.kind == Expr::Kind::kCompare && comparison.op == filter::Op::kEquals &&
                       comparison.field.size() == 1 && comparison.field[0] == "trace_id";
  return demands ? comparison.literal.text : "";
}

}  // namespace

absl::StatusOr<filter::Filter> ParseAssessmentFilter(std::string_view text) {
  return filter::ParseFilter(text, AssessmentFields());
}

bool MatchesAssessment(const filter::Filter& filter, const v1::Assessment& assessment) {
  return filter::Matches(filter, AssessmentSource(assessment));
}

std::string DemandedTrace(const filter::Filter& filter) {
  if (filter.empty()) return "";
  if (filter.root().kind != Expr::Kind::kAnd) return TraceOf(filter.root());
  for (const Expr& term : filter.root().children) {
    if (std::string trace = TraceOf(term); !trace.empty()) return trace;
  }
  return "";
}

}  // namespace assay::feedback
