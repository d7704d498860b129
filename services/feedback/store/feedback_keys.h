// Keys of the feedback service's store.
//
//   0x01 assessment: experiment id, assessment id             -> AssessmentRecord
//   0x02 order:      experiment id, create sequence           -> assessment id
//   0x03 of trace:   experiment id, trace id, create sequence -> assessment id
//   0x04 label:      experiment id, assessment name, source kind, trace id, create sequence
//                    (valid feedback only)                    -> assessment id
//   0x05 revision:   experiment id, assessment id, revision
//                    (all but the current one)                -> AssessmentRecord
//   0x06 outbox:     sequence                                 -> OutboxRecord
//   0x07 store                                                -> FeedbackStoreRecord
//   0x08 position                                             -> OutboxPositionRecord
#ifndef ASSAY_SERVICES_FEEDBACK_STORE_FEEDBACK_KEYS_H_
#define ASSAY_SERVICES_FEEDBACK_STORE_FEEDBACK_KEYS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/names/resource_name.h"

namespace assay::feedback {

// All functions are pure. Decoders answer DATA_LOSS for what their encoder does not write.

std::string AssessmentKey(const names::AssessmentName& name);
absl::StatusOr<names::AssessmentName> DecodeAssessmentKey(std::string_view key);

struct OrderPlace {
  std::string experiment;
  int64_t sequence = 0;
};
std::string OrderKey(const OrderPlace& place);
absl::StatusOr<OrderPlace> DecodeOrderKey(std::string_view key);
std::string OrderKeyPrefix(std::string_view experiment);

struct TracePlace {
  std::string experiment;
  std::string trace;
  int64_t sequence = 0;
};
std::string TraceKey(const TracePlace& place);
absl::StatusOr<TracePlace> DecodeTraceKey(std::string_view key);
std::string TraceKeyPrefix(std::string_view experiment, std::string_view trace);

struct LabelPlace {
  std::string experiment;
  std::string assessment_name;
  uint8_t source_kind = 0;  // as numbered in the contract
  std::string trace;
  int64_t sequence = 0;
};
std::string LabelKey(const LabelPlace& place);
absl::StatusOr<LabelPlace> DecodeLabelKey(std::string_view key);
// All traces; without trace and sequence.
std::string LabelKeyPrefix(std::string_view experiment, std::string_view assessment_name,
                           uint8_t source_kind);
// One trace.
std::string LabelKeyPrefix(std::string_view experiment, std::string_view assessment_name,
                           uint8_t source_kind, std::string_view trace);

struct RevisionPlace {
  names::AssessmentName name;
  int64_t revision = 0;
};
std::string RevisionKey(const RevisionPlace& place);
absl::StatusOr<RevisionPlace> DecodeRevisionKey(std::string_view key);
std::string RevisionKeyPrefix(const names::AssessmentName& name);

std::string OutboxKey(int64_t sequence);
absl::StatusOr<int64_t> DecodeOutboxKey(std::string_view key);
std::string OutboxKeyPrefix();

std::string StoreKey();
std::string PositionKey();

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_STORE_FEEDBACK_KEYS_H_
