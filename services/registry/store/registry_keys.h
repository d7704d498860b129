// Keys of the registry's store.
//
//   0x01 experiment: experiment id                       -> ExperimentRecord
//   0x02 judge:      experiment id, judge id             -> JudgeRecord
//   0x03 revision:   experiment id, judge id, ~revision  -> JudgeRevisionRecord (newest first)
#ifndef ASSAY_SERVICES_REGISTRY_STORE_REGISTRY_KEYS_H_
#define ASSAY_SERVICES_REGISTRY_STORE_REGISTRY_KEYS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/names/resource_name.h"

namespace assay::registry {

std::string ExperimentKey(std::string_view experiment);
absl::StatusOr<names::ExperimentName> DecodeExperimentKey(std::string_view key);
std::string ExperimentKeyPrefix();

std::string JudgeKey(const names::JudgeName& name);
absl::StatusOr<names::JudgeName> DecodeJudgeKey(std::string_view key);
std::string JudgeKeyPrefix(std::string_view experiment);

std::string RevisionKey(const names::JudgeName& name, int64_t revision);
absl::StatusOr<names::JudgeRevisionName> DecodeRevisionKey(std::string_view key);
std::string RevisionKeyPrefix(const names::JudgeName& name);

}  // namespace assay::registry

#endif  // ASSAY_SERVICES_REGISTRY_STORE_REGISTRY_KEYS_H_
