#include "common/judging/scorer_definition.h"

#include <limits>
#include <string>

#include "common/judging/judge_definition.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::judging {
namespace {

registry::v1::JudgeDefinition Definition() {
  registry::v1::JudgeDefinition definition;
  definition.mutable_scorer()->set_address("127.0.0.1:7000");
  definition.mutable_scorer()->set_scorer("politeness");
  return definition;
}

absl::Status Check(const registry::v1::JudgeDefinition& definition) {
  return ValidateJudgeDefinition(definition, "definition");
}

TEST(ScorerDefinition, TakesAddressesOfAnyMachine) {
  for (const char* address : {"127.0.0.1:1", "[::1]:65535", "scorers.example.org:443"}) {
    registry::v1::JudgeDefinition definition = Definition();
    definition.mutable_scorer()->set_address(address);
    EXPECT_THAT(Check(definition), IsOk()) << address;
  }
}

TEST(ScorerDefinition, RefusesWhatIsNoAddress) {
  for (const std::string& address :
       {std::string(), std::string("host"), std::string("host:0"), std::string("host:99999"),
        std::string("unix:/run/x"), std::string(400, 'a') + ":80"}) {
    registry::v1::JudgeDefinition definition = Definition();
    definition.mutable_scorer()->set_address(address);
    const absl::Status status = Check(definition);
    ASSERT_THAT(status, HasReason("INVALID_FIELD")) << address;
    EXPECT_EQ(FieldViolations(status)[0].field, "definition.scorer.address");
  }
}

TEST(ScorerDefinition, RefusesNamesAndNumbersOutOfBounds) {
  registry::v1::JudgeDefinition definition = Definition();
  definition.mutable_scorer()->clear_scorer();
  EXPECT_THAT(Check(definition), HasReason("INVALID_FIELD"));
  definition = Definition();
  definition.mutable_scorer()->set_scorer(std::string(251, 'x'));
  EXPECT_THAT(Check(definition), HasReason("INVALID_FIELD"));
  for (const double seconds : {-1.0, 601.0, std::numeric_limits<double>::quiet_NaN(),
                               std::numeric_limits<double>::infinity()}) {
    definition = Definition();
    definition.mutable_scorer()->set_timeout_seconds(seconds);
    EXPECT_THAT(Check(definition), HasReason("INVALID_FIELD")) << seconds;
  }
  for (const int concurrency : {-1, 1'001}) {
    definition = Definition();
    definition.mutable_scorer()->set_max_concurrency(concurrency);
    EXPECT_THAT(Check(definition), HasReason("INVALID_FIELD")) << concurrency;
  }
}

TEST(ScorerDefinition, MayDeclareTheTypeOfItsValues) {
  registry::v1::JudgeDefinition definition = Definition();
  EXPECT_EQ(EffectiveValueType(definition).kind_case(), common::v1::ValueType::KIND_NOT_SET);
  definition.mutable_value_type()->mutable_bool_type();
  EXPECT_THAT(Check(definition), IsOk());
  EXPECT_TRUE(EffectiveValueType(definition).has_bool_type());
  definition.mutable_value_type()->mutable_category_type();
  EXPECT_THAT(Check(definition), HasReason("INVALID_VALUE_TYPE"));
}

TEST(ScorerDefinition, RefusesWhatOnlyModelsTake) {
  registry::v1::JudgeDefinition definition = Definition();
  definition.add_fallback_models("openai:/gpt");
  EXPECT_FALSE(Check(definition).ok());
  definition = Definition();
  definition.mutable_memory()->add_guidelines()->set_text("Be kind.");
  EXPECT_FALSE(Check(definition).ok());
}

}  // namespace
}  // namespace assay::judging
