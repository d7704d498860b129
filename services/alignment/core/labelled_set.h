// The labelled set: traces that carry people's feedback under a judge's name.
#ifndef ASSAY_SERVICES_ALIGNMENT_CORE_LABELLED_SET_H_
#define ASSAY_SERVICES_ALIGNMENT_CORE_LABELLED_SET_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "assay/alignment/v1/alignment_service.pb.h"
#include "common/exec/call_context.h"
#include "services/alignment/core/labelled_case.h"
#include "services/alignment/core/options.h"
#include "services/alignment/core/ports.h"

namespace assay::alignment {

inline constexpr size_t kMaxLabelledTraces = 5'000;
inline constexpr size_t kMaxLabelledBytes = size_t{32} << 20;
inline constexpr int kMaxSkippedKept = 200;
// Traces that a judge has judged, of which those without a person's label are counted as skipped.
inline constexpr size_t kMaxJudgedRead = 10'000;

struct LabelledSetQuery {
  std::string experiment;       // experiments/{experiment}
  std::string assessment_name;  // The judge's id.
  common::v1::ValueType value_type;
  NeededFields needed;
};

struct BuiltLabelledSet {
  v1::LabelledSet summary;
  std::vector<LabelledCase> cases;  // By trace name.
};

// Asks feedback for the labels and trace for inputs and outputs. A label is a valid feedback of a
// person, about the trace as a whole, with a value of the judge's type; of several by one named
// person the latest counts, those of nobody in particular (source id `default`) count each. Blocks:
// not from a thread that the ports need. Errors: those of the ports, and FAILED_PRECONDITION
// TOO_MANY_LABELS beyond the limits above. Thread-safe, as all here.
absl::StatusOr<BuiltLabelledSet> BuildLabelledSet(const LabelledSetQuery& query, const Ports& ports,
                                                  const CallContext& context);

// OK, or FAILED_PRECONDITION: TOO_FEW_LABELS (metadata labelled_count, minimum_labels,
// skipped_count; the message names the first traces left out, and why), TOO_FEW_CLUSTERS if all
// inputs are equal, so that nothing can be held out.
absl::Status CheckEnoughLabels(const v1::LabelledSet& set, int minimum_labels);

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_CORE_LABELLED_SET_H_
