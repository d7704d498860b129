// Reads assessments by way of the indexes, within one snapshot.
#ifndef ASSAY_SERVICES_FEEDBACK_STORE_RECORD_READER_H_
#define ASSAY_SERVICES_FEEDBACK_STORE_RECORD_READER_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/kv/store.h"
#include "services/feedback/core/feedback_store.h"

namespace assay::feedback {

// A page of records stays near this.
inline constexpr size_t kMaxReadBytes = 3 << 20;

// The records of an experiment under these ids. DATA_LOSS if one is missing. Thread-safe, as all
// functions here.
absl::StatusOr<std::vector<Placed>> ReadRecords(const kv::Reader& reader,
                                                std::string_view experiment,
                                                const std::vector<std::string>& ids);

absl::StatusOr<AssessmentPage> ReadRange(const kv::Reader& reader, const AssessmentRange& range);

absl::StatusOr<LabelledPage> ReadLabelled(const kv::Reader& reader, const LabelledRange& range);

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_STORE_RECORD_READER_H_
