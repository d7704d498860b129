#include "services/judge/core/kinds/code_judging.h"

#include <optional>
#include <string>
#include <utility>

#include "common/json/json_value.h"
#include "common/judging/code_definition.h"
#include "common/judging/judge_path.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/core/chat_text.h"
#include "services/judge/core/checks/check.h"
#include "services/judge/core/subject_values.h"

namespace assay::judge {

namespace {

using registry::v1::CodeJudge;

constexpr std::string_view kDefaultExpected = "expectations.expected_response";

bool NeedsExpected(const CodeJudge& judge) {
  return !judge.has_regex() && !judge.has_json_schema() &&
         !(judge.has_contains() && judge.contains().texts_size() > 0);
}

absl::StatusOr<std::string> At(const Subject& subject, std::string_view path,
                               std::string_view field, std::string_view check) {
  ASSAY_ASSIGN_OR_RETURN(const judging::JudgePath parsed, judging::ParseJudgePath(path, field));
  ASSAY_ASSIGN_OR_RETURN(
      std::string value,
      ValueAt(subject, parsed, StrCat("the check `", check, "` reads `", path, "`")));
  return value;
}

absl::StatusOr<std::string> Actual(const CodeJudge& judge, const Subject& subject,
                                   std::string_view check) {
  if (!judge.actual().empty()) {
    return At(subject, judge.actual(), "definition.code.actual", check);
  }
  if (!subject.outputs.has_value()) {
    return MissingInput("outputs", StrCat("are needed: the check `", check, "` reads them"));
  }
  return ResponseOf(*subject.outputs);
}

absl::StatusOr<std::string> Expected(const CodeJudge& judge, const Subject& subject,
                                     std::string_view check) {
  const std::string path(judge.expected().empty() ? kDefaultExpected
                                                  : std::string_view(judge.expected()));
  ASSAY_ASSIGN_OR_RETURN(std::string value, At(subject, path, "definition.code.expected", check));
  if (value == "null") {
    return MissingInput(path, StrCat("is null; the check `", check, "` compares with it"));
  }
  return value;
}

// Finishes at once: all that it needs is there.
class CodeJudging final : public Judging {
 public:
  CodeJudging(std::shared_ptr<const registry::v1::JudgeDefinition> definition, std::string revision,
              std::string actual, std::optional<std::string> expected)
      : definition_(std::move(definition)),
        revision_(std::move(revision)),
        actual_(std::move(actual)),
        expected_(std::move(expected)) {}

  JudgeStep Next(JudgeEvent) override {
    absl::StatusOr<CheckResult> result = RunCheck(definition_->code(), actual_, expected_);
    if (!result.ok()) return JudgeFinished{result.status()};
    JudgeVerdict verdict;
    verdict.source.set_kind(common::v1::SOURCE_KIND_CODE);
    verdict.source.set_id(std::string(judging::CodeCheckName(definition_->code())));
    verdict.feedback.set_outcome(common::v1::OUTCOME_VALUE);
    *verdict.feedback.mutable_value() = json::JsonFromText(std::move(result->value));
    verdict.feedback.set_rationale(std::move(result->why));
    verdict.feedback.mutable_provenance()->set_judge_revision(revision_);
    return JudgeFinished{std::move(verdict)};
  }

 private:
  const std::shared_ptr<const registry::v1::JudgeDefinition> definition_;
  const std::string revision_;
  const std::string actual_;
  const std::optional<std::string> expected_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Judging>> MakeCodeJudging(const JudgingSetup& setup) {
  const CodeJudge& judge = setup.definition->code();
  const std::string_view check = judging::CodeCheckName(judge);
  ASSAY_ASSIGN_OR_RETURN(std::string actual, Actual(judge, *setup.subject, check));
  std::optional<std::string> expected;
  if (NeedsExpected(judge)) {
    ASSAY_ASSIGN_OR_RETURN(expected, Expected(judge, *setup.subject, check));
  }
  return std::make_unique<CodeJudging>(setup.definition, setup.judge_revision, std::move(actual),
                                       std::move(expected));
}

}  // namespace assay::judge
