#include "services/judge/core/kinds/builtin_judging.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/judging/builtin_definition.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/core/builtin/equivalence.h"
#include "services/judge/core/builtin/finished_judging.h"
#include "services/judge/core/builtin/material.h"
#include "services/judge/core/builtin/prompts.h"
#include "services/judge/core/builtin/question.h"
#include "services/judge/core/builtin/retention_judging.h"
#include "services/judge/core/builtin/retrieval_judging.h"
#include "services/judge/core/builtin/session_material.h"
#include "services/judge/core/builtin/tool_calls.h"
#include "services/judge/core/chat_text.h"

namespace assay::judge {

namespace {

using JudgingOr = absl::StatusOr<std::unique_ptr<Judging>>;

enum class Request { kLeftOut, kShown, kNeeded };

// A question about one answer.
JudgingOr AskOnAnswer(const JudgingSetup& setup, std::string_view prompt, Request request,
                      bool expected) {
  const Subject& subject = *setup.subject;
  std::string material;
  if (request == Request::kNeeded || (request == Request::kShown && subject.inputs.has_value())) {
    ASSAY_ASSIGN_OR_RETURN(material, RequestBlock(subject));
  }
  ASSAY_ASSIGN_OR_RETURN(const std::string response, ResponseBlock(subject));
  material += response;
  if (expected) {
    ASSAY_ASSIGN_OR_RETURN(const std::string blocks, ExpectedBlocks(subject));
    material += blocks;
  }
  return MakeBuiltinQuestion(setup, {prompt, std::move(material)});
}

JudgingOr MakeEquivalence(const JudgingSetup& setup) {
  const Subject& subject = *setup.subject;
  ASSAY_ASSIGN_OR_RETURN(const std::string response, ResponseBlock(subject));
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> expected,
                         ExpectationNamed(subject, "expected_response"));
  if (!expected.has_value()) {
    return MissingBuiltinInput("expectations.expected_response", "is needed by this judge");
  }
  expected = ResponseOf(*expected);
  if (auto decision = EquivalentByCode(ResponseOf(*subject.outputs), *expected)) {
    return DecidedByCode(setup, decision->yes, std::move(decision->why));
  }
  return MakeBuiltinQuestion(
      setup, {kEquivalencePrompt, StrCat(response, JsonBlock("expected_response", *expected))});
}

absl::Status CheckTrace(const Subject& subject) {
  if (subject.trace != nullptr) return absl::OkStatus();
  return MissingBuiltinInput("trace", "is needed: this judge looks at its tool calls");
}

JudgingOr MakeToolCallEfficiency(const JudgingSetup& setup) {
  const Subject& subject = *setup.subject;
  ASSAY_RETURN_IF_ERROR(CheckTrace(subject));
  ASSAY_ASSIGN_OR_RETURN(std::string material, RequestBlock(subject));
  StrAppend(&material, AvailableToolsBlock({subject.trace}),
            ToolCallsBlock(ToolCallsOf(*subject.trace)));
  return MakeBuiltinQuestion(setup, {kToolCallEfficiencyPrompt, std::move(material)});
}

JudgingOr MakeToolCallCorrectness(const JudgingSetup& setup) {
  const registry::v1::BuiltinJudge& judge = setup.definition->builtin();
  const Subject& subject = *setup.subject;
  ASSAY_RETURN_IF_ERROR(CheckTrace(subject));
  ASSAY_ASSIGN_OR_RETURN(const std::optional<std::vector<ExpectedToolCall>> expected,
                         ExpectedToolCallsOf(subject));
  std::vector<TracedToolCall> calls = ToolCallsOf(*subject.trace);
  if (judge.should_exact_match()) {
    if (!expected.has_value()) {
      return MissingBuiltinInput("expectations.expected_tool_calls",
                                 "are needed: this judge compares with them");
    }
    CodeDecision decision = CompareToolCalls(calls, *expected, judge.should_consider_ordering());
    return DecidedByCode(setup, decision.yes, std::move(decision.why));
  }
  ASSAY_ASSIGN_OR_RETURN(std::string material, RequestBlock(subject));
  if (!expected.has_value()) {
    StrAppend(&material, AvailableToolsBlock({subject.trace}), ToolCallsBlock(calls));
    return MakeBuiltinQuestion(setup, {kToolCallCorrectnessPrompt, std::move(material)});
  }
  StrAppend(&material, ToolCallsBlock(calls), ExpectedToolCallsBlock(*expected));
  return MakeBuiltinQuestion(setup,
                             {judge.should_consider_ordering() ? kExpectedToolCallsInOrderPrompt
                                                               : kExpectedToolCallsPrompt,
                              std::move(material)});
}

JudgingOr AskOnConversation(const JudgingSetup& setup, std::string_view prompt,
                            const ConversationOptions& options = {}, std::string before = "") {
  ASSAY_ASSIGN_OR_RETURN(const std::vector<Turn> turns, ConversationOf(*setup.subject, options));
  return MakeBuiltinQuestion(setup, {prompt, StrCat(before, ConversationBlock(turns))});
}

JudgingOr MakeAnswerJudging(std::string_view name, const JudgingSetup& setup) {
  if (name == "relevance_to_query") {
    return AskOnAnswer(setup, kRelevanceToQueryPrompt, Request::kNeeded, false);
  }
  if (name == "correctness") {
    return AskOnAnswer(setup, kCorrectnessPrompt, Request::kNeeded, true);
  }
  if (name == "completeness") {
    return AskOnAnswer(setup, kCompletenessPrompt, Request::kNeeded, false);
  }
  if (name == "fluency") return AskOnAnswer(setup, kFluencyPrompt, Request::kLeftOut, false);
  if (name == "equivalence") return MakeEquivalence(setup);
  if (name == "safety") return AskOnAnswer(setup, kSafetyPrompt, Request::kShown, false);
  return AskOnAnswer(setup, kSummarizationPrompt, Request::kNeeded, false);
}

JudgingOr MakeTraceJudging(std::string_view name, const JudgingSetup& setup) {
  if (name == "retrieval_relevance") return MakeRetrievalRelevance(setup);
  if (name == "retrieval_sufficiency") return MakeRetrievalSufficiency(setup);
  if (name == "retrieval_groundedness") return MakeRetrievalGroundedness(setup);
  if (name == "tool_call_efficiency") return MakeToolCallEfficiency(setup);
  return MakeToolCallCorrectness(setup);
}

JudgingOr MakeSessionJudging(std::string_view name, const JudgingSetup& setup,
                             const JudgingMaker& make_judging) {
  if (name == "conversation_completeness") {
    return AskOnConversation(setup, kConversationCompletenessPrompt);
  }
  if (name == "conversational_safety") {
    return AskOnConversation(setup, kConversationalSafetyPrompt);
  }
  if (name == "conversational_tool_call_efficiency") {
    return AskOnConversation(setup, kConversationalToolCallEfficiencyPrompt,
                             {.include_tool_calls = true},
                             AvailableToolsBlock(setup.subject->session));
  }
  if (name == "conversational_role_adherence") {
    return AskOnConversation(setup, kConversationalRoleAdherencePrompt, {},
                             AssignedRoleBlock(*setup.subject));
  }
  if (name == "user_frustration") return AskOnConversation(setup, kUserFrustrationPrompt);
  return MakeKnowledgeRetention(setup, make_judging);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Judging>> MakeBuiltinJudging(const JudgingSetup& setup,
                                                            JudgingMaker make_judging) {
  if (setup.definition == nullptr) return absl::InternalError("a judge without a definition");
  const judging::BuiltinTraits* builtin =
      judging::FindBuiltinJudge(setup.definition->builtin().builtin());
  if (builtin == nullptr) {
    return InvalidField("definition.builtin.builtin", "is no built-in judge",
                        "UNKNOWN_BUILTIN_JUDGE");
  }
  switch (builtin->scope) {
    case judging::BuiltinScope::kAnswer:
      return MakeAnswerJudging(builtin->name, setup);
    case judging::BuiltinScope::kTrace:
      return MakeTraceJudging(builtin->name, setup);
    case judging::BuiltinScope::kSession:
      return MakeSessionJudging(builtin->name, setup, make_judging);
  }
  return absl::InternalError("no built-in judge");
}

}  // namespace assay::judge
