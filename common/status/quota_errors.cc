#include "common/status/quota_errors.h"

#include <algorithm>
#include <string>

#include "common/status/errors.h"
#include "common/strings/strings.h"
#include "google/rpc/error_details.pb.h"

namespace assay::inline status {
namespace {

constexpr size_t kMaxTextBytes = 500;

template <class Detail>
void SetDetail(absl::Status& status, const Detail& detail) {
  status.SetPayload(StrCat("type.googleapis.com/", Detail::descriptor()->full_name()),
                    absl::Cord(detail.SerializeAsString()));
}

}  // namespace

absl::Status QuotaExhausted(std::string_view reason, std::string_view subject,
                            std::string_view description) {
  absl::Status status =
      MakeError(absl::StatusCode::kResourceExhausted, reason, StrCat(subject, ": ", description));
  google::rpc::QuotaFailure failure;
  auto* violation = failure.add_violations();
  violation->set_subject(std::string(subject.substr(0, kMaxTextBytes)));
  violation->set_description(std::string(description.substr(0, kMaxTextBytes)));
  SetDetail(status, failure);
  return status;
}

absl::Status WithRetryAfter(absl::Status status, absl::Duration retry_after) {
  if (status.ok()) return status;
  const absl::Duration delay = std::max(retry_after, absl::ZeroDuration());
  google::rpc::RetryInfo info;
  info.mutable_retry_delay()->set_seconds(delay / absl::Seconds(1));
  info.mutable_retry_delay()->set_nanos(
      static_cast<int32_t>((delay % absl::Seconds(1)) / absl::Nanoseconds(1)));
  SetDetail(status, info);
  return status;
}

}  // namespace assay::inline status
