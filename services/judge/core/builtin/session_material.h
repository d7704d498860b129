// What judges of conversations read of a session, as blocks of a prompt.
#ifndef ASSAY_SERVICES_JUDGE_CORE_BUILTIN_SESSION_MATERIAL_H_
#define ASSAY_SERVICES_JUDGE_CORE_BUILTIN_SESSION_MATERIAL_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "services/judge/core/conversation.h"
#include "services/judge/core/subject.h"

namespace assay::judge {

// The block `conversation`. Thread-safe, as all here.
std::string ConversationBlock(absl::Span<const Turn> turns);

// The block `assigned_role`: the first system message of the session's first traces that have one,
// of a span that calls a model, or of the inputs. "" if there is none.
std::string AssignedRoleBlock(const Subject& subject);

// The turns of one trace, and all before it.
struct ConversationPrefix {
  size_t trace = 0;  // Its place in the session, from 0.
  size_t turns = 0;  // How many turns of the conversation belong to the prefix.
};

// One prefix for each trace in which the assistant says something.
std::vector<ConversationPrefix> PrefixesOf(const Subject& subject, absl::Span<const Turn> turns);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_BUILTIN_SESSION_MATERIAL_H_
