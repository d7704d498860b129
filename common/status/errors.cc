#include "common/status/errors.h"

#include <google/protobuf/duration.pb.h>

#include <algorithm>
#include <cstdint>

#include "absl/strings/cord.h"
#include "common/strings/strings.h"
#include "google/rpc/error_details.pb.h"

namespace assay::inline status {
namespace {

// A serialized status must stay under 4 KB, with ErrorInfo and message beside the violations.
constexpr size_t kMaxViolationBytes = 2560;
constexpr size_t kMaxDescriptionBytes = 512;

constexpr std::string_view kTypeUrlPrefix = "type.googleapis.com/";

template <class Detail>
std::string TypeUrl() {
  return StrCat(kTypeUrlPrefix, Detail::descriptor()->full_name());
}

template <class Detail>
void SetDetail(absl::Status& status, const Detail& detail) {
  status.SetPayload(TypeUrl<Detail>(), absl::Cord(detail.SerializeAsString()));
}

template <class Detail>
std::optional<Detail> GetDetail(const absl::Status& status) {
  const auto payload = status.GetPayload(TypeUrl<Detail>());
  Detail detail;
  if (!payload || !detail.ParseFromString(std::string(*payload))) return std::nullopt;
  return detail;
}

google::rpc::ErrorInfo MakeErrorInfo(std::string_view reason) {
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(std::string(kErrorDomain));
  return info;
}

// Cuts before the byte limit without splitting a character.
std::string_view CutText(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  size_t end = max_bytes;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

void SetResource(absl::Status& status, std::string_view type, std::string_view name,
                 std::string_view description) {
  google::rpc::ResourceInfo resource;
  resource.set_resource_type(std::string(type));
  resource.set_resource_name(std::string(name));
  resource.set_description(std::string(description));
  SetDetail(status, resource);
}

}  // namespace

absl::Status MakeError(
    absl::StatusCode code, std::string_view reason, std::string_view message,
    std::initializer_list<std::pair<std::string_view, std::string_view>> metadata) {
  if (code == absl::StatusCode::kOk) code = absl::StatusCode::kInternal;
  absl::Status status(code, ToAbsl(message));
  google::rpc::ErrorInfo info = MakeErrorInfo(reason);
  for (const auto& [key, value] : metadata) {
    (*info.mutable_metadata())[std::string(key)] = std::string(value);
  }
  SetDetail(status, info);
  return status;
}

absl::Status InvalidField(std::string_view field, std::string_view description,
                          std::string_view reason) {
  FieldErrors errors;
  errors.Add(field, description);
  return errors.ToStatus(reason);
}

absl::Status NotFound(std::string_view resource_type, std::string_view resource_name,
                      std::string_view reason) {
  const std::string_view shown = CutText(resource_name, kMaxDescriptionBytes);
  absl::Status status = MakeError(absl::StatusCode::kNotFound, reason,
                                  StrCat(resource_type, " \"", shown, "\" was not found"));
  SetResource(status, resource_type, shown, "not found");
  return status;
}

absl::Status AlreadyExists(std::string_view resource_type, std::string_view resource_name) {
  const std::string_view shown = CutText(resource_name, kMaxDescriptionBytes);
  absl::Status status = MakeError(absl::StatusCode::kAlreadyExists, "RESOURCE_ALREADY_EXISTS",
                                  StrCat(resource_type, " \"", shown, "\" already exists"));
  SetResource(status, resource_type, shown, "already exists");
  return status;
}

absl::Status EtagMismatch(std::string_view resource_name) {
  return MakeError(
      absl::StatusCode::kAborted, "ETAG_MISMATCH",
      StrCat("\"", CutText(resource_name, kMaxDescriptionBytes),
             "\" was changed by somebody else; read it again and retry with its new etag"));
}

absl::Status Overloaded(std::string_view what, absl::Duration retry_after) {
  absl::Status status =
      MakeError(absl::StatusCode::kUnavailable, "OVERLOADED",
                StrCat(what, " is full; retry after ", absl::FormatDuration(retry_after)));
  google::rpc::RetryInfo retry;
  const absl::Duration delay = std::max(retry_after, absl::ZeroDuration());
  absl::Duration rest;
  retry.mutable_retry_delay()->set_seconds(absl::IDivDuration(delay, absl::Seconds(1), &rest));
  retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  SetDetail(status, retry);
  return status;
}

absl::Status PreconditionFailed(std::string_view reason, std::string_view subject,
                                std::string_view description) {
  absl::Status status =
      MakeError(absl::StatusCode::kFailedPrecondition, reason, StrCat(subject, ": ", description));
  google::rpc::PreconditionFailure failure;
  auto* violation = failure.add_violations();
  violation->set_type(std::string(reason));
  violation->set_subject(std::string(CutText(subject, kMaxDescriptionBytes)));
  violation->set_description(std::string(CutText(description, kMaxDescriptionBytes)));
  SetDetail(status, failure);
  return status;
}

absl::Status AddErrorMetadata(absl::Status status, std::string_view key, std::string_view value) {
  if (status.ok()) return status;
  google::rpc::ErrorInfo info = GetDetail<google::rpc::ErrorInfo>(status).value_or(
      MakeErrorInfo(absl::StatusCodeToString(status.code())));
  (*info.mutable_metadata())[std::string(key)] = std::string(value);
  SetDetail(status, info);
  return status;
}

absl::Status PrefixError(std::string_view prefix, const absl::Status& status) {
  if (status.ok()) return status;
  absl::Status prefixed(status.code(), StrCat(prefix, ": ", status.message()));
  status.ForEachPayload([&](absl::string_view type_url, const absl::Cord& payload) {
    prefixed.SetPayload(type_url, payload);
  });
  return prefixed;
}

std::string ErrorReason(const absl::Status& status) {
  const auto info = GetDetail<google::rpc::ErrorInfo>(status);
  return info ? info->reason() : "";
}

std::optional<std::string> ErrorMetadata(const absl::Status& status, std::string_view key) {
  const auto info = GetDetail<google::rpc::ErrorInfo>(status);
  if (!info) return std::nullopt;
  const auto found = info->metadata().find(std::string(key));
  if (found == info->metadata().end()) return std::nullopt;
  return found->second;
}

std::vector<FieldViolation> FieldViolations(const absl::Status& status) {
  std::vector<FieldViolation> violations;
  const auto request = GetDetail<google::rpc::BadRequest>(status);
  if (!request) return violations;
  for (const auto& violation : request->field_violations()) {
    violations.push_back({violation.field(), violation.description()});
  }
  return violations;
}

std::optional<absl::Duration> RetryAfter(const absl::Status& status) {
  const auto retry = GetDetail<google::rpc::RetryInfo>(status);
  if (!retry) return std::nullopt;
  return absl::Seconds(retry->retry_delay().seconds()) +
         absl::Nanoseconds(retry->retry_delay().nanos());
}

void FieldErrors::Add(std::string_view field, std::string_view description) {
  violations_.push_back({std::string(CutText(field, kMaxDescriptionBytes)),
                         std::string(CutText(description, kMaxDescriptionBytes))});
}

void FieldErrors::Add(std::string_view field, const absl::Status& status) {
  if (status.ok()) return;
  const std::vector<FieldViolation> violations = FieldViolations(status);
  if (violations.empty()) Add(field, ToStd(status.message()));
  for (const FieldViolation& violation : violations) Add(violation.field, violation.description);
}

absl::Status FieldErrors::ToStatus(std::string_view reason) const {
  if (violations_.empty()) return absl::OkStatus();
  const FieldViolation& first = violations_.front();
  std::string message = StrCat(first.field, ": ", first.description);
  if (violations_.size() > 1) {
    StrAppend(&message, " (and ", violations_.size() - 1, " more)");
  }
  absl::Status status = MakeError(absl::StatusCode::kInvalidArgument,
                                  reason.empty() ? "INVALID_FIELD" : reason, message);
  google::rpc::BadRequest request;
  size_t bytes = 0;
  for (const FieldViolation& violation : violations_) {
    const size_t size = violation.field.size() + violation.description.size() + 8;
    if (bytes + size > kMaxViolationBytes) break;
    bytes += size;
    auto* carried = request.add_field_violations();
    carried->set_field(violation.field);
    carried->set_description(violation.description);
  }
  SetDetail(status, request);
  const size_t left_out = violations_.size() - static_cast<size_t>(request.field_violations_size());
  if (left_out == 0) return status;
  return AddErrorMetadata(std::move(status), "violations_left_out", StrCat(left_out));
}

}  // namespace assay::inline status
