#include "services/feedback/store/feedback_keys.h"

#include "common/kv/keys.h"
#include "common/status/status_macros.h"

namespace assay::feedback {
namespace {

constexpr uint8_t kAssessment = 0x01;
constexpr uint8_t kOrder = 0x02;
constexpr uint8_t kTrace = 0x03;
constexpr uint8_t kLabel = 0x04;
constexpr uint8_t kRevision = 0x05;
constexpr uint8_t kOutbox = 0x06;
constexpr uint8_t kStore = 0x07;
constexpr uint8_t kPosition = 0x08;

}  // namespace

std::string AssessmentKey(const names::AssessmentName& name) {
  return kv::KeyBuilder().Kind(kAssessment).String(name.experiment).String(name.assessment).Build();
}

absl::StatusOr<names::AssessmentName> DecodeAssessmentKey(std::string_view key) {
  names::AssessmentName name;
  kv::KeyReader reader(key);
  reader.Kind(kAssessment).String(&name.experiment).String(&name.assessment);
  ASSAY_RETURN_IF_ERROR(reader.Finish());
  return name;
}

std::string OrderKeyPrefix(std::string_view experiment) {
  return kv::KeyBuilder().Kind(kOrder).String(experiment).Build();
}

std::string OrderKey(const OrderPlace& place) {
  return kv::KeyBuilder().Kind(kOrder).String(place.experiment).Int64(place.sequence).Build();
}

absl::StatusOr<OrderPlace> DecodeOrderKey(std::string_view key) {
  OrderPlace place;
  kv::KeyReader reader(key);
  reader.Kind(kOrder).String(&place.experiment).Int64(&place.sequence);
  ASSAY_RETURN_IF_ERROR(reader.Finish());
  return place;
}

std::string TraceKeyPrefix(std::string_view experiment, std::string_view trace) {
  return kv::KeyBuilder().Kind(kTrace).String(experiment).String(trace).Build();
}

std::string TraceKey(const TracePlace& place) {
  return kv::KeyBuilder()
      .Kind(kTrace)
      .String(place.experiment)
      .String(place.trace)
      .Int64(place.sequence)
      .Build();
}

absl::StatusOr<TracePlace> DecodeTraceKey(std::string_view key) {
  TracePlace place;
  kv::KeyReader reader(key);
  reader.Kind(kTrace).String(&place.experiment).String(&place.trace).Int64(&place.sequence);
  ASSAY_RETURN_IF_ERROR(reader.Finish());
  return place;
}

std::string LabelKeyPrefix(std::string_view experiment, std::string_view assessment_name,
                           uint8_t source_kind) {
  return kv::KeyBuilder()
      .Kind(kLabel)
      .String(experiment)
      .String(assessment_name)
      .Byte(source_kind)
      .Build();
}

std::string LabelKeyPrefix(std::string_view experiment, std::string_view assessment_name,
                           uint8_t source_kind, std::string_view trace) {
  return kv::KeyBuilder()
      .Kind(kLabel)
      .String(experiment)
      .String(assessment_name)
      .Byte(source_kind)
      .String(trace)
      .Build();
}

std::string LabelKey(const LabelPlace& place) {
  return kv::KeyBuilder()
      .Kind(kLabel)
      .String(place.experiment)
      .String(place.assessment_name)
      .Byte(place.source_kind)
      .String(place.trace)
      .Int64(place.sequence)
      .Build();
}

absl::StatusOr<LabelPlace> DecodeLabelKey(std::string_view key) {
  LabelPlace place;
  kv::KeyReader reader(key);
  reader.Kind(kLabel)
      .String(&place.experiment)
      .String(&place.assessment_name)
      .Byte(&place.source_kind)
      .String(&place.trace)
      .Int64(&place.sequence);
  ASSAY_RETURN_IF_ERROR(reader.Finish());
  return place;
}

std::string RevisionKeyPrefix(const names::AssessmentName& name) {
  return kv::KeyBuilder().Kind(kRevision).String(name.experiment).String(name.assessment).Build();
}

std::string RevisionKey(const RevisionPlace& place) {
  return kv::KeyBuilder()
      .Kind(kRevision)
      .String(place.name.experiment)
      .String(place.name.assessment)
      .Int64(place.revision)
      .Build();
}

absl::StatusOr<RevisionPlace> DecodeRevisionKey(std::string_view key) {
  RevisionPlace place;
  kv::KeyReader reader(key);
  reader.Kind(kRevision)
      .String(&place.name.experiment)
      .String(&place.name.assessment)
      .Int64(&place.revision);
  ASSAY_RETURN_IF_ERROR(reader.Finish());
  return place;
}

std::string OutboxKeyPrefix() { return kv::KeyBuilder().Kind(kOutbox).Build(); }

std::string OutboxKey(int64_t sequence) {
  return kv::KeyBuilder().Kind(kOutbox).Int64(sequence).Build();
}

absl::StatusOr<int64_t> DecodeOutboxKey(std::string_view key) {
  int64_t sequence = 0;
  kv::KeyReader reader(key);
  reader.Kind(kOutbox).Int64(&sequence);
  ASSAY_RETURN_IF_ERROR(reader.Finish());
  return sequence;
}

std::string StoreKey() { return kv::KeyBuilder().Kind(kStore).Build(); }

std::string PositionKey() { return kv::KeyBuilder().Kind(kPosition).Build(); }

}  // namespace assay::feedback
