// Which span attributes mean what: one table for the conventions of MLflow, OpenInference,
// OpenTelemetry's GenAI and our own.
#ifndef ASSAY_SERVICES_TRACE_CORE_ATTRIBUTE_MAPPING_H_
#define ASSAY_SERVICES_TRACE_CORE_ATTRIBUTE_MAPPING_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace assay::trace {

inline constexpr size_t kMaxIdentityChars = 250;

// What a span says of its trace. Payloads are JSON text, empty if the span has none.
struct Payloads {
  std::string inputs;
  std::string outputs;
};
struct Identity {
  std::string session;  // At most kMaxIdentityChars.
  std::string user;
};

// From a Span message that the wire reader has accepted. Of several attributes with one meaning,
// the first of the table wins. Thread-safe.
Payloads PayloadsOf(std::string_view span);
Identity IdentityOf(std::string_view span);

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_ATTRIBUTE_MAPPING_H_
