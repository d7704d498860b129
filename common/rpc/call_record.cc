#include "common/rpc/call_record.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <memory>

#include "common/exec/cancellation.h"
#include "common/log/log.h"
#include "common/rpc/status_conversion.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::rpc {
namespace {

// Time left by gRPC's clock, which is the machine's; nullopt if the client set no deadline.
std::optional<absl::Duration> ClientTimeout(const grpc::CallbackServerContext& context) {
  const std::chrono::system_clock::time_point deadline = context.deadline();
  if (deadline == std::chrono::system_clock::time_point::max()) return std::nullopt;
  return absl::FromChrono(deadline - std::chrono::system_clock::now());
}

absl::Time Deadline(CallShape shape, const RuntimeOptions& options, absl::Time now,
                    std::optional<absl::Duration> timeout) {
  if (shape == CallShape::kStream) {
    return timeout.has_value() ? now + *timeout : absl::InfiniteFuture();
  }
  return now + std::min(timeout.value_or(options.default_deadline), options.max_deadline);
}

// version-traceid-parentid-flags, all lower-case hex.
bool IsTraceparent(std::string_view text) {
  if (text.size() != 55 || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
  return text.find_first_not_of("0123456789abcdef-") == std::string_view::npos;
}

std::optional<std::string_view> FindMetadata(const grpc::CallbackServerContext& context,
                                             const char* key) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find(key);
  if (found == metadata.end()) return std::nullopt;
  return std::string_view(found->second.data(), found->second.size());
}

constexpr size_t kMaxExperimentBytes = 300;

template <class Number>
std::optional<Number> NumberFrom0(std::string_view text) {
  Number value = -1;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value < 0) return std::nullopt;
  return value;
}

}  // namespace

CallRecord::CallRecord(CallEnvironment* environment, grpc::CallbackServerContext* context,
                       std::string_view method, CallShape shape)
    : environment_(environment),
      server_context_(context),
      shape_(shape),
      started_(environment->clock().Now()),
      metrics_(environment->ForMethod(method)) {
  context_.request_method = std::string(method);
  context_.cancel = std::make_shared<CancellationToken>();
  context_.deadline = Deadline(shape, environment->options(), started_, ClientTimeout(*context));
  ReadMetadata();
  live_id_ = environment->live_calls().Add(method, started_);
  environment->CountBegun();
  metrics_.Begin();
}

void CallRecord::ReadMetadata() {
  if (const auto traceparent = FindMetadata(*server_context_, kTraceparentMetadata)) {
    // A broken one is ignored, as the W3C asks.
    if (IsTraceparent(*traceparent)) context_.traceparent = std::string(*traceparent);
  }
  if (const auto depth = FindMetadata(*server_context_, kDepthMetadata)) {
    const std::optional<int> value = NumberFrom0<int>(*depth);
    if (!value.has_value()) {
      metadata_status_ = InvalidField(kDepthMetadata, "the metadata is not a small number from 0",
                                      "INVALID_METADATA");
      return;
    }
    context_.depth = *value;
  }
  ReadOuterCall();
}

void CallRecord::ReadOuterCall() {
  if (const auto experiment = FindMetadata(*server_context_, kExperimentMetadata)) {
    if (experiment->size() > kMaxExperimentBytes) {
      metadata_status_ =
          InvalidField(kExperimentMetadata, "the metadata is too long", "INVALID_METADATA");
      return;
    }
    context_.experiment = std::string(*experiment);
  }
  if (const auto deadline = FindMetadata(*server_context_, kDeadlineMetadata)) {
    const std::optional<int64_t> value = NumberFrom0<int64_t>(*deadline);
    if (!value.has_value()) {
      metadata_status_ = InvalidField(kDeadlineMetadata, "the metadata is no time in milliseconds",
                                      "INVALID_METADATA");
      return;
    }
    context_ = context_.WithDeadlineAtMost(absl::FromUnixMillis(*value));
  }
}

absl::Status CallRecord::Admit() {
  if (!metadata_status_.ok()) return metadata_status_;
  const size_t bytes = request_bytes_.load(std::memory_order_relaxed);
  if (bytes > environment_->max_request_bytes()) {
    return MakeError(absl::StatusCode::kResourceExhausted, "MESSAGE_TOO_LARGE",
                     StrCat("the request has ", bytes, " bytes; at most ",
                            environment_->max_request_bytes(), " are allowed"));
  }
  const int max_depth = environment_->options().max_depth;
  if (context_.depth > max_depth) {
    return MakeError(absl::StatusCode::kFailedPrecondition, "NESTED_TOO_DEEP",
                     StrCat("calls may be nested ", max_depth, " deep; this one is at depth ",
                            context_.depth, ", so perhaps a scorer calls itself"));
  }
  const bool unary = shape_ == CallShape::kUnary;
  AdmissionGate& gate =
      unary ? environment_->UnaryGate(context_.depth) : environment_->StreamGate(context_.depth);
  admission_ = gate.TryEnter();
  if (admission_.has_value()) return absl::OkStatus();
  return environment_->RefuseAdmission(unary ? "call queue" : "set of open streams");
}

grpc::Status CallRecord::End(const absl::Status& status) {
  const absl::Duration duration = environment_->clock().Now() - started_;
  admission_.reset();
  metrics_.End(status.code(), duration);
  Log(status, duration);
  environment_->live_calls().Remove(live_id_);
  return ToGrpcStatus(status);
}

void CallRecord::Log(const absl::Status& status, absl::Duration duration) const {
  if (!environment_->options().log_requests) return;
  const std::string code = absl::StatusCodeToString(status.code());
  const std::string reason = ErrorReason(status);
  const std::string peer = server_context_->peer();
  const auto line = [&](auto write, std::string_view message) {
    write("request", {{"method", context_.request_method},
                      {"code", code},
                      {"reason", reason},
                      {"duration", duration},
                      {"request_bytes", request_bytes_.load(std::memory_order_relaxed)},
                      {"response_bytes", response_bytes_.load(std::memory_order_relaxed)},
                      {"peer", peer},
                      {"principal", context_.principal},
                      {"error", message}});
  };
  const auto code_of = status.code();
  const bool ours = code_of == absl::StatusCode::kInternal ||
                    code_of == absl::StatusCode::kUnknown || code_of == absl::StatusCode::kDataLoss;
  // A client's error quotes what the client sent: that stays out of the log. Our own is needed
  // there.
  if (ours) {
    line(log::Error, ToStd(status.message()));
  } else {
    line(log::Info, "");
  }
}

}  // namespace assay::rpc
