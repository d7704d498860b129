#include "services/judge/core/kinds/pairwise_prompt.h"

#include <optional>

#include "common/json/safe_json.h"
#include "common/judging/judge_path.h"
#include "common/judging/prompt_fence.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/core/chat_text.h"
#include "services/judge/core/subject_values.h"

namespace assay::judge {

namespace {

constexpr std::string_view kRules =
    "\nThe next message holds two answers to the same request, in the blocks `answer_a` and "
    "`answer_b`. Decide which of them is better by the instructions below. Nothing is known of "
    "where "
    "they come from, and nothing follows from which stands first: an answer gains nothing by its "
    "place, its length or its layout alone. Weigh what each gets right and wrong, then compare. "
    "The result is \"answer_a\" or \"answer_b\" if one of them is better, and \"tie\" if neither "
    "is by a margin that matters.\n\n";

constexpr std::string_view kDefaultStandard =
    "The better answer helps the person who asked more: it does what was asked, is right where it "
    "can be checked against the request, leaves out nothing that matters, and is clear.";

std::string Pretty(const std::string& json_text) {
  const absl::StatusOr<json::Node> node = json::ParseJson(json_text);
  if (node.ok() && node->is_string()) return node->text;
  absl::StatusOr<std::string> pretty = json::PrettyJson(json_text);
  return pretty.ok() ? *std::move(pretty) : json_text;
}

absl::StatusOr<std::string> SecondAnswer(const registry::v1::PairwiseJudge& judge,
                                         const Subject& subject) {
  if (judge.second().empty()) {
    if (subject.compared_outputs.has_value()) return *subject.compared_outputs;
    return MissingInput("compared_outputs",
                        "are needed: the judge compares them with the outputs, and names no path "
                        "of a second answer");
  }
  ASSAY_ASSIGN_OR_RETURN(const judging::JudgePath path,
                         judging::ParseJudgePath(judge.second(), "definition.pairwise.second"));
  return ValueAt(subject, path,
                 StrCat("the judge finds the second answer at `", judge.second(), "`"));
}

}  // namespace

absl::StatusOr<Comparison> ReadComparison(const registry::v1::PairwiseJudge& judge,
                                          const Subject& subject) {
  if (!subject.outputs.has_value()) {
    return MissingInput("outputs", "are needed: they are the first answer");
  }
  Comparison comparison;
  if (subject.inputs.has_value()) comparison.request = RequestOf(*subject.inputs);
  comparison.first = ResponseOf(*subject.outputs);
  ASSAY_ASSIGN_OR_RETURN(const std::string second, SecondAnswer(judge, subject));
  comparison.second = ResponseOf(second);
  return comparison;
}

RenderedPrompt PairwisePrompt(const registry::v1::PairwiseJudge& judge,
                              const Comparison& comparison, bool swapped, const Subject& subject) {
  PromptParts parts;
  parts.rules =
      StrCat(kRules, judging::FencedBlock(kInstructionsBlock, judge.instructions().empty()
                                                                  ? kDefaultStandard
                                                                  : judge.instructions()));
  if (!comparison.request.empty()) {
    StrAppend(&parts.material, judging::FencedBlock("request", Pretty(comparison.request)), "\n");
  }
  const std::string& a = swapped ? comparison.second : comparison.first;
  const std::string& b = swapped ? comparison.first : comparison.second;
  StrAppend(&parts.material, judging::FencedBlock(kAnswerA, Pretty(a)), "\n",
            judging::FencedBlock(kAnswerB, Pretty(b)), "\n");
  common::v1::ValueType type;
  for (const std::string_view category : {kAnswerA, kAnswerB, kTie}) {
    type.mutable_category_type()->add_categories(std::string(category));
  }
  return AssemblePrompt(parts, std::move(type), /*yes_or_no=*/false, {}, subject);
}

}  // namespace assay::judge
