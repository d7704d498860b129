#include "services/judge/core/provenance_sum.h"

#include <string>
#include <utility>
#include <vector>

#include "common/json/json_value.h"
#include "common/status/errors.h"
#include "gtest/gtest.h"

namespace assay::judge {
namespace {

absl::StatusOr<JudgeVerdict> Asked(std::string model, int64_t input, int64_t output,
                                   int64_t latency) {
  JudgeVerdict verdict;
  common::v1::Provenance& provenance = *verdict.feedback.mutable_provenance();
  provenance.set_model(std::move(model));
  provenance.set_answered_by("m-1");
  provenance.set_prompt_sha256("aa");
  provenance.mutable_usage()->set_input_tokens(input);
  provenance.mutable_usage()->set_output_tokens(output);
  provenance.mutable_usage()->set_model_calls(1);
  provenance.set_attempts(1);
  provenance.set_latency_ms(latency);
  provenance.set_cost_usd(0.25);
  return verdict;
}

TEST(SumProvenanceTest, AddsTokensAttemptsAndCosts) {
  std::vector<absl::StatusOr<JudgeVerdict>> verdicts = {Asked("a:/m", 10, 5, 100),
                                                        Asked("a:/m", 20, 6, 300)};
  verdicts[1]->feedback.mutable_provenance()->set_repaired(true);
  const common::v1::Provenance sum = SumProvenance(verdicts, AskedHow::kAtTheSameTime);
  EXPECT_EQ(sum.usage().input_tokens(), 30);
  EXPECT_EQ(sum.usage().output_tokens(), 11);
  EXPECT_EQ(sum.usage().model_calls(), 2);
  EXPECT_EQ(sum.attempts(), 2);
  EXPECT_EQ(sum.latency_ms(), 300);
  EXPECT_EQ(sum.cost_usd(), 0.5);
  EXPECT_TRUE(sum.repaired());
  EXPECT_EQ(sum.model(), "a:/m");
  EXPECT_EQ(sum.prompt_sha256(), "aa");
  EXPECT_EQ(SumProvenance(verdicts, AskedHow::kInTurn).latency_ms(), 400);
}

TEST(SumProvenanceTest, NamesNoModelWhereThereWereSeveral) {
  std::vector<absl::StatusOr<JudgeVerdict>> verdicts = {Asked("a:/m", 1, 1, 1),
                                                        Asked("b:/m", 1, 1, 1)};
  verdicts[1]->feedback.mutable_provenance()->set_prompt_sha256("bb");
  const common::v1::Provenance sum = SumProvenance(verdicts, AskedHow::kAtTheSameTime);
  EXPECT_EQ(sum.model(), "");
  EXPECT_EQ(sum.answered_by(), "m-1");
  EXPECT_EQ(sum.prompt_sha256().size(), 64u);
}

TEST(SumProvenanceTest, KnowsNoCostIfOneIsNotKnown) {
  std::vector<absl::StatusOr<JudgeVerdict>> verdicts = {Asked("a:/m", 1, 1, 1),
                                                        Asked("b:/m", 1, 1, 1)};
  verdicts[1]->feedback.mutable_provenance()->clear_cost_usd();
  EXPECT_FALSE(SumProvenance(verdicts, AskedHow::kInTurn).has_cost_usd());
  // A model that was never reached cost nothing.
  verdicts[1]->feedback.mutable_provenance()->clear_usage();
  EXPECT_EQ(SumProvenance(verdicts, AskedHow::kInTurn).cost_usd(), 0.25);
}

TEST(SumProvenanceTest, IsCachedOnlyIfAllAnswersWere) {
  std::vector<absl::StatusOr<JudgeVerdict>> verdicts = {Asked("a:/m", 1, 1, 1),
                                                        Asked("a:/m", 1, 1, 1)};
  verdicts[0]->feedback.mutable_provenance()->set_cache_hit(true);
  EXPECT_FALSE(SumProvenance(verdicts, AskedHow::kInTurn).cache_hit());
  verdicts[1]->feedback.mutable_provenance()->set_cache_hit(true);
  EXPECT_TRUE(SumProvenance(verdicts, AskedHow::kInTurn).cache_hit());
  EXPECT_FALSE(
      SumProvenance(std::vector<const common::v1::Provenance*>{}, AskedHow::kInTurn).cache_hit());
}

TEST(SumProvenanceTest, LeavesOutCodeAndErrors) {
  const std::vector<absl::StatusOr<JudgeVerdict>> verdicts = {
      JudgeVerdict{}, absl::InternalError("bug"), Asked("a:/m", 3, 4, 5)};
  const common::v1::Provenance sum = SumProvenance(verdicts, AskedHow::kInTurn);
  EXPECT_EQ(sum.model(), "a:/m");
  EXPECT_EQ(sum.usage().input_tokens(), 3);
  EXPECT_EQ(sum.cost_usd(), 0.25);
}

TEST(PartOfTest, HoldsValueReasonsAndModel) {
  absl::StatusOr<JudgeVerdict> verdict = Asked("a:/m", 1, 1, 1);
  *verdict->feedback.mutable_value() = json::JsonFromText("true");
  verdict->feedback.set_rationale(std::string(5'000, 'x'));
  const common::v1::FeedbackPart part = PartOf("one", verdict);
  EXPECT_EQ(part.part(), "one");
  EXPECT_EQ(part.value().json_text(), "true");
  EXPECT_EQ(part.model(), "a:/m");
  EXPECT_LE(part.rationale().size(), 4'100u);
}

TEST(PartOfTest, NamesTheReasonOfAnError) {
  const auto part = PartOf("one", MakeError(absl::StatusCode::kUnavailable, "OVERLOADED", "full"));
  EXPECT_EQ(part.error().code(), "OVERLOADED");
  EXPECT_EQ(PartOf("one", absl::InternalError("bug")).error().code(), "JUDGE_FAILED");
}

}  // namespace
}  // namespace assay::judge
