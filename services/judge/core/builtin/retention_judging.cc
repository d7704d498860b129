#include "services/judge/core/builtin/retention_judging.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/json/json_value.h"
#include "common/json/utf8.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/core/builtin/chunk_verdicts.h"
#include "services/judge/core/builtin/material.h"
#include "services/judge/core/builtin/prompts.h"
#include "services/judge/core/builtin/question.h"
#include "services/judge/core/builtin/session_material.h"
#include "services/judge/core/composed_judging.h"
#include "services/judge/core/provenance_sum.h"

namespace assay::judge {

namespace {

constexpr size_t kMaxRationaleBytes = 64 * 1024;

class RetentionJudging final : public Judging {
 public:
  RetentionJudging(const JudgingSetup& setup, std::string model_uri, std::vector<size_t> turns,
                   size_t left_out, std::vector<std::unique_ptr<Judging>> questions)
      : setup_(setup),
        model_uri_(std::move(model_uri)),
        turns_(std::move(turns)),
        left_out_(left_out),
        questions_(std::move(questions)) {}

  JudgeStep Next(JudgeEvent event) override {
    if (std::holds_alternative<JudgeStarted>(event)) return CallAll{std::move(questions_)};
    const std::vector<absl::StatusOr<JudgeVerdict>>& verdicts =
        std::get<AllFinished>(event).verdicts;
    if (absl::Status error = FirstCallError(verdicts); !error.ok()) return JudgeFinished{error};
    JudgeVerdict whole;
    whole.source.set_kind(common::v1::SOURCE_KIND_LLM_JUDGE);
    whole.source.set_id(model_uri_);
    if (left_out_ > 0) whole.metadata["turns_left_out"] = StrCat(left_out_);
    for (size_t i = 0; i < verdicts.size(); ++i) {
      *whole.feedback.add_parts() = PartOf(StrCat("turn ", turns_[i]), verdicts[i]);
    }
    AppendInnerParts(verdicts, &whole.feedback);
    AppendInnerFeedbacks(setup_, Places(), verdicts, &whole);
    TakeWorst(verdicts, &whole.feedback);
    common::v1::Provenance provenance = SumProvenance(verdicts, AskedHow::kAtTheSameTime);
    provenance.set_judge_revision(setup_.judge_revision);
    if (provenance.model().empty()) provenance.set_model(model_uri_);
    *whole.feedback.mutable_provenance() = std::move(provenance);
    return JudgeFinished{std::move(whole)};
  }

 private:
  void TakeWorst(const std::vector<absl::StatusOr<JudgeVerdict>>& verdicts,
                 common::v1::Feedback* whole) const {
    const JudgeVerdict* failed = nullptr;
    for (size_t i = 0; i < verdicts.size(); ++i) {
      const common::v1::Feedback& feedback = verdicts[i]->feedback;
      const std::optional<bool> yes = YesOrNo(feedback);
      if (!yes.has_value() && failed == nullptr) failed = &*verdicts[i];
      if (yes.value_or(true)) continue;
      whole->set_outcome(common::v1::OUTCOME_VALUE);
      *whole->mutable_value() = json::JsonFromString("no");
      whole->set_rationale(std::string(json::TruncateUtf8Bytes(
          StrCat("Turn ", turns_[i], ": ", feedback.rationale()), kMaxRationaleBytes)));
      return;
    }
    if (failed != nullptr) {
      whole->set_outcome(failed->feedback.outcome());
      if (failed->feedback.has_error()) *whole->mutable_error() = failed->feedback.error();
      return;
    }
    whole->set_outcome(common::v1::OUTCOME_VALUE);
    *whole->mutable_value() = json::JsonFromString("yes");
    whole->set_rationale(verdicts.size() == 1
                             ? verdicts[0]->feedback.rationale()
                             : StrCat("Each of the ", verdicts.size(),
                                      " answers keeps what the user said before it."));
  }

  std::vector<std::string> Places() const {
    std::vector<std::string> places;
    for (const size_t turn : turns_) places.push_back(StrCat("turn ", turn));
    return places;
  }

  const JudgingSetup setup_;
  const std::string model_uri_;
  const std::vector<size_t> turns_;  // From 1.
  const size_t left_out_;
  std::vector<std::unique_ptr<Judging>> questions_;
};

absl::StatusOr<std::unique_ptr<Judging>> AskOwn(const JudgingSetup& setup,
                                                absl::Span<const Turn> turns,
                                                const std::string& part) {
  return MakeBuiltinQuestion(setup, {kKnowledgeRetentionPrompt, ConversationBlock(turns), part});
}

// Another judge on the session up to a trace.
absl::StatusOr<std::unique_ptr<Judging>> AskOther(const JudgingSetup& setup, size_t traces,
                                                  const std::string& part,
                                                  const JudgingMaker& make_judging) {
  auto subject = std::make_shared<Subject>(*setup.subject);
  subject->session.resize(traces);
  auto definition = std::make_shared<registry::v1::JudgeDefinition>(
      setup.definition->builtin().last_turn_judge());
  // Of the whole judge, where its part does not say otherwise.
  if (definition->model().empty()) {
    definition->set_model(setup.definition->model());
    *definition->mutable_fallback_models() = setup.definition->fallback_models();
  }
  JudgingSetup own = setup.ForPart(std::move(definition), part);
  own.subject = std::move(subject);
  return make_judging(own);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Judging>> MakeKnowledgeRetention(const JudgingSetup& setup,
                                                                const JudgingMaker& make_judging) {
  ASSAY_ASSIGN_OR_RETURN(std::string model_uri, setup.ModelUri());
  ASSAY_ASSIGN_OR_RETURN(const std::vector<Turn> turns, ConversationOf(*setup.subject));
  std::vector<ConversationPrefix> prefixes = PrefixesOf(*setup.subject, turns);
  if (prefixes.empty()) {
    return MissingBuiltinInput("session", "has no answer of the assistant to judge");
  }
  const size_t left_out = prefixes.size() - std::min(prefixes.size(), kMaxJudgedTurns);
  prefixes.erase(prefixes.begin(), prefixes.begin() + static_cast<ptrdiff_t>(left_out));
  std::vector<std::unique_ptr<Judging>> questions;
  std::vector<size_t> places;
  for (const ConversationPrefix& prefix : prefixes) {
    const std::string part = StrCat("turn/", prefix.trace + 1);
    ASSAY_ASSIGN_OR_RETURN(
        std::unique_ptr<Judging> question,
        setup.definition->builtin().has_last_turn_judge()
            ? AskOther(setup, prefix.trace + 1, part, make_judging)
            : AskOwn(setup, absl::MakeConstSpan(turns).first(prefix.turns), part));
    questions.push_back(std::move(question));
    places.push_back(prefix.trace + 1);
  }
  return std::make_unique<RetentionJudging>(setup, std::move(model_uri), std::move(places),
                                            left_out, std::move(questions));
}

}  // namespace assay::judge
