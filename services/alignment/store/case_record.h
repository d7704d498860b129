// A labelled case as it lies on disk.
#ifndef ASSAY_SERVICES_ALIGNMENT_STORE_CASE_RECORD_H_
#define ASSAY_SERVICES_ALIGNMENT_STORE_CASE_RECORD_H_

#include "assay/storage/v1/alignment_records.pb.h"
#include "services/alignment/core/labelled_case.h"

namespace assay::alignment {

// Each undoes the other. Thread-safe.
storage::v1::LabelledCaseRecord ToRecord(const LabelledCase& labelled);
LabelledCase FromRecord(const storage::v1::LabelledCaseRecord& record);

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_STORE_CASE_RECORD_H_
