#include "common/judging/template_variables.h"

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::judging {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ParseTemplateVariables, GivesDistinctVariablesByFirstAppearance) {
  EXPECT_THAT(ParseTemplateVariables(
                  "{{outputs}} for {{ inputs }}, again {{  outputs\t}}, {{ trace }}", "f"),
              IsOkAndHolds(ElementsAre(TemplateVariable::kOutputs, TemplateVariable::kInputs,
                                       TemplateVariable::kTrace)));
}

TEST(ParseTemplateVariables, RefusesUnknownVariableNamingTheAllowedOnes) {
  for (const char* text :
       {"{{ inputs }} {{ question }}", "{{ inputs.issue }}", "{{ conversation }}"}) {
    const auto variables = ParseTemplateVariables(text, "definition.instructions.instructions");
    EXPECT_THAT(variables, HasReason("UNKNOWN_TEMPLATE_VARIABLE"));
    EXPECT_THAT(variables, HasFieldViolation("definition.instructions.instructions"));
    EXPECT_THAT(variables.status(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("{{ expectations }}")));
  }
}

TEST(ParseTemplateVariables, RefusesTextWithoutVariable) {
  for (const char* text : {"", "rate it", "{ inputs }", "{{ 1inputs }}", "{{ inputs outputs }}"}) {
    EXPECT_THAT(ParseTemplateVariables(text, "f"), HasReason("MISSING_TEMPLATE_VARIABLE")) << text;
  }
}

}  // namespace
}  // namespace assay::judging
