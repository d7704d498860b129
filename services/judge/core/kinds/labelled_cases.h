// Labelled cases of judges' behaviour, one JSON object a line; for tests.
#ifndef ASSAY_SERVICES_JUDGE_CORE_KINDS_LABELLED_CASES_H_
#define ASSAY_SERVICES_JUDGE_CORE_KINDS_LABELLED_CASES_H_

#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/json/safe_json.h"
#include "common/strings/strings.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "services/judge/core/judging.h"

namespace assay::judge {

// The lines of testdata/{name}.jsonl.
inline std::vector<json::Node> LabelledCases(std::string_view name) {
  std::ifstream file(StrCat("services/judge/core/kinds/testdata/", name, ".jsonl"));
  std::vector<json::Node> cases;
  std::string line;
  while (std::getline(file, line)) {
    absl::StatusOr<json::Node> node = json::ParseJson(line);
    EXPECT_TRUE(node.ok()) << line;
    if (node.ok()) cases.push_back(*std::move(node));
  }
  EXPECT_GE(cases.size(), 30u) << name;
  return cases;
}

// The member as JSON text; "" if there is none.
inline std::string JsonOf(const json::Node& row, std::string_view member) {
  const json::Node* found = row.Find(member);
  return found == nullptr ? "" : found->ToJson();
}

// The member as plain text; "" if there is none.
inline std::string TextOf(const json::Node& row, std::string_view member) {
  const json::Node* found = row.Find(member);
  return found == nullptr ? "" : found->text;
}

// The member as a message.
template <class Message>
Message MessageOf(const json::Node& node) {
  Message message;
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(node.ToJson(), &message).ok())
      << node.ToJson();
  return message;
}

// Finishes at once with what it was given.
class GivenJudging final : public Judging {
 public:
  explicit GivenJudging(absl::StatusOr<JudgeVerdict> verdict) : verdict_(std::move(verdict)) {}
  JudgeStep Next(JudgeEvent) override { return JudgeFinished{std::move(verdict_)}; }

 private:
  absl::StatusOr<JudgeVerdict> verdict_;
};

// The verdict of a row with `value` or `error`, and perhaps `confidence`.
inline JudgeVerdict VerdictOf(const json::Node& row) {
  JudgeVerdict verdict;
  verdict.source.set_kind(common::v1::SOURCE_KIND_LLM_JUDGE);
  verdict.source.set_id("fake:/model");
  common::v1::Feedback& feedback = verdict.feedback;
  if (row.Find("error") != nullptr) {
    feedback.set_outcome(common::v1::OUTCOME_ERROR);
    feedback.mutable_error()->set_code(TextOf(row, "error"));
  } else {
    feedback.set_outcome(common::v1::OUTCOME_VALUE);
    feedback.mutable_value()->set_json_text(JsonOf(row, "value"));
    feedback.set_rationale("its reasons");
  }
  if (const json::Node* confidence = row.Find("confidence")) {
    feedback.mutable_confidence()->set_value(confidence->AsDouble().value_or(0));
  }
  feedback.mutable_provenance()->set_model("fake:/model");
  feedback.mutable_provenance()->mutable_usage()->set_input_tokens(10);
  feedback.mutable_provenance()->mutable_usage()->set_model_calls(1);
  return verdict;
}

// A verdict that says more than its value: a part, and a further feedback for each of `names`.
inline JudgeVerdict VerdictWithMore(const std::vector<std::string>& names) {
  JudgeVerdict verdict;
  verdict.source.set_kind(common::v1::SOURCE_KIND_LLM_JUDGE);
  verdict.feedback.set_outcome(common::v1::OUTCOME_VALUE);
  verdict.feedback.mutable_value()->set_json_text("true");
  verdict.feedback.add_parts()->set_part("guidelines[0]");
  for (const std::string& name : names) {
    AdditionalFeedback& further = verdict.additional.emplace_back();
    further.assessment_name = name;
    further.span_id = "00000000000000ab";
    further.feedback.mutable_value()->set_json_text("0.5");
  }
  return verdict;
}

inline std::vector<std::string> FurtherNames(const JudgeVerdict& verdict) {
  std::vector<std::string> names;
  for (const AdditionalFeedback& further : verdict.additional) {
    names.push_back(further.assessment_name);
  }
  return names;
}

// Drives a judging whose parts finish at once; `asked` counts them.
inline absl::StatusOr<JudgeVerdict> DriveGiven(Judging& judging, int* asked) {
  JudgeStep step = judging.Next(JudgeStarted{});
  while (auto* all = std::get_if<CallAll>(&step)) {
    AllFinished finished;
    for (const auto& part : all->judgings) {
      ++*asked;
      finished.verdicts.push_back(std::get<JudgeFinished>(part->Next(JudgeStarted{})).verdict);
    }
    step = judging.Next(std::move(finished));
  }
  return std::move(std::get<JudgeFinished>(step).verdict);
}

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_KINDS_LABELLED_CASES_H_
