#include "services/trace/core/otlp_wire_reader.h"

#include <initializer_list>
#include <optional>
#include <utility>

#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/trace/core/wire_cursor.h"

namespace assay::trace {
namespace {

constexpr std::string_view kAccepted = "";

std::string_view CheckText(std::string_view text) {
  return json::IsValidUtf8(text) ? kAccepted : kRejectUtf8;
}

std::string_view CheckAnyValue(std::string_view message, int depth);

// Whether it is a key and a text, both short and valid: what most attributes are, seen at a glance.
bool IsPlainText(std::string_view message) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(message[i]); };
  const size_t size = message.size();
  if (size < 6 || size > 127 || byte(0) != 0x0A) return false;
  const size_t value = size_t{2} + byte(1);  // Where the value's field begins.
  if (value + 4 > size || byte(value) != 0x12 || byte(value + 1) != size - value - 2 ||
      byte(value + 2) != 0x0A || byte(value + 3) != size - value - 4) {
    return false;
  }
  // Tags and lengths are ASCII, so no character reaches over them.
  return json::IsValidUtf8(message);
}

std::string_view CheckKeyValue(std::string_view message, int depth) {
  if (IsPlainText(message)) return kAccepted;
  WireCursor cursor(message);
  WireField field;
  while (cursor.Next(&field)) {
    if (field.number != 1 && field.number != 2) continue;
    if (field.type != WireType::kBytes) return kRejectMalformed;
    std::string_view reason =
        field.number == 1 ? CheckText(field.bytes) : CheckAnyValue(field.bytes, depth);
    if (!reason.empty()) return reason;
  }
  return cursor.ok() ? kAccepted : kRejectMalformed;
}

// ArrayValue and KeyValueList: field 1 repeated.
std::string_view CheckItems(std::string_view message, bool key_values, int depth) {
  if (depth > kMaxAttributeDepth) return kRejectDepth;
  WireCursor cursor(message);
  WireField field;
  while (cursor.Next(&field)) {
    if (field.number != 1) continue;
    if (field.type != WireType::kBytes) return kRejectMalformed;
    std::string_view reason =
        key_values ? CheckKeyValue(field.bytes, depth) : CheckAnyValue(field.bytes, depth);
    if (!reason.empty()) return reason;
  }
  return cursor.ok() ? kAccepted : kRejectMalformed;
}

std::string_view CheckAnyValue(std::string_view message, int depth) {
  static constexpr WireType kTypes[] = {WireType::kBytes,   WireType::kVarint, WireType::kVarint,
                                        WireType::kFixed64, WireType::kBytes,  WireType::kBytes,
                                        WireType::kBytes};
  WireCursor cursor(message);
  WireField field;
  while (cursor.Next(&field)) {
    if (field.number > 7) continue;
    if (field.type != kTypes[field.number - 1]) return kRejectMalformed;
    std::string_view reason = kAccepted;
    if (field.number == 1) reason = CheckText(field.bytes);
    if (field.number == 5 || field.number == 6) {
      reason = CheckItems(field.bytes, field.number == 6, depth + 1);
    }
    if (!reason.empty()) return reason;
  }
  return cursor.ok() ? kAccepted : kRejectMalformed;
}

// A message of which only texts and attributes matter: Event, Link, Status, Resource,
// InstrumentationScope. `texts` has a bit for each field number that is a string.
std::string_view CheckPart(std::string_view message, uint32_t texts, uint32_t attributes) {
  WireCursor cursor(message);
  WireField field;
  while (cursor.Next(&field)) {
    const bool is_text = field.number < 32 && (texts >> field.number & 1) != 0;
    const bool is_attribute = field.number == attributes;
    if (!is_text && !is_attribute) continue;
    if (field.type != WireType::kBytes) return kRejectMalformed;
    std::string_view reason = is_text ? CheckText(field.bytes) : CheckKeyValue(field.bytes, 0);
    if (!reason.empty()) return reason;
  }
  return cursor.ok() ? kAccepted : kRejectMalformed;
}

constexpr uint32_t Texts(std::initializer_list<int> fields) {
  uint32_t bits = 0;
  for (int field : fields) bits |= 1u << field;
  return bits;
}

std::string_view ReadStatus(std::string_view message, SpanView* span) {
  if (std::string_view reason = CheckPart(message, Texts({2}), 0); !reason.empty()) return reason;
  WireCursor cursor(message);
  WireField field;
  while (cursor.Next(&field)) {
    if (field.number == 2) span->status_message = field.bytes;
    if (field.number == 3) {
      if (field.type != WireType::kVarint) return kRejectMalformed;
      span->error = field.value == 2;
    }
  }
  return kAccepted;
}

