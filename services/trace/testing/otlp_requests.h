// OTLP requests for tests, built with OpenTelemetry's own messages.
#ifndef ASSAY_SERVICES_TRACE_TESTING_OTLP_REQUESTS_H_
#define ASSAY_SERVICES_TRACE_TESTING_OTLP_REQUESTS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "services/trace/core/ids.h"

namespace assay::trace {

using ExportRequest = opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
using OtlpResourceSpans = opentelemetry::proto::trace::v1::ResourceSpans;
using OtlpSpan = opentelemetry::proto::trace::v1::Span;

// Ids that differ by a number above zero.
TraceId TestTrace(uint8_t number);
SpanId TestSpan(uint8_t number);

// A resource of a request; with an `assay.experiment` unless that is empty.
OtlpResourceSpans* AddResource(ExportRequest* request, std::string_view experiment = "");

// A span of one second that starts `start_seconds` after the epoch; a root if `parent` is 0.
OtlpSpan* AddSpan(OtlpResourceSpans* resource, uint8_t trace, uint8_t span, uint8_t parent = 0,
                  uint64_t start_seconds = 100);

void SetText(OtlpSpan* span, std::string_view key, std::string_view text);

// A request with one root span.
ExportRequest OneSpan(uint8_t trace, std::string_view experiment = "",
                      uint64_t start_seconds = 100);

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_TESTING_OTLP_REQUESTS_H_
