#include "services/judge/core/kinds/panel_judging.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/json/json_value.h"
#include "common/json/utf8.h"
#include "common/judging/judge_definition.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/core/composed_judging.h"
#include "services/judge/core/kinds/panel_aggregation.h"
#include "services/judge/core/provenance_sum.h"

namespace assay::judge {

namespace {

using common::v1::Feedback;
using registry::v1::JudgeDefinition;
using registry::v1::PanelJudge;
using registry::v1::PanelMember;

std::string_view AggregationName(PanelJudge::Aggregation aggregation) {
  switch (aggregation) {
    case PanelJudge::AGGREGATION_MAJORITY:
      return "the majority";
    case PanelJudge::AGGREGATION_MEAN:
      return "the mean";
    case PanelJudge::AGGREGATION_MIN:
      return "the smallest";
    case PanelJudge::AGGREGATION_MAX:
      return "the largest";
    case PanelJudge::AGGREGATION_ALL:
      return "whether all say yes";
    default:
      return "whether one says yes";
  }
}

// Asks all members at the same time, and puts their values together.
class PanelJudging final : public Judging {
 public:
  PanelJudging(JudgingSetup setup, std::vector<std::unique_ptr<Judging>> members)
      : setup_(std::move(setup)), members_(std::move(members)) {}

  JudgeStep Next(JudgeEvent event) override {
    if (std::holds_alternative<JudgeStarted>(event)) return CallAll{std::move(members_)};
    return Conclude(std::get<AllFinished>(event).verdicts);
  }

 private:
  using Verdicts = std::vector<absl::StatusOr<JudgeVerdict>>;

  const PanelJudge& panel() const { return setup_.definition->panel(); }

  std::string NameOf(int member, const absl::StatusOr<JudgeVerdict>& verdict) const {
    const PanelMember& asked = panel().members(member);
    if (!asked.label().empty()) return asked.label();
    const std::string place = StrCat("members[", member, "]");
    if (!verdict.ok() || verdict->source.id().empty()) return place;
    return StrCat(place, " ", verdict->source.id());
  }

  // Where a member's additional feedbacks stand. A label that could be taken for another member's
  // place gives way to the number.
  std::vector<std::string> Places() const {
    std::vector<std::string> places;
    for (const PanelMember& member : panel().members()) {
      const std::string& label = member.label();
      const auto same =
          std::count_if(panel().members().begin(), panel().members().end(),
                        [&](const PanelMember& other) { return other.label() == label; });
      const bool plain = !label.empty() && same == 1 && label.find('/') == std::string::npos &&
                         !label.starts_with("members[");
      places.push_back(plain ? label : StrCat("members[", places.size(), "]"));
    }
    return places;
  }

  // Takes values away that the aggregation cannot use.
  void CheckValues(const common::v1::ValueType& type, Verdicts* verdicts) const {
    for (absl::StatusOr<JudgeVerdict>& verdict : *verdicts) {
      Feedback& feedback = verdict->feedback;
      if (!feedback.has_value() ||
          IsUsable(panel().aggregation(), type, feedback.value().json_text())) {
        continue;
      }
      feedback.set_outcome(common::v1::OUTCOME_ERROR);
      feedback.mutable_error()->set_code("VALUE_OUTSIDE_TYPE");
      feedback.mutable_error()->set_message(
          StrCat("The panel cannot count the value ",
                 json::PreviewOf(feedback.value().json_text(), 200), "."));
      feedback.clear_value();
    }
  }

  JudgeStep Conclude(Verdicts& verdicts) const {
    if (absl::Status error = CallErrorOf(verdicts); !error.ok()) return JudgeFinished{error};
    const common::v1::ValueType type = judging::EffectiveValueType(*setup_.definition);
    CheckValues(type, &verdicts);
    std::vector<MemberValue> values;
    int with_value = 0;
    Feedback feedback;
    std::string reasons;
    for (size_t i = 0; i < verdicts.size(); ++i) {
      const PanelMember& member = panel().members(static_cast<int>(i));
      const std::string name = NameOf(static_cast<int>(i), verdicts[i]);
      MemberValue& value = values.emplace_back();
      value.weight = member.has_weight() ? member.weight() : 1;
      if (verdicts[i]->feedback.has_value()) {
        value.value = verdicts[i]->feedback.value().json_text();
        ++with_value;
      }
      common::v1::FeedbackPart& part = *feedback.add_parts();
      part = PartOf(name, verdicts[i]);
      part.set_weight(value.weight);
      StrAppend(&reasons, "\n", ReasonLine(name, verdicts[i]));
    }
    AppendInnerParts(verdicts, &feedback);
    Decide(Aggregate(panel().aggregation(), type, values), with_value, reasons, &feedback);
    JudgeVerdict verdict =
        ComposedVerdict(setup_, "panel", std::move(feedback), verdicts, AskedHow::kAtTheSameTime);
    AppendInnerFeedbacks(setup_, Places(), verdicts, &verdict);
    return JudgeFinished{std::move(verdict)};
  }

  void Decide(const std::optional<PanelValue>& value, int with_value, const std::string& reasons,
              Feedback* feedback) const {
    const int members = panel().members_size();
    const int quorum = panel().quorum() == 0 ? members : panel().quorum();
    if (with_value < quorum || !value.has_value()) {
      feedback->set_outcome(common::v1::OUTCOME_ERROR);
      feedback->mutable_error()->set_code("PANEL_INCOMPLETE");
      feedback->mutable_error()->set_message(StrCat("Of ", members, " members, ", with_value,
                                                    " came to a value; ", quorum,
                                                    " are needed. The parts say why."));
      feedback->set_rationale(StrCat("Too few members came to a value:", reasons));
      return;
    }
    feedback->set_outcome(common::v1::OUTCOME_VALUE);
    *feedback->mutable_value() = json::JsonFromText(value->value);
    std::string lead = StrCat("The panel's value is ", json::PreviewOf(value->value, 100), ", ",
                              AggregationName(panel().aggregation()), " of ", with_value,
                              with_value == members ? "" : StrCat(" of ", members), " members");
    if (value->confidence.has_value()) {
      feedback->mutable_confidence()->set_value(*value->confidence);
      feedback->mutable_confidence()->set_method(common::v1::CONFIDENCE_METHOD_VOTE_SHARE);
      feedback->mutable_confidence()->set_samples(members);
      StrAppend(&lead, " (", value->votes, " gave it)");
    }
    feedback->set_rationale(
        std::string(json::TruncateUtf8Bytes(StrCat(lead, ":", reasons), judging::kMaxTextBytes)));
  }

  const JudgingSetup setup_;
  std::vector<std::unique_ptr<Judging>> members_;  // Until they are asked.
};

}  // namespace

absl::StatusOr<std::unique_ptr<Judging>> MakePanelJudging(const JudgingSetup& setup,
                                                          JudgingMaker make_judging) {
  std::vector<std::unique_ptr<Judging>> members;
  std::vector<std::string> asked;
  for (const PanelMember& member : setup.definition->panel().members()) {
    JudgingSetup part = NestedSetup(setup, member.judge(), StrCat("member", members.size()));
    // Members that ask the same are to answer each for themselves: equal questions share one call.
    asked.push_back(member.judge().SerializeAsString());
    part.sample =
        setup.sample + static_cast<int>(std::count(asked.begin(), asked.end() - 1, asked.back()));
    ASSAY_ASSIGN_OR_RETURN(std::unique_ptr<Judging> judging, make_judging(part));
    members.push_back(std::move(judging));
  }
  return std::make_unique<PanelJudging>(setup, std::move(members));
}

}  // namespace assay::judge