std::string_view ReadIds(const WireField& field, SpanView* span) {
  if (field.type != WireType::kBytes) return kRejectMalformed;
  if (field.number == 1) {
    std::optional<TraceId> id = TraceId::FromBytes(field.bytes);
    if (!id.has_value()) return kRejectTraceId;
    span->trace_id = *id;
    return kAccepted;
  }
  std::optional<SpanId> id = SpanId::FromBytes(field.bytes);
  if (field.number == 2) {
    if (!id.has_value()) return kRejectSpanId;
    span->span_id = *id;
    return kAccepted;
  }
  if (!id.has_value() && !field.bytes.empty()) return kRejectParentSpanId;
  span->parent_span_id = id.value_or(SpanId());
  return kAccepted;
}

std::string_view ReadTime(const WireField& field, uint64_t* time) {
  if (field.type != WireType::kFixed64) return kRejectMalformed;
  *time = field.value;
  return kAccepted;
}

std::string_view ReadSpanField(const WireField& field, SpanView* span) {
  switch (field.number) {
    case 1:
    case 2:
    case 4:
      return ReadIds(field, span);
    case 7:
      return ReadTime(field, &span->start_unix_nano);
    case 8:
      return ReadTime(field, &span->end_unix_nano);
    case 3:
    case 5:
    case 9:
    case 11:
    case 13:
    case 15:
      break;
    default:
      return kAccepted;
  }
  if (field.type != WireType::kBytes) return kRejectMalformed;
  switch (field.number) {
    case 5:
      span->name = field.bytes;
      return CheckText(field.bytes);
    case 9:
      return CheckKeyValue(field.bytes, 0);
    case 11:
      return CheckPart(field.bytes, Texts({2}), 3);
    case 13:
      return CheckPart(field.bytes, Texts({3}), 4);
    case 15:
      return ReadStatus(field.bytes, span);
    default:
      return CheckText(field.bytes);
  }
}

// Reads one request; holds what is being read.
class RequestReader {
 public:
  RequestReader(const OtlpFrame& frame, size_t max_items, OtlpBatch* batch)
      : frame_(frame), max_items_(max_items), batch_(batch) {}

  absl::Status ReadRequest(std::string_view request) {
    WireCursor cursor(request);
    WireField field;
    while (cursor.Next(&field)) {
      if (field.number != 1) continue;
      if (field.type != WireType::kBytes) return Malformed(frame_.request);
      ASSAY_RETURN_IF_ERROR(ReadResourceSpans(field.bytes));
    }
    return cursor.ok() ? absl::OkStatus() : Malformed(frame_.request);
  }

 private:
  absl::Status Malformed(std::string_view where) const {
    return MakeError(absl::StatusCode::kInvalidArgument, "MALFORMED_OTLP",
                     StrCat("the body is no ", frame_.request, ": broken framing in ", where),
                     {{"where", where}});
  }

  // Finds field 1 and the schema URL first: the order of fields on the wire is free.
  absl::Status FindHead(std::string_view message, std::string_view where, std::string_view* head,
                        std::string_view* schema_url) const {
    WireCursor cursor(message);
    WireField field;
    while (cursor.Next(&field)) {
      if (field.number > 3) continue;
      if (field.type != WireType::kBytes) return Malformed(where);
      if (field.number == 1) *head = field.bytes;
      if (field.number == 3) *schema_url = field.bytes;
    }
    return cursor.ok() ? absl::OkStatus() : Malformed(where);
  }

  absl::Status ReadResourceSpans(std::string_view message) {
    resource_ = {};
    resource_index_.reset();
    ASSAY_RETURN_IF_ERROR(
        FindHead(message, frame_.of_resource, &resource_.resource, &resource_.schema_url));
    resource_ok_ =
        CheckPart(resource_.resource, 0, 1).empty() && CheckText(resource_.schema_url).empty();
    WireCursor cursor(message);
    WireField field;
    while (cursor.Next(&field)) {
      if (field.number == 2) ASSAY_RETURN_IF_ERROR(ReadScopeSpans(field.bytes));
    }
    return absl::OkStatus();
  }

