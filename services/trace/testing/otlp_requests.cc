#include "services/trace/testing/otlp_requests.h"

namespace assay::trace {

TraceId TestTrace(uint8_t number) {
  std::string bytes(TraceId::kSize, '\x11');
  bytes.back() = static_cast<char>(number);
  return *TraceId::FromBytes(bytes);
}

SpanId TestSpan(uint8_t number) {
  std::string bytes(SpanId::kSize, '\x22');
  bytes.back() = static_cast<char>(number);
  return *SpanId::FromBytes(bytes);
}

OtlpResourceSpans* AddResource(ExportRequest* request, std::string_view experiment) {
  OtlpResourceSpans* resource = request->add_resource_spans();
  auto* service = resource->mutable_resource()->add_attributes();
  service->set_key("service.name");
  service->mutable_value()->set_string_value("support");
  if (!experiment.empty()) {
    auto* attribute = resource->mutable_resource()->add_attributes();
    attribute->set_key("assay.experiment");
    attribute->mutable_value()->set_string_value(std::string(experiment));
  }
  resource->add_scope_spans()->mutable_scope()->set_name("test");
  return resource;
}

OtlpSpan* AddSpan(OtlpResourceSpans* resource, uint8_t trace, uint8_t span, uint8_t parent,
                  uint64_t start_seconds) {
  OtlpSpan* added = resource->mutable_scope_spans(0)->add_spans();
  added->set_trace_id(std::string(TestTrace(trace).bytes()));
  added->set_span_id(std::string(TestSpan(span).bytes()));
  if (parent != 0) added->set_parent_span_id(std::string(TestSpan(parent).bytes()));
  added->set_name("span-" + std::to_string(span));
  added->set_start_time_unix_nano(start_seconds * 1'000'000'000);
  added->set_end_time_unix_nano((start_seconds + 1) * 1'000'000'000);
  return added;
}

void SetText(OtlpSpan* span, std::string_view key, std::string_view text) {
  auto* attribute = span->add_attributes();
  attribute->set_key(std::string(key));
  attribute->mutable_value()->set_string_value(std::string(text));
}

ExportRequest OneSpan(uint8_t trace, std::string_view experiment, uint64_t start_seconds) {
  ExportRequest request;
  AddSpan(AddResource(&request, experiment), trace, 1, 0, start_seconds);
  return request;
}

}  // namespace assay::trace
