#include "services/judge/core/builtin/tool_calls.h"

#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace assay::judge {
namespace {

TracedToolCall Made(std::string name, std::string arguments = "") {
  return {std::move(name), std::move(arguments), "", false};
}

ExpectedToolCall Expected(std::string name, std::optional<std::string> arguments = std::nullopt) {
  return {std::move(name), std::move(arguments)};
}

bool Same(std::vector<TracedToolCall> made, std::vector<ExpectedToolCall> expected,
          bool in_order = false) {
  const CodeDecision decision = CompareToolCalls(made, expected, in_order);
  EXPECT_FALSE(decision.why.empty());
  return decision.yes;
}

TEST(CompareToolCalls, CountsEqualCalls) {
  EXPECT_TRUE(Same({Made("a"), Made("a")}, {Expected("a"), Expected("a")}));
  EXPECT_FALSE(Same({Made("a"), Made("a")}, {Expected("a")}));
  EXPECT_FALSE(
      Same({Made("a"), Made("a"), Made("b")}, {Expected("a"), Expected("b"), Expected("b")}));
}

TEST(CompareToolCalls, GivesCallsWithArgumentsTheirOwnFirst) {
  // The call that takes any arguments must not take the only one that fits the other.
  EXPECT_TRUE(Same({Made("a", "{\"x\":1}"), Made("a", "{\"x\":2}")},
                   {Expected("a"), Expected("a", "{\"x\":1}")}));
  EXPECT_FALSE(Same({Made("a", "{\"x\":2}"), Made("a", "{\"x\":2}")},
                    {Expected("a"), Expected("a", "{\"x\":1}")}));
}

TEST(CompareToolCalls, ComparesArgumentsAsJson) {
  EXPECT_TRUE(
      Same({Made("a", "{ \"y\": 1.0, \"x\": [ ] }")}, {Expected("a", "{\"x\":[],\"y\":1}")}));
  EXPECT_TRUE(Same({Made("a")}, {Expected("a", "{}")}));
  EXPECT_TRUE(Same({Made("a", "null")}, {Expected("a", "{}")}));
  EXPECT_FALSE(Same({Made("a", "no json")}, {Expected("a", "{}")}));
}

TEST(CompareToolCalls, ComparesPlaceByPlaceInOrder) {
  EXPECT_TRUE(Same({Made("a"), Made("b")}, {Expected("a"), Expected("b")}, true));
  EXPECT_FALSE(Same({Made("b"), Made("a")}, {Expected("a"), Expected("b")}, true));
  EXPECT_TRUE(Same({Made("b"), Made("a")}, {Expected("a"), Expected("b")}));
}

}  // namespace
}  // namespace assay::judge
