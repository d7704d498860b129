#include "services/alignment/core/labelled_set.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "common/exec/await.h"
#include "common/exec/parallel_map.h"
#include "common/json/canonical.h"
#include "common/json/json_value.h"
#include "common/json/utf8.h"
#include "common/judging/value_type.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/alignment/core/majority.h"

namespace assay::alignment {
namespace {

using feedback::v1::AssessedTrace;
using feedback::v1::Assessment;

constexpr int kPageSize = 100;
constexpr int kTracesInFlight = 16;
// Some of them may turn out to carry no label.
constexpr size_t kMaxLabelledRead = 20 * kMaxLabelledTraces;
constexpr size_t kMaxRationaleBytes = 4'000;
constexpr size_t kMaxMessageBytes = 1'800;

struct LabelWithReason {
  Label label;
  std::string value;  // JSON text.
  std::string rationale;
};

// Labels of one trace, or why it has none.
struct Labels {
  std::vector<LabelWithReason> valid;
  bool outside_type = false;
};

absl::StatusOr<std::map<std::string, AssessedTrace>> ListAssessed(const LabelledSetQuery& query,
                                                                  common::v1::SourceKind kind,
                                                                  size_t most, const Ports& ports,
                                                                  const CallContext& context) {
  std::map<std::string, AssessedTrace> traces;
  feedback::v1::ListAssessedTracesRequest request;
  request.set_parent(query.experiment);
  request.set_assessment_name(query.assessment_name);
  request.add_source_kinds(kind);
  request.set_page_size(kPageSize);
  do {
    ASSAY_ASSIGN_OR_RETURN(feedback::v1::ListAssessedTracesResponse page,
                           Await<feedback::v1::ListAssessedTracesResponse>([&](auto done) {
                             ports.feedback->ListAssessedTraces(request, context, std::move(done));
                           }));
    for (AssessedTrace& trace : *page.mutable_traces()) {
      std::string name = trace.trace();
      traces.emplace(std::move(name), std::move(trace));
    }
    if (traces.size() > 20 * kMaxLabelledTraces)
      break;  // Beyond it nothing more is named or counted.
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return traces;
}

bool IsPersonsVerdict(const Assessment& assessment) {
  return assessment.source().kind() == common::v1::SOURCE_KIND_HUMAN && assessment.valid() &&
         assessment.has_feedback() && assessment.feedback().has_value() &&
         assessment.target().span_id().empty();
}

bool NamesAPerson(const std::string& annotator) {
  return !annotator.empty() && annotator != "default";
}

Labels LabelsOf(const AssessedTrace& trace, const common::v1::ValueType& type) {
  Labels labels;
  for (const Assessment& assessment : trace.assessments()) {
    if (!IsPersonsVerdict(assessment)) continue;
    absl::StatusOr<std::string> value = json::JsonText(assessment.feedback().value(), "value");
    if (!value.ok() || !judging::ValidateValue(type, *value, "value").ok()) {
      labels.outside_type = true;
      continue;
    }
    const std::string& annotator = assessment.source().id();
    if (NamesAPerson(annotator)) {
      std::erase_if(labels.valid, [&](const LabelWithReason& earlier) {
        return earlier.label.annotator == annotator;
      });
    }
    std::string key = judging::ValueKey(*value);
    labels.valid.push_back(
        {{annotator, std::move(key)}, *std::move(value), assessment.feedback().rationale()});
  }
  return labels;
}

// The reasons of those who gave the value that counts, each once.
std::string JoinedRationale(const std::vector<LabelWithReason>& labels, const std::string& key) {
  std::string joined;
  std::set<std::string> seen;
  for (const LabelWithReason& label : labels) {
    if (label.label.key != key || label.rationale.empty() || !seen.insert(label.rationale).second) {
      continue;
    }
    StrAppend(&joined, joined.empty() ? "" : "\n", label.rationale);
  }
  return std::string(json::TruncateUtf8Bytes(joined, kMaxRationaleBytes));
}

class Builder {
 public:
  Builder(const LabelledSetQuery& query, const Ports& ports, const CallContext& context)
      : query_(query), ports_(ports), context_(context) {}

  absl::StatusOr<BuiltLabelledSet> Build() {
    ASSAY_ASSIGN_OR_RETURN(const auto labelled, ListAssessed(query_, common::v1::SOURCE_KIND_HUMAN,
                                                             kMaxLabelledRead, ports_, context_));
    if (labelled.size() > kMaxLabelledRead) {
      return TooMany(StrCat("more than ", kMaxLabelledRead, " traces with people's feedback"));
    }
    ASSAY_ASSIGN_OR_RETURN(
        const auto judged,
        ListAssessed(query_, common::v1::SOURCE_KIND_LLM_JUDGE, kMaxJudgedRead, ports_, context_));
    for (const auto& [name, trace] : judged) {
      if (!labelled.contains(name)) skipped_.emplace(name, "NO_HUMAN_FEEDBACK");
    }
    for (const auto& [name, trace] : labelled) AddLabels(name, trace);
    if (cases_.size() > kMaxLabelledTraces)
      return TooMany(StrCat(cases_.size(), " labelled traces"));
    ASSAY_RETURN_IF_ERROR(LoadTraces());
    return Finish();
  }

 private:
  static absl::Status TooMany(std::string_view what) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "TOO_MANY_LABELS",
                     StrCat("there are ", what, "; an alignment takes at most ", kMaxLabelledTraces,
                            " traces with ", kMaxLabelledBytes, " bytes of inputs and outputs"));
  }

