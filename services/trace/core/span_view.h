// A stored span as the API shows it.
#ifndef ASSAY_SERVICES_TRACE_CORE_SPAN_VIEW_H_
#define ASSAY_SERVICES_TRACE_CORE_SPAN_VIEW_H_

#include <cstddef>
#include <string>

#include "assay/trace/v1/trace.pb.h"
#include "services/trace/core/meaning/price_table.h"
#include "services/trace/core/otlp_wire_reader.h"

namespace assay::trace {

// Attributes and resource attributes as they came, and what they mean. `span`, its resource and its
// scope have been accepted by the wire reader. Of lists at most 1,000 entries are shown, of texts
// what the contract says; the answer is at most a few times as large as the span. Thread-safe;
// never fails: what cannot be read as what it ought to be is shown as text or not at all.
v1::Span ShowSpan(const SpanView& span, const ResourceView& resource, const ScopeView& scope,
                  const PriceTable& prices = PriceTable::BuiltIn());

// The same, serialized and appended to `out`: without a map for the attributes, which are nearly
// all of it. `truncated`: whether something of the span was left out before. Answers the size.
size_t AppendSpan(const SpanView& span, const ResourceView& resource, const ScopeView& scope,
                  const PriceTable& prices, bool truncated, std::string* out);

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_SPAN_VIEW_H_
