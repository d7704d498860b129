#include "common/judging/judge_path.h"

#include <string>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::judging {
namespace {

TEST(ParseJudgePath, TellsTheRootFromWhatIsBelow) {
  EXPECT_THAT(ParseJudgePath("outputs", "f"), IsOkAndHolds(JudgePath{PathRoot::kOutputs, ""}));
  EXPECT_THAT(ParseJudgePath("inputs.messages[-1].content", "f"),
              IsOkAndHolds(JudgePath{PathRoot::kInputs, "messages[-1].content"}));
  EXPECT_THAT(ParseJudgePath("expectations[0]", "f"),
              IsOkAndHolds(JudgePath{PathRoot::kExpectations, "[0]"}));
  EXPECT_THAT(ParseJudgePath("outputs.`odd name`", "f"),
              IsOkAndHolds(JudgePath{PathRoot::kOutputs, "`odd name`"}));
}

TEST(ParseJudgePath, RefusesWhatIsNone) {
  for (const std::string path :
       {"", "trace.spans", "output", "outputs.", "outputs..a", "outputs[", "outputs[x]",
        "outputs.`a", "Outputs.a", " outputs", "outputs\n.a", "outputs[1]a"}) {
    EXPECT_THAT(ParseJudgePath(path, "f", "INVALID_CONTEXT"), HasReason("INVALID_CONTEXT")) << path;
    EXPECT_THAT(ParseJudgePath(path, "f"), HasFieldViolation("f")) << path;
  }
  EXPECT_THAT(ParseJudgePath("outputs." + std::string(1'000, 'x'), "f"),
              HasReason("INVALID_FIELD"));
}

TEST(IsVariableName, TakesNamesOnly) {
  for (const char* name : {"a", "_a1", "Provided_Policies"}) EXPECT_TRUE(IsVariableName(name));
  for (const std::string name : {"", "1a", "a b", "a.b", "a\n", "ä"}) {
    EXPECT_FALSE(IsVariableName(name)) << name;
  }
  EXPECT_FALSE(IsVariableName(std::string(251, 'a')));
}

}  // namespace
}  // namespace assay::judging
