#include "services/alignment/store/alignment_keys.h"

#include "common/kv/keys.h"
#include "common/status/status_macros.h"

namespace assay::alignment {
namespace {

constexpr uint8_t kAlignment = 0x01;
constexpr uint8_t kInput = 0x02;
constexpr uint8_t kCase = 0x03;
constexpr uint8_t kResult = 0x04;
constexpr uint8_t kRunning = 0x05;

std::string NameKey(uint8_t kind, const names::AlignmentName& name) {
  return kv::KeyBuilder().Kind(kind).String(name.experiment).String(name.alignment).Build();
}

absl::StatusOr<names::AlignmentName> DecodeNameKey(uint8_t kind, std::string_view key) {
  names::AlignmentName name;
  kv::KeyReader reader(key);
  reader.Kind(kind).String(&name.experiment).String(&name.alignment);
  ASSAY_RETURN_IF_ERROR(reader.Finish());
  return name;
}

}  // namespace

std::string AlignmentKey(const names::AlignmentName& name) { return NameKey(kAlignment, name); }
absl::StatusOr<names::AlignmentName> DecodeAlignmentKey(std::string_view key) {
  return DecodeNameKey(kAlignment, key);
}
std::string AlignmentKeyPrefix(std::string_view experiment) {
  return kv::KeyBuilder().Kind(kAlignment).String(experiment).Build();
}

std::string InputKey(const names::AlignmentName& name) { return NameKey(kInput, name); }
absl::StatusOr<names::AlignmentName> DecodeInputKey(std::string_view key) {
  return DecodeNameKey(kInput, key);
}

std::string CaseKeyPrefix(const names::AlignmentName& name) { return NameKey(kCase, name); }
std::string CaseKey(const names::AlignmentName& name, uint32_t index) {
  return kv::KeyBuilder()
      .Kind(kCase)
      .String(name.experiment)
      .String(name.alignment)
      .Uint32(index)
      .Build();
}
absl::StatusOr<CaseKeyParts> DecodeCaseKey(std::string_view key) {
  CaseKeyParts parts;
  kv::KeyReader reader(key);
  reader.Kind(kCase)
      .String(&parts.name.experiment)
      .String(&parts.name.alignment)
      .Uint32(&parts.index);
  ASSAY_RETURN_IF_ERROR(reader.Finish());
  return parts;
}

std::string ResultKey(const names::AlignmentName& name) { return NameKey(kResult, name); }
absl::StatusOr<names::AlignmentName> DecodeResultKey(std::string_view key) {
  return DecodeNameKey(kResult, key);
}

std::string RunningKey(const names::AlignmentName& name) { return NameKey(kRunning, name); }
absl::StatusOr<names::AlignmentName> DecodeRunningKey(std::string_view key) {
  return DecodeNameKey(kRunning, key);
}
std::string RunningKeyPrefix() { return kv::KeyBuilder().Kind(kRunning).Build(); }

}  // namespace assay::alignment
