// The tool calls of a trace, and how they compare with those that were expected.
#ifndef ASSAY_SERVICES_JUDGE_CORE_BUILTIN_TOOL_CALLS_H_
#define ASSAY_SERVICES_JUDGE_CORE_BUILTIN_TOOL_CALLS_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "assay/trace/v1/trace.pb.h"
#include "services/judge/core/builtin/equivalence.h"
#include "services/judge/core/subject.h"

namespace assay::judge {

inline constexpr size_t kMaxToolCallBytes = 8'000;     // Arguments or result of one in a prompt.
inline constexpr size_t kMaxToolCallsBytes = 200'000;  // Of all of a prompt.

struct TracedToolCall {
  std::string name;
  std::string arguments;  // JSON; "" if none are said.
  std::string result;     // JSON; "" if none is said.
  bool error = false;
};

// The spans of type TOOL, by their start. Where there are none, the calls that models asked for, as
// their messages say, without results. Thread-safe, as all here.
std::vector<TracedToolCall> ToolCallsOf(const trace::v1::Trace& trace);

// The block `tool_calls`; [] without any. Long values, and calls beyond the bound, are cut with a
// note.
std::string ToolCallsBlock(absl::Span<const TracedToolCall> calls);

// The block `available_tools`: what was offered to models in these traces, each name once, the last
// definition of it. "" if nothing was.
std::string AvailableToolsBlock(absl::Span<const std::shared_ptr<const trace::v1::Trace>> traces);

struct ExpectedToolCall {
  std::string name;
  std::optional<std::string> arguments;  // Canonical JSON; nullopt: any will do.
};

// `expectations.expected_tool_calls`, a list of {"name", "arguments"?}, also where it is empty;
// nullopt if it is not there. INVALID_ARGUMENT, reason INVALID_EXPECTED_TOOL_CALLS, if it is
// anything else.
absl::StatusOr<std::optional<std::vector<ExpectedToolCall>>> ExpectedToolCallsOf(
    const Subject& subject);

// The block `expected_tool_calls`.
std::string ExpectedToolCallsBlock(absl::Span<const ExpectedToolCall> calls);

// Whether there is exactly one call for each expected one, with an equal name, and equal arguments
// where the expected one has some (as JSON values). Calls that occur several times must be expected
// as many times. With `in_order` the n-th call is compared with the n-th expected one.
CodeDecision CompareToolCalls(absl::Span<const TracedToolCall> calls,
                              absl::Span<const ExpectedToolCall> expected, bool in_order);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_BUILTIN_TOOL_CALLS_H_
