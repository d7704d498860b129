// Traces as the API shows them, put together from what the store keeps.
#ifndef ASSAY_SERVICES_TRACE_CORE_TRACE_VIEW_H_
#define ASSAY_SERVICES_TRACE_CORE_TRACE_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assay/trace/v1/trace_service.pb.h"
#include "services/trace/core/meaning/price_table.h"
#include "services/trace/core/trace_store.h"

namespace assay::trace {

inline constexpr size_t kMaxSpansShown = 1000;
inline constexpr size_t kMaxAssessmentsShown = 200;
// Spans of a trace, and traces of a page, stop being added beyond this: clients take messages of 4
// MiB by default.
inline constexpr size_t kMaxAnswerBytes = size_t{3} << 20;

absl::Time TimeOfNanos(uint64_t unix_nano);
absl::Time TimeOfMillis(uint64_t unix_ms);
double UsdOfNanos(int64_t nano_usd);
common::v1::TokenUsage ShowTokens(const UsageRecord& usage);
common::v1::Cost ShowCost(const UsageRecord& usage);
v1::TraceState StateOf(const TraceFacts& facts);
absl::Duration DurationOf(const TraceFacts& facts);
std::string RootNameOf(const TraceFacts& facts);
// What of a trace these facts hold less of than its spans said, in order.
std::vector<v1::TracePart> TruncatedPartsOf(const TraceFacts& facts);

// The root's Span message as it is stored; nullopt while there is none. Blocks.
absl::StatusOr<std::optional<std::string>> ReadRootSpan(const TraceStore& store,
                                                        const TraceId& trace,
                                                        const TraceFacts& facts);

// Everything that `view` asks for. Of spans that were sent twice, the last is shown. `prices` are for
// the spans: what the trace costs was added up when they arrived. Blocks.
absl::StatusOr<v1::Trace> ShowTrace(const TraceStore& store, const TraceId& trace,
                                    const StoredTrace& stored, v1::TraceView view,
                                    const PriceTable& prices = PriceTable::BuiltIn());

// Takes from a trace what is too large for one of many in an answer: payloads of more than 256 KiB,
// and spans of more than 768 KiB together; the previews stay. A page then stays within what clients
// take by default. Both are said in the trace.
void FitIntoList(v1::Trace* shown);

// The trace, or NOT_FOUND; also if it belongs to another experiment than `experiment`, unless that
// is `-`.
absl::StatusOr<v1::Trace> GetTrace(const TraceStore& store, const std::string& experiment,
                                   const TraceId& trace, v1::TraceView view,
                                   const PriceTable& prices = PriceTable::BuiltIn());

// The same as a serialized GetTraceResponse, for GetTrace: costs much less than the message does.
absl::StatusOr<std::string> GetTraceBytes(const TraceStore& store, const std::string& experiment,
                                          const TraceId& trace, v1::TraceView view,
                                          const PriceTable& prices = PriceTable::BuiltIn());

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_TRACE_VIEW_H_
