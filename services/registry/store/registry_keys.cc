#include "services/registry/store/registry_keys.h"

#include "common/kv/keys.h"
#include "common/status/status_macros.h"

namespace assay::registry {
namespace {

constexpr uint8_t kExperiment = 0x01;
constexpr uint8_t kJudge = 0x02;
constexpr uint8_t kRevision = 0x03;

}  // namespace

std::string ExperimentKeyPrefix() { return kv::KeyBuilder().Kind(kExperiment).Build(); }

std::string ExperimentKey(std::string_view experiment) {
  return kv::KeyBuilder().Kind(kExperiment).String(experiment).Build();
}

absl::StatusOr<names::ExperimentName> DecodeExperimentKey(std::string_view key) {
  names::ExperimentName name;
  kv::KeyReader reader(key);
  reader.Kind(kExperiment).String(&name.experiment);
  ASSAY_RETURN_IF_ERROR(reader.Finish());
  return name;
}

std::string JudgeKeyPrefix(std::string_view experiment) {
  return kv::KeyBuilder().Kind(kJudge).String(experiment).Build();
}

std::string JudgeKey(const names::JudgeName& name) {
  return kv::KeyBuilder().Kind(kJudge).String(name.experiment).String(name.judge).Build();
}

absl::StatusOr<names::JudgeName> DecodeJudgeKey(std::string_view key) {
  names::JudgeName name;
  kv::KeyReader reader(key);
  reader.Kind(kJudge).String(&name.experiment).String(&name.judge);
  ASSAY_RETURN_IF_ERROR(reader.Finish());
  return name;
}

std::string RevisionKeyPrefix(const names::JudgeName& name) {
  return kv::KeyBuilder().Kind(kRevision).String(name.experiment).String(name.judge).Build();
}

std::string RevisionKey(const names::JudgeName& name, int64_t revision) {
  return kv::KeyBuilder()
      .Kind(kRevision)
      .String(name.experiment)
      .String(name.judge)
      .DescInt64(revision)
      .Build();
}

absl::StatusOr<names::JudgeRevisionName> DecodeRevisionKey(std::string_view key) {
  names::JudgeRevisionName name;
  kv::KeyReader reader(key);
  reader.Kind(kRevision).String(&name.experiment).String(&name.judge).DescInt64(&name.revision);
  ASSAY_RETURN_IF_ERROR(reader.Finish());
  return name;
}

}  // namespace assay::registry
