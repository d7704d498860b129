// Times and durations between Abseil and protobuf.
#ifndef ASSAY_COMMON_PROTO_TIME_H_
#define ASSAY_COMMON_PROTO_TIME_H_

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace assay::proto {

// Nanosecond precision; what lies outside protobuf's range (years 1 to 9999) is clamped.
// Thread-safe, as all here.
google::protobuf::Timestamp ToTimestamp(absl::Time time);
absl::Time FromTimestamp(const google::protobuf::Timestamp& timestamp);
google::protobuf::Duration ToDuration(absl::Duration duration);
absl::Duration FromDuration(const google::protobuf::Duration& duration);

}  // namespace assay::proto

#endif  // ASSAY_COMMON_PROTO_TIME_H_
