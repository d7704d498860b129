// A session as a conversation: who said what, in order.
#ifndef ASSAY_SERVICES_JUDGE_CORE_CONVERSATION_H_
#define ASSAY_SERVICES_JUDGE_CORE_CONVERSATION_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "services/judge/core/subject.h"

namespace assay::judge {

// A tool's arguments and its result are cut to this many bytes of JSON each.
inline constexpr size_t kMaxToolValueBytes = 8'000;

struct ConversationOptions {
  bool include_tool_calls = false;
  bool include_timing = false;
};

struct SlowSpan {
  std::string name;  // At most 100 characters.
  absl::Duration duration;
};

// How long an answer took.
struct TurnTiming {
  absl::Duration duration;
  std::vector<SlowSpan> slowest;  // At most 3, the slowest first; the root is none of them.
};

struct Turn {
  std::string role;  // `user`, `assistant` or `tool`.
  // Plain text, or compact JSON of what is no chat message. Of a tool:
  // {"name": ..., "arguments": ..., "result": ...}.
  std::string content;
  std::string trace;                 // The resource name of the trace that it stands in.
  std::optional<TurnTiming> timing;  // Of the assistant, if it was asked for.
};

// The turns of `subject.session`, in the order of its traces: what the user said, the calls of tools
// if asked for (by their start), what the assistant answered. Blank ones are left out.
// INVALID_ARGUMENT about `session`, reason MISSING_JUDGE_INPUT, if there is no session or nobody
// said anything. Thread-safe, as all here.
absl::StatusOr<std::vector<Turn>> ConversationOf(const Subject& subject,
                                                 const ConversationOptions& options = {});

// The turns as a JSON list of {role, content}, with `timing` where it is there.
std::string ConversationJson(absl::Span<const Turn> turns);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_CONVERSATION_H_
