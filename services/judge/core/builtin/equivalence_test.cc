#include "services/judge/core/builtin/equivalence.h"

#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace assay::judge {
namespace {

std::string Decided(std::string_view response, std::string_view expected) {
  const std::optional<CodeDecision> decision = EquivalentByCode(response, expected);
  if (!decision.has_value()) return "model";
  EXPECT_FALSE(decision->why.empty());
  return decision->yes ? "yes" : "no";
}

TEST(EquivalentByCode, DecidesNumbersWithinRounding) {
  EXPECT_EQ(Decided("0.30000000000000004", "0.3"), "yes");
  EXPECT_EQ(Decided("1", "1.0000000001"), "yes");
  EXPECT_EQ(Decided("1", "1.00000001"), "no");
  EXPECT_EQ(Decided("-1", "1"), "no");
  EXPECT_EQ(Decided("0", "-0.0"), "yes");
}

TEST(EquivalentByCode, ReadsNumbersInTextsButNotWords) {
  EXPECT_EQ(Decided("\" 42 \"", "42.0"), "yes");
  EXPECT_EQ(Decided("\"4.2e1\"", "\"42\""), "yes");
  EXPECT_EQ(Decided("\"42\"", "\"43\""), "model");
  EXPECT_EQ(Decided("\"inf\"", "\"Infinity\""), "model");
  EXPECT_EQ(Decided("\"\"", "0"), "model");
  EXPECT_EQ(Decided("\"1e999\"", "\"2e999\""), "model");
}

TEST(EquivalentByCode, DecidesEqualTextsAndValues) {
  EXPECT_EQ(Decided("\"a\\n\"", "\" a\""), "yes");
  EXPECT_EQ(Decided("\"\"", "\" \""), "yes");
  EXPECT_EQ(Decided("{\"a\":1,\"b\":null}", "{\"b\":null,\"a\":1.0}"), "yes");
  EXPECT_EQ(Decided("true", "false"), "no");
  EXPECT_EQ(Decided("null", "null"), "yes");
}

TEST(EquivalentByCode, LeavesMeaningToAModel) {
  EXPECT_EQ(Decided("\"Yes\"", "\"yes\""), "model");
  EXPECT_EQ(Decided("true", "\"true\""), "model");
  EXPECT_EQ(Decided("[1,2]", "[2,1]"), "model");
  EXPECT_EQ(Decided("no json", "1"), "model");
}

}  // namespace
}  // namespace assay::judge
