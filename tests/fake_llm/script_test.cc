#include "tests/fake_llm/script.h"

#include <string>

#include "common/status/status_matchers.h"

namespace assay::fake_llm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(ParseScriptTest, ReadsEveryField) {
  ASSAY_ASSERT_OK_AND_ASSIGN(Script script, ParseScript(R"({
      "latency_ms": 50, "latency_jitter_ms": 10, "seed": 7, "structured_output": false, "api_key": "k",
      "log_prompts": false, "canned_content": "{}", "canned_body": "{}", "positive": ["nice"], "first_is_best": false,
      "noise": 0.1, "item_marker": "ITEM",
      "sequence": [{"fault": "status", "status": 429, "retry_after": "2", "times": 3}, {"fault": "ok"}],
      "faults": [{"fault": "hang", "probability": 0.5, "contains": "poison", "max_attempt": 2}],
      "rules": [{"trigger": "refund", "guidelines": ["a", "b"], "set": {"x": 1}},
                {"trigger": "late", "guidelines": ["c"], "shift": -1}],
      "distillation": {"right_probability": 0.9, "junk": 1, "duplicates": 2, "contradictions": 3,
                       "malformed_probability": 0.2},
      "tool_rounds": [{"calls": [{"name": "f", "arguments": {"x": 1}}, {"name": "g", "arguments": "{"}]}],
      "repeat_tool_rounds": true})"));
  EXPECT_TRUE(script.repeat_tool_rounds);
  ASSERT_THAT(script.tool_rounds, SizeIs(1));
  EXPECT_EQ(script.tool_rounds[0][0].arguments, R"({"x":1})");
  EXPECT_EQ(script.tool_rounds[0][1].arguments, "{");
  EXPECT_EQ(script.latency_ms, 50);
  EXPECT_EQ(script.seed, 7u);
  EXPECT_FALSE(script.structured_output);
  EXPECT_THAT(script.positive, ElementsAre("nice"));
  ASSERT_THAT(script.sequence, SizeIs(2));
  EXPECT_EQ(script.sequence[0].kind, FaultKind::kStatus);
  EXPECT_EQ(script.sequence[0].status, 429);
  EXPECT_EQ(script.sequence[0].retry_after, "2");
  EXPECT_EQ(script.sequence[0].times, 3);
  ASSERT_THAT(script.faults, SizeIs(1));
  EXPECT_EQ(script.faults[0].kind, FaultKind::kHang);
  EXPECT_EQ(script.faults[0].contains, "poison");
  ASSERT_THAT(script.rules, SizeIs(2));
  EXPECT_EQ(script.rules[0].set_json, R"({"x":1})");
  EXPECT_EQ(script.rules[1].shift, -1);
  EXPECT_EQ(script.distillation.contradictions, 3);
}

TEST(ParseScriptTest, EmptyObjectIsTheDefault) {
  ASSAY_ASSERT_OK_AND_ASSIGN(Script script, ParseScript("{}"));
  EXPECT_EQ(script.latency_ms, 0);
  EXPECT_TRUE(script.structured_output);
}

TEST(ParseScriptTest, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(ParseScript("{"), HasReason("INVALID_JSON"));
  EXPECT_THAT(ParseScript("[]"), HasReason("INVALID_SCRIPT"));
  EXPECT_THAT(ParseScript(R"({"latency": 5})"), HasFieldViolation("latency"));
  EXPECT_THAT(ParseScript(R"({"latency_ms": "5"})"), HasFieldViolation("latency_ms"));
  EXPECT_THAT(ParseScript(R"({"sequence": [{"fault": "boom"}]})"),
              HasFieldViolation("sequence[0].fault"));
  EXPECT_THAT(ParseScript(R"({"rules": [{"trigger": "x"}]})"),
              HasFieldViolation("rules[0].guidelines"));
  EXPECT_THAT(ParseScript(R"({"distillation": {"junk": 1, "more": 1}})"),
              HasFieldViolation("distillation.more"));
}

TEST(FaultNameTest, IsReadBack) {
  for (int i = 0; i <= static_cast<int>(FaultKind::kEndlessBody); ++i) {
    const auto kind = static_cast<FaultKind>(i);
    EXPECT_EQ(FaultFromName(FaultName(kind)), kind);
  }
}

}  // namespace
}  // namespace assay::fake_llm