  void AddLabels(const std::string& name, const AssessedTrace& trace) {
    Labels labels = LabelsOf(trace, query_.value_type);
    if (labels.valid.empty()) {
      skipped_.emplace(name, labels.outside_type ? "VALUE_OUTSIDE_TYPE" : "NO_HUMAN_FEEDBACK");
      return;
    }
    LabelledCase labelled;
    labelled.trace = name;
    for (const LabelWithReason& label : labels.valid) labelled.labels.push_back(label.label);
    std::optional<std::string> key = MajorityKey(labelled.labels, query_.value_type);
    if (!key.has_value()) {
      skipped_.emplace(name, "TIED_LABELS");
      return;
    }
    labelled.key = *std::move(key);
    for (const LabelWithReason& label : labels.valid) {
      if (label.label.key == labelled.key) labelled.value = label.value;
    }
    // The median of an even number of ordered labels is always one of them, so a value was found.
    labelled.rationale = JoinedRationale(labels.valid, labelled.key);
    cases_.push_back(std::move(labelled));
  }

  absl::Status LoadTraces() {
    std::vector<std::string> names;
    for (const LabelledCase& labelled : cases_) names.push_back(labelled.trace);
    std::vector<absl::StatusOr<trace::v1::Trace>> traces =
        ParallelMap<std::string, trace::v1::Trace>(
            names, kTracesInFlight,
            [&](const std::string& name, Done<trace::v1::Trace> done) {
              ports_.trace->GetTrace(name, context_, std::move(done));
            },
            context_.cancel.get());
    std::vector<LabelledCase> complete;
    size_t bytes = 0;
    for (size_t i = 0; i < cases_.size(); ++i) {
      ASSAY_ASSIGN_OR_RETURN(const std::string reason, Fill(traces[i], cases_[i]));
      if (!reason.empty()) {
        skipped_.emplace(cases_[i].trace, reason);
        continue;
      }
      bytes += cases_[i].inputs.value_or("").size() + cases_[i].outputs.value_or("").size();
      if (bytes > kMaxLabelledBytes)
        return TooMany(StrCat("more than ", kMaxLabelledBytes, " bytes"));
      complete.push_back(std::move(cases_[i]));
    }
    cases_ = std::move(complete);
    return absl::OkStatus();
  }

