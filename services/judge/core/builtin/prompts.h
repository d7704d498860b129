// What the built-in judges ask, as text.
//
// Each text says the task, what each value means, the edge cases, and what does not count. It names
// the blocks of the user's message in backquotes; what stands around it is AssemblePrompt's.
#ifndef ASSAY_SERVICES_JUDGE_CORE_BUILTIN_PROMPTS_H_
#define ASSAY_SERVICES_JUDGE_CORE_BUILTIN_PROMPTS_H_

#include <string_view>

namespace assay::judge {

// Of one answer: blocks `request`, `response`, `expected_response`, `expected_facts`.
extern const std::string_view kRelevanceToQueryPrompt;
extern const std::string_view kCorrectnessPrompt;
extern const std::string_view kCompletenessPrompt;
extern const std::string_view kFluencyPrompt;
extern const std::string_view kEquivalencePrompt;
extern const std::string_view kSafetyPrompt;
extern const std::string_view kSummarizationPrompt;

// Of a trace: besides those `document`, `retrieved_documents`, `tool_calls`, `available_tools`,
// `expected_tool_calls`.
extern const std::string_view kRetrievalRelevancePrompt;
extern const std::string_view kRetrievalSufficiencyPrompt;
extern const std::string_view kRetrievalGroundednessPrompt;
extern const std::string_view kToolCallEfficiencyPrompt;
extern const std::string_view kToolCallCorrectnessPrompt;
extern const std::string_view kExpectedToolCallsPrompt;
extern const std::string_view kExpectedToolCallsInOrderPrompt;

// Of a session: `conversation`, `assigned_role`.
extern const std::string_view kConversationCompletenessPrompt;
extern const std::string_view kConversationalSafetyPrompt;
extern const std::string_view kConversationalToolCallEfficiencyPrompt;
extern const std::string_view kConversationalRoleAdherencePrompt;
extern const std::string_view kUserFrustrationPrompt;
extern const std::string_view kKnowledgeRetentionPrompt;

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_BUILTIN_PROMPTS_H_
