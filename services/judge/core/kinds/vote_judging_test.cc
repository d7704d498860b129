#include "services/judge/core/kinds/vote_judging.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/status/status_matchers.h"
#include "gtest/gtest.h"
#include "services/judge/core/kinds/labelled_cases.h"

namespace assay::judge {
namespace {

JudgingSetup SetupOf(int samples) {
  auto definition = std::make_shared<registry::v1::JudgeDefinition>();
  definition->mutable_instructions()->set_instructions("{{ outputs }}");
  definition->mutable_confidence()->set_method(common::v1::CONFIDENCE_METHOD_VOTE_SHARE);
  definition->mutable_confidence()->set_samples(samples);
  JudgingSetup setup;
  setup.definition = definition;
  setup.idempotency_key = "key";
  return setup;
}

absl::StatusOr<JudgeVerdict> Vote(const std::vector<std::string>& rows) {
  size_t next = 0;
  absl::StatusOr<std::unique_ptr<Judging>> judging = MakeVoteJudging(
      SetupOf(static_cast<int>(rows.size())), [&](const JudgingSetup&) -> std::unique_ptr<Judging> {
        return std::make_unique<GivenJudging>(VerdictOf(*json::ParseJson(rows[next++])));
      });
  if (!judging.ok()) return judging.status();
  int asked = 0;
  return DriveGiven(**judging, &asked);
}

TEST(VoteJudgingTest, TakesTheMostFrequentValueWithItsShare) {
  ASSAY_ASSERT_OK_AND_ASSIGN(const JudgeVerdict verdict,
                             Vote({R"({"value":2})", R"({"value":3})", R"({"value":3.0})",
                                   R"({"value":1})", R"({"value":3})"}));
  EXPECT_EQ(verdict.feedback.value().json_text(), "3");
  EXPECT_DOUBLE_EQ(verdict.feedback.confidence().value(), 0.6);
  EXPECT_EQ(verdict.feedback.confidence().method(), common::v1::CONFIDENCE_METHOD_VOTE_SHARE);
  EXPECT_EQ(verdict.feedback.confidence().samples(), 5);
  EXPECT_EQ(verdict.feedback.parts_size(), 5);
  EXPECT_EQ(verdict.feedback.rationale(), "its reasons");
  EXPECT_EQ(verdict.feedback.provenance().usage().input_tokens(), 50);
  EXPECT_EQ(verdict.source.id(), "fake:/model");
}

TEST(VoteJudgingTest, PrefersTheFirstOfEquallyFrequentValues) {
  ASSAY_ASSERT_OK_AND_ASSIGN(const JudgeVerdict verdict,
                             Vote({R"({"value":"b"})", R"({"value":"a"})"}));
  EXPECT_EQ(verdict.feedback.value().json_text(), "\"b\"");
  EXPECT_EQ(verdict.feedback.confidence().value(), 0.5);
}

TEST(VoteJudgingTest, CountsSamplesWithoutAValue) {
  ASSAY_ASSERT_OK_AND_ASSIGN(const JudgeVerdict verdict,
                             Vote({R"({"error":"MODEL_UNREACHABLE"})", R"({"value":true})",
                                   R"({"value":true})", R"({"error":"MODEL_UNREACHABLE"})"}));
  EXPECT_EQ(verdict.feedback.value().json_text(), "true");
  EXPECT_EQ(verdict.feedback.confidence().value(), 0.5);
}

TEST(VoteJudgingTest, IsAnErrorWithoutAnyValue) {
  ASSAY_ASSERT_OK_AND_ASSIGN(const JudgeVerdict verdict,
                             Vote({R"({"error":"MODEL_REFUSED"})", R"({"error":"OTHER"})"}));
  EXPECT_EQ(verdict.feedback.error().code(), "MODEL_REFUSED");
  EXPECT_FALSE(verdict.feedback.has_confidence());
}

TEST(VoteJudgingTest, NumbersItsSamples) {
  std::set<int> samples;
  std::set<std::string> keys;
  const JudgingSetup setup = SetupOf(0);
  ASSERT_TRUE(CountsVotes(setup));
  ASSERT_OK(MakeVoteJudging(setup, [&](const JudgingSetup& sample) -> std::unique_ptr<Judging> {
    EXPECT_FALSE(CountsVotes(sample));
    samples.insert(sample.sample);
    keys.insert(sample.idempotency_key);
    return std::make_unique<GivenJudging>(JudgeVerdict{});
  }));
  EXPECT_EQ(samples, (std::set<int>{0, 1, 2, 3, 4})) << "five by default";
  EXPECT_EQ(keys.size(), 5u);
}

}  // namespace
}  // namespace assay::judge
