#include "common/rpc/status_proto.h"

#include <google/protobuf/any.pb.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/cord.h"
#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"
#include "google/rpc/error_details.pb.h"

namespace assay::rpc {
namespace {

constexpr std::string_view kTypeUrlPrefix = "type.googleapis.com/";

// The message travels a second time, percent-encoded, in a trailer of its own: this bounds that
// form.
constexpr size_t kMaxEncodedMessageBytes = 1024;
constexpr size_t kMaxDescriptionBytes = 512;
constexpr size_t kMaxMetadataValueBytes = 512;
constexpr size_t kMaxMetadataEntries = 32;

// What a status carries, taken apart so that it can be made smaller.
struct Details {
  google::rpc::ErrorInfo info;
  std::optional<google::rpc::BadRequest> bad_request;
  std::vector<google::protobuf::Any> others;  // Most wanted first.
  int violations_left_out = 0;
  int metadata_left_out = 0;
  int details_left_out = 0;
};

template <class Detail>
std::string TypeUrl() {
  return StrCat(kTypeUrlPrefix, Detail::descriptor()->full_name());
}

template <class Detail>
std::optional<Detail> GetDetail(const absl::Status& status) {
  const auto payload = status.GetPayload(TypeUrl<Detail>());
  Detail detail;
  if (!payload || !detail.ParseFromString(std::string(*payload))) return std::nullopt;
  return detail;
}

template <class Detail>
void AddOther(const absl::Status& status, Details* details) {
  const std::optional<Detail> detail = GetDetail<Detail>(status);
  if (!detail.has_value()) return;
  google::protobuf::Any any;
  any.set_type_url(TypeUrl<Detail>());
  any.set_value(detail->SerializeAsString());
  details->others.push_back(std::move(any));
}

template <class Message>
google::protobuf::Any Packed(const Message& message) {
  google::protobuf::Any any;
  any.set_type_url(TypeUrl<Message>());
  any.set_value(message.SerializeAsString());
  return any;
}

std::string Cut(const std::string& text, size_t max_bytes) {
  return std::string(json::TruncateUtf8Bytes(text, max_bytes));
}

// A count that an earlier step (FieldErrors) may have left in the metadata.
int EarlierCount(const google::rpc::ErrorInfo& info, const std::string& key) {
  const auto found = info.metadata().find(key);
  int count = 0;
  if (found != info.metadata().end()) {
    const std::string& text = found->second;
    std::from_chars(text.data(), text.data() + text.size(), count);
  }
  return std::max(count, 0);
}

bool IsCount(const std::string& key) {
  return key == "violations_left_out" || key == "metadata_left_out" || key == "details_left_out";
}

Details TakeApart(const absl::Status& status) {
  Details details;
  if (auto info = GetDetail<google::rpc::ErrorInfo>(status)) details.info = *std::move(info);
  if (details.info.reason().empty()) {
    details.info.set_reason(absl::StatusCodeToString(status.code()));
  }
  if (details.info.domain().empty()) details.info.set_domain(std::string(kErrorDomain));
  details.info.set_reason(Cut(details.info.reason(), 63));
  details.info.set_domain(Cut(details.info.domain(), 63));
  details.violations_left_out = EarlierCount(details.info, "violations_left_out");
  for (auto& [key, value] : *details.info.mutable_metadata())
    value = Cut(value, kMaxMetadataValueBytes);

  details.bad_request = GetDetail<google::rpc::BadRequest>(status);
  if (details.bad_request.has_value()) {
    for (auto& violation : *details.bad_request->mutable_field_violations()) {
      violation.set_field(Cut(violation.field(), kMaxDescriptionBytes));
      violation.set_description(Cut(violation.description(), kMaxDescriptionBytes));
    }
  }
  AddOther<google::rpc::RetryInfo>(status, &details);
  AddOther<google::rpc::ResourceInfo>(status, &details);
  AddOther<google::rpc::PreconditionFailure>(status, &details);
  AddOther<google::rpc::QuotaFailure>(status, &details);
  return details;
}

void SetCount(int count, const char* key, google::rpc::ErrorInfo* info) {
  if (count > 0) (*info->mutable_metadata())[key] = StrCat(count);
}

google::rpc::Status PutTogether(const absl::Status& status, const std::string& message,
                                const Details& details) {
  google::rpc::Status proto;
  proto.set_code(static_cast<int>(status.code()));
  proto.set_message(message);
  google::rpc::ErrorInfo info = details.info;
  SetCount(details.violations_left_out, "violations_left_out", &info);
  SetCount(details.metadata_left_out, "metadata_left_out", &info);
  SetCount(details.details_left_out, "details_left_out", &info);
  *proto.add_details() = Packed(info);
  if (details.bad_request.has_value()) *proto.add_details() = Packed(*details.bad_request);
  for (const google::protobuf::Any& other : details.others) *proto.add_details() = other;
  return proto;
}

// The last key in alphabetical order that is not one of our counts, or nullopt.
std::optional<std::string> LastMetadataKey(const google::rpc::ErrorInfo& info) {
  std::optional<std::string> last;
  for (const auto& [key, value] : info.metadata()) {
    if (!IsCount(key) && (!last.has_value() || key > *last)) last = key;
  }
  return last;
}

bool DropMetadata(Details* details) {
  const std::optional<std::string> key = LastMetadataKey(details->info);
  if (!key.has_value()) return false;
  details->info.mutable_metadata()->erase(*key);
  ++details->metadata_left_out;
  return true;
}

// Leaves out one thing; false if there is nothing left to leave out.
bool DropOne(Details* details) {
  if (details->bad_request.has_value()) {
    auto* violations = details->bad_request->mutable_field_violations();
    // The first one stays as long as there is anything else to drop.
    if (violations->size() > 1) {
      violations->RemoveLast();
      ++details->violations_left_out;
      return true;
    }
  }
  if (DropMetadata(details)) return true;
  if (!details->others.empty()) {
    details->others.pop_back();
    ++details->details_left_out;
    return true;
  }
  return false;
}

// The longest beginning of `message` that is short enough once gRPC has percent-encoded it.
std::string CutForTrailer(std::string_view message) {
  size_t encoded = 0;
  size_t end = 0;
  while (end < message.size()) {
    const unsigned char c = static_cast<unsigned char>(message[end]);
    encoded += (c < 0x20 || c > 0x7e || c == '%') ? 3 : 1;
    if (encoded > kMaxEncodedMessageBytes) break;
    ++end;
  }
  return std::string(json::TruncateUtf8Bytes(message, end));
}

// What of the message is meant for the client.
std::string PublicMessage(const absl::Status& status) {
  const bool internal = status.code() == absl::StatusCode::kInternal ||
                        status.code() == absl::StatusCode::kUnknown ||
                        status.code() == absl::StatusCode::kDataLoss;
  if (internal && !GetDetail<google::rpc::ErrorInfo>(status).has_value()) {
    return "internal error; the server's log says more";
  }
  return CutForTrailer(json::SanitizeUtf8(ToStd(status.message())));
}

}  // namespace

google::rpc::Status ToStatusProto(const absl::Status& status) {
  if (status.ok()) return {};
  const std::string message = PublicMessage(status);
  Details details = TakeApart(status);
  while (details.info.metadata_size() > static_cast<int>(kMaxMetadataEntries) &&
         DropMetadata(&details)) {
  }
  google::rpc::Status proto = PutTogether(status, message, details);
  while (proto.ByteSizeLong() > kMaxStatusProtoBytes && DropOne(&details)) {
    proto = PutTogether(status, message, details);
  }
  return proto;
}

absl::Status FromStatusProto(const google::rpc::Status& proto) {
  if (proto.code() == 0) return absl::OkStatus();
  absl::StatusCode code = absl::StatusCode::kUnknown;
  if (proto.code() > 0 && proto.code() <= static_cast<int>(absl::StatusCode::kUnauthenticated)) {
    code = static_cast<absl::StatusCode>(proto.code());
  }
  absl::Status status(code, proto.message());
  for (const google::protobuf::Any& detail : proto.details()) {
    if (detail.type_url().empty()) continue;
    status.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
  return status;
}

}  // namespace assay::rpc