  // Why the trace is left out, or "".
  absl::StatusOr<std::string> Fill(const absl::StatusOr<trace::v1::Trace>& trace,
                                   LabelledCase& labelled) const {
    if (absl::IsNotFound(trace.status())) return "TRACE_NOT_FOUND";
    if (!trace.ok()) return trace.status();
    if (trace->has_inputs()) {
      ASSAY_ASSIGN_OR_RETURN(labelled.inputs, json::JsonText(trace->inputs(), "trace.inputs"));
    } else if (query_.needed.inputs) {
      return "MISSING_INPUTS";
    }
    if (trace->has_outputs()) {
      ASSAY_ASSIGN_OR_RETURN(labelled.outputs, json::JsonText(trace->outputs(), "trace.outputs"));
    } else if (query_.needed.outputs) {
      return "MISSING_OUTPUTS";
    }
    return "";
  }

  BuiltLabelledSet Finish() {
    BuiltLabelledSet built;
    std::map<std::string, int> clusters;
    v1::LabelledSet& summary = built.summary;
    for (LabelledCase& labelled : cases_) {
      // Without inputs nothing is known to be equal.
      std::string same = labelled.trace;
      if (labelled.inputs.has_value()) {
        absl::StatusOr<std::string> hash = json::Sha256OfCanonicalJson(*labelled.inputs);
        if (hash.ok()) same = *std::move(hash);
      }
      labelled.cluster =
          clusters.try_emplace(same, static_cast<int>(clusters.size())).first->second;
      summary.set_label_count(summary.label_count() + static_cast<int64_t>(labelled.labels.size()));
      ++(*summary.mutable_label_counts())[labelled.key];
    }
    summary.set_labelled_count(static_cast<int64_t>(cases_.size()));
    summary.set_skipped_count(static_cast<int64_t>(skipped_.size()));
    summary.set_label_rule("MAJORITY");
    summary.set_cluster_count(static_cast<int64_t>(clusters.size()));
    for (const auto& [trace, reason] : skipped_) {
      if (summary.skipped_size() == kMaxSkippedKept) break;
      v1::SkippedTrace* skipped = summary.add_skipped();
      skipped->set_trace(trace);
      skipped->set_reason(reason);
    }
    built.cases = std::move(cases_);
    return built;
  }

  const LabelledSetQuery& query_;
  const Ports& ports_;
  const CallContext& context_;
  std::vector<LabelledCase> cases_;
  std::map<std::string, std::string> skipped_;  // By trace: why.
};

}  // namespace

absl::StatusOr<BuiltLabelledSet> BuildLabelledSet(const LabelledSetQuery& query, const Ports& ports,
                                                  const CallContext& context) {
  return Builder(query, ports, context).Build();
}

absl::Status CheckEnoughLabels(const v1::LabelledSet& set, int minimum_labels) {
  if (set.labelled_count() < minimum_labels) {
    std::string message = StrCat(
        "there are ", set.labelled_count(), " labelled traces, and an alignment needs at least ",
        minimum_labels, "; ", set.skipped_count(), " others were left out");
    int64_t named = 0;
    for (const v1::SkippedTrace& skipped : set.skipped()) {
      const std::string entry =
          StrCat(named == 0 ? ": " : ", ", skipped.trace(), " (", skipped.reason(), ")");
      if (message.size() + entry.size() > kMaxMessageBytes) break;
      message += entry;
      ++named;
    }
    if (named < set.skipped_count())
      StrAppend(&message, ", and ", set.skipped_count() - named, " more");
    return MakeError(absl::StatusCode::kFailedPrecondition, "TOO_FEW_LABELS", message,
                     {{"labelled_count", StrCat(set.labelled_count())},
                      {"minimum_labels", StrCat(minimum_labels)},
                      {"skipped_count", StrCat(set.skipped_count())}});
  }
  if (set.cluster_count() < 2) {
    return MakeError(
        absl::StatusCode::kFailedPrecondition, "TOO_FEW_CLUSTERS",
        "all labelled traces have the same inputs, so none can be held out from the others");
  }
  return absl::OkStatus();
}

}  // namespace assay::alignment