  absl::Status ReadScopeSpans(std::string_view message) {
    scope_ = {};
    scope_index_.reset();
    ASSAY_RETURN_IF_ERROR(FindHead(message, frame_.of_scope, &scope_.scope, &scope_.schema_url));
    const bool scope_ok =
        CheckPart(scope_.scope, Texts({1, 2}), 3).empty() && CheckText(scope_.schema_url).empty();
    WireCursor cursor(message);
    WireField field;
    while (cursor.Next(&field)) {
      if (field.number != 2) continue;
      SpanView span;
      std::string_view reason = frame_.read(field.bytes, &span);
      if (reason.empty() && !scope_ok) reason = kRejectScope;
      if (reason.empty() && !resource_ok_) reason = kRejectResource;
      if (reason.empty()) {
        ASSAY_RETURN_IF_ERROR(Keep(span));
      } else {
        ++batch_->rejected[reason];
      }
    }
    return absl::OkStatus();
  }

  absl::Status Keep(SpanView span) {
    if (batch_->spans.size() >= max_items_) {
      return MakeError(absl::StatusCode::kResourceExhausted, "MESSAGE_TOO_LARGE",
                       StrCat("a request holds at most ", max_items_, " ", frame_.items));
    }
    if (!resource_index_.has_value()) {
      resource_index_ = batch_->resources.size();
      batch_->resources.push_back(resource_);
    }
    if (!scope_index_.has_value()) {
      scope_index_ = batch_->scopes.size();
      scope_.resource = *resource_index_;
      batch_->scopes.push_back(scope_);
    }
    span.scope = *scope_index_;
    span.resource = resource_.resource;
    batch_->spans.push_back(span);
    return absl::OkStatus();
  }

  const OtlpFrame& frame_;
  const size_t max_items_;
  OtlpBatch* const batch_;
  ResourceView resource_;
  ScopeView scope_;
  bool resource_ok_ = true;
  std::optional<uint32_t> resource_index_;
  std::optional<uint32_t> scope_index_;
};

}  // namespace

void ForEachKeyValue(std::string_view message, uint32_t number,
                     absl::FunctionRef<bool(std::string_view, std::string_view)> visit) {
  WireCursor cursor(message);
  WireField field;
  while (cursor.Next(&field)) {
    if (!field.IsBytes(number)) continue;
    std::string_view key;
    std::string_view value;
    WireCursor inner(field.bytes);
    WireField part;
    while (inner.Next(&part)) {
      if (part.IsBytes(1)) key = part.bytes;
      if (part.IsBytes(2)) value = part.bytes;
    }
    if (!visit(key, value)) return;
  }
}

int64_t OtlpBatch::RejectedCount() const {
  int64_t count = 0;
  for (const auto& [reason, spans] : rejected) count += spans;
  return count;
}

absl::StatusOr<OtlpBatch> ReadOtlp(std::string_view request, size_t max_spans) {
  return ReadOtlpFrame({.read = ReadSpan,
                        .request = "ExportTraceServiceRequest",
                        .of_resource = "ResourceSpans",
                        .of_scope = "ScopeSpans",
                        .items = "spans"},
                       request, max_spans);
}

absl::StatusOr<OtlpBatch> ReadOtlpFrame(const OtlpFrame& frame, std::string_view request,
                                        size_t max_items) {
  OtlpBatch batch;
  ASSAY_RETURN_IF_ERROR(RequestReader(frame, max_items, &batch).ReadRequest(request));
  return batch;
}

std::string_view CheckAttributeValue(std::string_view any_value) {
  return CheckAnyValue(any_value, 0);
}

std::string_view CheckAttribute(std::string_view key_value) { return CheckKeyValue(key_value, 0); }

std::string_view ReadSpan(std::string_view bytes, SpanView* span) {
  *span = SpanView();
  span->bytes = bytes;
  WireCursor cursor(bytes);
  WireField field;
  while (cursor.Next(&field)) {
    if (std::string_view reason = ReadSpanField(field, span); !reason.empty()) return reason;
  }
  if (!cursor.ok()) return kRejectMalformed;
  if (span->trace_id.IsZero()) return kRejectTraceId;
  if (span->span_id.IsZero()) return kRejectSpanId;
  return kAccepted;
}

void ForEachSpanAttribute(
    std::string_view span,
    absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit) {
  ForEachKeyValue(span, 9, visit);
}

void ForEachResourceAttribute(
    std::string_view resource,
    absl::FunctionRef<bool(std::string_view key, std::string_view value)> visit) {
  ForEachKeyValue(resource, 1, visit);
}

bool AnyValueString(std::string_view any_value, std::string_view* text) {
  WireCursor cursor(any_value);
  WireField field;
  bool found = false;
  while (cursor.Next(&field)) {
    // The last member of a oneof wins.
    found = field.IsBytes(1);
    if (found) *text = field.bytes;
  }
  return found && cursor.ok();
}

}  // namespace assay::trace
