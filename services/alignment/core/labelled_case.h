// A trace with people's verdict.
#ifndef ASSAY_SERVICES_ALIGNMENT_CORE_LABELLED_CASE_H_
#define ASSAY_SERVICES_ALIGNMENT_CORE_LABELLED_CASE_H_

#include <optional>
#include <string>
#include <vector>

#include "assay/registry/v1/judge.pb.h"

namespace assay::alignment {

struct Label {
  std::string annotator;
  std::string key;  // The value in its one spelling (judging::ValueKey).
  bool operator==(const Label&) const = default;
};

struct LabelledCase {
  std::string trace;                   // Resource name.
  std::optional<std::string> inputs;   // JSON text.
  std::optional<std::string> outputs;  // JSON text.
  std::string value;                   // JSON text of the value that counts.
  std::string key;                     // The same in its one spelling.
  std::string rationale;               // Of those who gave that value.
  std::vector<Label> labels;           // Every valid one.
  int cluster = 0;                     // Equal for equal inputs; from 0, by first appearance.
  bool operator==(const LabelledCase&) const = default;
};

// The last part of a trace's resource name.
std::string TraceIdOf(const std::string& trace);

// What an alignment works on; fixed when it is created.
struct AlignmentInput {
  std::string uid;    // Tells this alignment from any other.
  std::string judge;  // experiments/{experiment}/judges/{judge}
  registry::v1::JudgeDefinition base;
  std::vector<LabelledCase> cases;
};

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_CORE_LABELLED_CASE_H_
