// What a model is asked: the judge's rules in the system message, the material in fenced blocks in
// the user's.
#ifndef ASSAY_SERVICES_JUDGE_CORE_PROMPT_H_
#define ASSAY_SERVICES_JUDGE_CORE_PROMPT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "assay/common/v1/value.pb.h"
#include "assay/registry/v1/judge.pb.h"
#include "services/judge/core/model_client.h"
#include "services/judge/core/subject.h"

namespace assay::judge {

// The names of the blocks beside those of template variables and of the context.
inline constexpr std::string_view kInstructionsBlock = "instructions";
inline constexpr std::string_view kGuidelineBlock = "guideline";
inline constexpr std::string_view kLearnedGuidelineBlock = "learned_guideline";
inline constexpr std::string_view kExampleBlock = "example";

// The material of one prompt, retrieved examples not counted.
inline constexpr size_t kMaxMaterialBytes = size_t{16} << 20;

struct RenderedPrompt {
  std::vector<ChatMessage> messages;  // A system message and a user's.
  common::v1::ValueType value_type;
  std::string schema;       // JSON Schema of the verdict.
  std::string contract;     // How to answer, as the system message ends with it.
  int guideline_count = 0;  // Above 0: the answer holds a verdict for each (guideline_verdicts.h).
  bool yes_or_no = false;   // A guidelines judge: words that mean yes or no are taken too.
  std::vector<std::string> retrieved_traces;
  std::string sha256;  // Of messages and schema, lower-case hex.
};

// What is particular to one kind of judge.
struct PromptParts {
  std::string rules;     // Of the system message, after the base and before the answer's contract.
  std::string material;  // Of the user's message: fenced blocks (common/judging/prompt_fence.h).
  int guideline_count = 0;  // As RenderedPrompt's.
};

// The whole prompt around them: base, learned guidelines, retrieved examples, contract of the
// answer. Thread-safe, as all here.
RenderedPrompt AssemblePrompt(const PromptParts& parts, common::v1::ValueType value_type,
                              bool yes_or_no, const registry::v1::JudgeMemory& memory,
                              const Subject& subject);

// Template variables stay in the instructions as they are; their values follow in blocks of their
// names, by first appearance. What stands in a block cannot close it (prompt_fence.h). The
// assessments of the trace are never shown. Errors: INVALID_ARGUMENT naming a field of the subject,
// reason MISSING_JUDGE_INPUT (a path that leads nowhere included), JUDGE_INPUT_TOO_LARGE and others
// of CollectGuidelinesCase; those of ParseTemplateVariables for a definition that was never valid.
absl::StatusOr<RenderedPrompt> RenderPrompt(const registry::v1::JudgeDefinition& definition,
                                            const Subject& subject);

// The second question after an answer that cannot be used, for `reason`. Appends two messages.
// `messages` may be the prompt's own.
void AppendRepair(const RenderedPrompt& prompt, std::string_view answer, std::string_view reason,
                  std::vector<ChatMessage>* messages);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_PROMPT_H_
