#include "services/trace/core/search/judge_calls.h"

#include "common/filter/ast.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::trace {
namespace {

std::string Parsed(std::string_view text) {
  const absl::StatusOr<filter::Filter> parsed = ParseTraceFilter(text);
  return parsed.ok() ? filter::ExprText(parsed->root()) : parsed.status().ToString();
}

TEST(ParseTraceFilter, LeavesOutJudgeCallsWhereTheFilterDoesNotNameThem) {
  const std::string none = "NOT (metadata.assay_judge_call : *)";
  EXPECT_EQ(Parsed(""), none);
  EXPECT_EQ(Parsed("state = OK"), "state = OK AND " + none);
  EXPECT_EQ(Parsed("state = OK AND user = \"u\""), "state = OK AND user = \"u\" AND " + none);
  EXPECT_EQ(Parsed("state = OK OR user = \"u\""), "(state = OK OR user = \"u\") AND " + none);
  EXPECT_EQ(Parsed("metadata.other : *"), "metadata.other : * AND " + none);
}

TEST(ParseTraceFilter, TakesAFilterThatNamesThemAsItIs) {
  for (const char* text :
       {"metadata.assay_judge_call : *", "state = OK AND metadata.assay_judge_call = \"quality\"",
        "state = OK OR NOT (metadata.assay_judge_call : *)"}) {
    EXPECT_EQ(Parsed(text), text);
  }
}

TEST(ParseTraceFilter, RefusesWhatTheGrammarRefuses) {
  EXPECT_THAT(ParseTraceFilter("state ="), HasReason("INVALID_FILTER"));
  EXPECT_THAT(ParseTraceFilter("nonsense = 1"), HasReason("INVALID_FILTER"));
}

}  // namespace
}  // namespace assay::trace
