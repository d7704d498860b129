// Keys of the alignment service's store.
//
//   0x01 alignment: experiment id, alignment id        -> AlignmentRecord
//   0x02 input:     experiment id, alignment id        -> AlignmentInputRecord
//   0x03 case:      experiment id, alignment id, index -> LabelledCaseRecord
//   0x04 result:    experiment id, alignment id        -> AlignmentResultRecord
//   0x05 running:   experiment id, alignment id        -> empty; only while it is RUNNING
#ifndef ASSAY_SERVICES_ALIGNMENT_STORE_ALIGNMENT_KEYS_H_
#define ASSAY_SERVICES_ALIGNMENT_STORE_ALIGNMENT_KEYS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/names/resource_name.h"

namespace assay::alignment {

std::string AlignmentKey(const names::AlignmentName& name);
absl::StatusOr<names::AlignmentName> DecodeAlignmentKey(std::string_view key);
std::string AlignmentKeyPrefix(std::string_view experiment);

std::string InputKey(const names::AlignmentName& name);
absl::StatusOr<names::AlignmentName> DecodeInputKey(std::string_view key);

struct CaseKeyParts {
  names::AlignmentName name;
  uint32_t index = 0;
};
std::string CaseKey(const names::AlignmentName& name, uint32_t index);
absl::StatusOr<CaseKeyParts> DecodeCaseKey(std::string_view key);
std::string CaseKeyPrefix(const names::AlignmentName& name);

std::string ResultKey(const names::AlignmentName& name);
absl::StatusOr<names::AlignmentName> DecodeResultKey(std::string_view key);

std::string RunningKey(const names::AlignmentName& name);
absl::StatusOr<names::AlignmentName> DecodeRunningKey(std::string_view key);
std::string RunningKeyPrefix();

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_STORE_ALIGNMENT_KEYS_H_
