// The judges that come with the judge service: their names, what they read, the values they give,
// and the rules of their definitions.
#ifndef ASSAY_COMMON_JUDGING_BUILTIN_DEFINITION_H_
#define ASSAY_COMMON_JUDGING_BUILTIN_DEFINITION_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "assay/common/v1/value.pb.h"
#include "assay/registry/v1/judge.pb.h"

namespace assay::judging {

// What a built-in judge looks at, beside inputs, outputs and expectations.
enum class BuiltinScope {
  kAnswer,   // One answer.
  kTrace,    // The spans of a trace.
  kSession,  // The traces of a session.
};

struct BuiltinTraits {
  std::string_view name;   // `relevance_to_query`.
  std::string_view alias;  // `RelevanceToQuery`, which is accepted too.
  BuiltinScope scope;
};

// All of them, in the order of the documentation. Thread-safe, as all here.
absl::Span<const BuiltinTraits> BuiltinJudges();

// By name or alias; null if there is none.
const BuiltinTraits* FindBuiltinJudge(std::string_view name);

// Whether a definition is a built-in judge that reads more of a trace than its inputs and outputs:
// the spans, or what people expect of it.
bool BuiltinReadsTrace(const registry::v1::JudgeDefinition& definition);

// OK, or INVALID_ARGUMENT that names the field below `field` (the path of `definition`, which is a
// built-in judge) and what is allowed. Reasons: UNKNOWN_BUILTIN_JUDGE, INVALID_VALUE_TYPE (another
// type than the judge's own), INVALID_FIELD. The rules of `last_turn_judge` itself are those of
// ValidateJudgeDefinition, and not checked here.
absl::Status ValidateBuiltinJudge(const registry::v1::JudgeDefinition& definition,
                                  std::string_view field);

// The type of its values: the categories `yes` and `no`; of user_frustration `none`, `resolved` and
// `unresolved`, the best first.
common::v1::ValueType BuiltinValueType(const registry::v1::BuiltinJudge& judge);

}  // namespace assay::judging

#endif  // ASSAY_COMMON_JUDGING_BUILTIN_DEFINITION_H_
