// OTLP attribute values (AnyValue messages) as JSON text.
#ifndef ASSAY_SERVICES_TRACE_CORE_ATTRIBUTE_JSON_H_
#define ASSAY_SERVICES_TRACE_CORE_ATTRIBUTE_JSON_H_

#include <string>
#include <string_view>

namespace assay::trace {

// Appends the value as JSON: text, bool, exact integer, shortest double (NaN and infinities as
// strings), list, object (of keys that occur twice, the last), bytes as a base64 string, null for
// none. For values that the wire reader has accepted: what is malformed or too deep becomes null.
// Thread-safe, as all here.
void AppendAnyValueJson(std::string_view any_value, std::string* out);

// The payload that an instrumentation put into an attribute: a string that is a JSON document is
// that document as it came; everything else is AppendAnyValueJson's text.
std::string PayloadJson(std::string_view any_value);

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_ATTRIBUTE_JSON_H_
