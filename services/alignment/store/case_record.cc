#include "services/alignment/store/case_record.h"

namespace assay::alignment {

storage::v1::LabelledCaseRecord ToRecord(const LabelledCase& labelled) {
  storage::v1::LabelledCaseRecord record;
  record.set_schema_version(1);
  record.set_trace(labelled.trace);
  if (labelled.inputs.has_value()) record.set_inputs(*labelled.inputs);
  if (labelled.outputs.has_value()) record.set_outputs(*labelled.outputs);
  record.set_value(labelled.value);
  record.set_key(labelled.key);
  record.set_rationale(labelled.rationale);
  for (const Label& label : labelled.labels) {
    storage::v1::LabelRecord* added = record.add_labels();
    added->set_annotator(label.annotator);
    added->set_key(label.key);
  }
  record.set_cluster(labelled.cluster);
  return record;
}

LabelledCase FromRecord(const storage::v1::LabelledCaseRecord& record) {
  LabelledCase labelled;
  labelled.trace = record.trace();
  if (record.has_inputs()) labelled.inputs = record.inputs();
  if (record.has_outputs()) labelled.outputs = record.outputs();
  labelled.value = record.value();
  labelled.key = record.key();
  labelled.rationale = record.rationale();
  for (const storage::v1::LabelRecord& label : record.labels()) {
    labelled.labels.push_back({label.annotator(), label.key()});
  }
  labelled.cluster = record.cluster();
  return labelled;
}

}  // namespace assay::alignment
