#include "common/judging/template_variables.h"

#include <string>

#include "common/status/status_matchers.h"
#include "common/strings/strings.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::judging {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ParseTemplateVariables, GivesDistinctVariablesByFirstAppearance) {
  EXPECT_THAT(ParseTemplateVariables(
                  "{{outputs}} for {{ inputs }}, again {{  outputs\t}}, {{\ntrace }}", "f"),
              IsOkAndHolds(ElementsAre(
                  TemplateVariable{VariableKind::kOutputs, "outputs", {PathRoot::kOutputs, ""}},
                  TemplateVariable{VariableKind::kInputs, "inputs", {PathRoot::kInputs, ""}},
                  TemplateVariable{VariableKind::kTrace, "trace", {}})));
}

TEST(ParseTemplateVariables, TakesPathsAndNamedInputs) {
  EXPECT_THAT(ParseTemplateVariables(
                  "{{ outputs.message }} {{inputs.messages[0].content}} {{ provided_policies }} "
                  "{{ expectations.`odd name` }}",
                  "f", {{"provided_policies", "outputs.policies_followed"}, {"unused", "inputs"}}),
              IsOkAndHolds(ElementsAre(
                  TemplateVariable{
                      VariableKind::kOutputs, "outputs.message", {PathRoot::kOutputs, "message"}},
                  TemplateVariable{VariableKind::kInputs,
                                   "inputs.messages[0].content",
                                   {PathRoot::kInputs, "messages[0].content"}},
                  TemplateVariable{VariableKind::kOutputs,
                                   "provided_policies",
                                   {PathRoot::kOutputs, "policies_followed"}},
                  TemplateVariable{VariableKind::kExpectations,
                                   "expectations.`odd name`",
                                   {PathRoot::kExpectations, "`odd name`"}})));
}

TEST(ParseTemplateVariables, RefusesUnknownVariableNamingTheAllowedOnes) {
  for (const char* text :
       {"{{ inputs }} {{ question }}", "{{ trace.spans }}", "{{ Inputs }}", "{{ conversation[0] }}",
        "{{ inputsx }}", "{{ provided.x }}", "{{ größe }}", "{{{ question }}}"}) {
    const auto variables = ParseTemplateVariables(text, "definition.instructions.instructions",
                                                  {{"provided", "outputs"}});
    EXPECT_THAT(variables, HasReason("UNKNOWN_TEMPLATE_VARIABLE")) << text;
    EXPECT_THAT(variables, HasFieldViolation("definition.instructions.instructions"));
    EXPECT_THAT(variables.status(), StatusIs(absl::StatusCode::kInvalidArgument,
                                             ::testing::AllOf(HasSubstr("{{ expectations }}"),
                                                              HasSubstr("{{ conversation }}"),
                                                              HasSubstr("{{ provided }}"))));
  }
}

TEST(ParseTemplateVariables, RefusesTextWithoutVariable) {
  for (const char* text :
       {"", "rate it", "{ inputs }", "{{ 1inputs }}", "{{ inputs outputs }}", "{{ inputs }",
        "{{ inputs", "{{inputs} }", "{{ }}", "{{ inputs | upper }}", "{{", "{{ {{ }} }}",
        "{{ in{puts }}", "{{ .inputs }}", "{{ inputs .a }}"}) {
    EXPECT_THAT(ParseTemplateVariables(text, "f"), HasReason("MISSING_TEMPLATE_VARIABLE")) << text;
  }
}

TEST(ParseTemplateVariables, ReadsOnBehindWhatIsNoVariable) {
  for (const char* text :
       {"{{ {{ inputs }}", "{{{ inputs }}}", "{{ x {{inputs}}", "{{{{inputs}}"}) {
    EXPECT_THAT(ParseTemplateVariables(text, "f"),
                IsOkAndHolds(ElementsAre(::testing::Field(&TemplateVariable::name, "inputs"))))
        << text;
  }
}

TEST(ParseTemplateVariables, RefusesPathsThatCannotBeRead) {
  for (const char* text :
       {"{{ outputs. }}", "{{ outputs[x] }}", "{{ outputs[ }}", "{{ inputs..a }}",
        "{{ outputs.a | upper }}", "{{ inputs.`a }}", "{{ outputs[0]a }}"}) {
    const auto variables = ParseTemplateVariables(text, "f");
    EXPECT_THAT(variables, HasReason("INVALID_TEMPLATE_VARIABLES")) << text;
    EXPECT_THAT(variables, HasFieldViolation("f")) << text;
  }
}

TEST(ParseTemplateVariables, AllowsOnlyExpectationsBesideTheConversation) {
  EXPECT_OK(ParseTemplateVariables("{{ conversation }} {{ expectations.tone }}", "f"));
  EXPECT_OK(ParseTemplateVariables("{{ conversation }} {{ tone }}", "f",
                                   {{"tone", "expectations.tone"}}));
  for (const char* text : {"{{ conversation }} {{ inputs }}", "{{ outputs.a }} {{ conversation }}",
                           "{{ trace }} {{ conversation }}", "{{ conversation }} {{ mine }}"}) {
    const auto variables = ParseTemplateVariables(text, "f", {{"mine", "inputs.x"}});
    EXPECT_THAT(variables, HasReason("INVALID_TEMPLATE_VARIABLES")) << text;
    EXPECT_THAT(variables.status(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("only {{ expectations }}")));
  }
}

TEST(ParseTemplateVariables, BoundsHowManyThereAre) {
  std::string text;
  for (int i = 0; i < 100; ++i) StrAppend(&text, "{{ inputs.a", i, " }}");
  EXPECT_OK(ParseTemplateVariables(text + "{{ inputs.a7 }}", "f"));
  EXPECT_THAT(ParseTemplateVariables(text + "{{ outputs }}", "f"),
              HasReason("INVALID_TEMPLATE_VARIABLES"));
}

}  // namespace
}  // namespace assay::judging
