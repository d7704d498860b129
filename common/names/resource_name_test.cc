#include "common/names/resource_name.h"

#include <set>
#include <string>
#include <string_view>

#include "common/names/random_id.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::names {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kTraceId = "0af7651916cd43dd8448eb211c80319c";
constexpr std::string_view kSpanId = "b7ad6b7169203331";

template <class Name>
std::string RoundTrip(const std::string& text) {
  const auto name = Name::Parse(text);
  return name.ok() ? name->ToString() : name.status().ToString();
}

TEST(SlugTest, HasThePattern) {
  for (const std::string_view good : {"a", "0", "support_quality", "a-b", "a__b"}) {
    EXPECT_TRUE(IsSlug(good)) << good;
  }
  EXPECT_TRUE(IsSlug(std::string(63, 'a')));
  EXPECT_FALSE(IsSlug(std::string(64, 'a')));
  for (const std::string_view bad :
       {"", "A", "_a", "a_", "-a", "a-", "a b", "a.b", "é", "a/b", "a\n"}) {
    EXPECT_FALSE(IsSlug(bad)) << bad;
    EXPECT_THAT(CheckSlug(bad, "judge_id"),
                AllOf(HasReason("INVALID_ID"), HasFieldViolation("judge_id")));
  }
}

TEST(ResourceNameTest, RoundTrips) {
  const std::string trace = "experiments/support/traces/" + std::string(kTraceId);
  const std::string span = trace + "/spans/" + std::string(kSpanId);
  EXPECT_EQ(RoundTrip<ExperimentName>("experiments/support"), "experiments/support");
  EXPECT_EQ(RoundTrip<JudgeName>("experiments/e/judges/j_1"), "experiments/e/judges/j_1");
  EXPECT_EQ(RoundTrip<JudgeRevisionName>("experiments/e/judges/j/revisions/12"),
            "experiments/e/judges/j/revisions/12");
  EXPECT_EQ(RoundTrip<TraceName>(trace), trace);
  EXPECT_EQ(RoundTrip<SpanName>(span), span);
  EXPECT_EQ(RoundTrip<AssessmentName>("experiments/e/assessments/a"),
            "experiments/e/assessments/a");
  EXPECT_EQ(RoundTrip<EvaluationName>("experiments/e/evaluations/a"),
            "experiments/e/evaluations/a");
  EXPECT_EQ(RoundTrip<AlignmentName>("experiments/e/alignments/a"), "experiments/e/alignments/a");
  EXPECT_EQ(RoundTrip<DatasetName>("experiments/e/datasets/a"), "experiments/e/datasets/a");
  EXPECT_EQ(RoundTrip<MonitorName>("experiments/e/monitors/a"), "experiments/e/monitors/a");
  EXPECT_EQ(RoundTrip<ReviewQueueName>("experiments/e/reviewQueues/a"),
            "experiments/e/reviewQueues/a");
  EXPECT_EQ(RoundTrip<LabelSchemaName>("experiments/e/labelSchemas/a"),
            "experiments/e/labelSchemas/a");
}

TEST(ResourceNameTest, RefusesAndShowsThePattern) {
  EXPECT_THAT(TraceName::Parse("experiments/e/traces/xyz", "trace"),
              AllOf(HasReason("INVALID_NAME"), HasFieldViolation("trace"),
                    StatusIs(absl::StatusCode::kInvalidArgument,
                             HasSubstr("experiments/{experiment}/traces/{trace"))));
  EXPECT_THAT(ExperimentName::Parse(""),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("required")));
  for (const std::string_view bad :
       {"experiments", "experiments/", "experiments/e/", "/experiments/e", "experiment/e",
        "experiments/E", "experiments/e/judges/j", "experiments/a b"}) {
    EXPECT_THAT(ExperimentName::Parse(bad), HasReason("INVALID_NAME")) << bad;
  }
  EXPECT_THAT(TraceName::Parse("experiments/e/traces/" + std::string(32, '0')),
              HasReason("INVALID_NAME"));
  EXPECT_THAT(TraceName::Parse("experiments/e/traces/" + std::string(32, 'A')),
              HasReason("INVALID_NAME"));
  for (const std::string_view bad : {"0", "01", "-1", "1.5", "x", "", "99999999999999999999"}) {
    EXPECT_THAT(JudgeRevisionName::Parse("experiments/e/judges/j/revisions/" + std::string(bad)),
                HasReason("INVALID_NAME"))
        << bad;
  }
}

TEST(ResourceNameTest, ErrorsStayShortForLongNames) {
  const absl::Status status = ExperimentName::Parse(std::string(100000, 'x')).status();
  EXPECT_LT(status.message().size(), 1000u);
}

TEST(JudgeRefTest, NamesRevisionsAndAliases) {
  ASSAY_ASSERT_OK_AND_ASSIGN(JudgeRef ref, JudgeRef::Parse("experiments/e/judges/j"));
  EXPECT_TRUE(ref.IsLatest());
  EXPECT_EQ(ref.ToString(), "experiments/e/judges/j@latest");
  EXPECT_TRUE(JudgeRef::Parse("experiments/e/judges/j@latest")->IsLatest());
  ASSAY_ASSERT_OK_AND_ASSIGN(ref, JudgeRef::Parse("experiments/e/judges/j@production"));
  EXPECT_EQ(ref.alias, "production");
  EXPECT_FALSE(ref.IsLatest());
  ASSAY_ASSERT_OK_AND_ASSIGN(ref, JudgeRef::Parse("experiments/e/judges/j@3"));
  EXPECT_EQ(ref.revision, 3);
  EXPECT_EQ(ref.ToString(), "experiments/e/judges/j/revisions/3");
  EXPECT_EQ(JudgeRef::Parse(ref.ToString()).value(), ref);
  for (const std::string_view bad :
       {"", "j", "judges/j", "experiments/e/judges/j@", "experiments/e/judges/j@0",
        "experiments/e/judges/j@A", "experiments/e/judges/j@a@b", "experiments/e/judges/@a",
        "experiments/e/judges/j@03"}) {
    EXPECT_THAT(JudgeRef::Parse(bad), AllOf(HasReason("INVALID_NAME"), HasFieldViolation("judge")))
        << bad;
  }
}

TEST(AliasTest, RefusesReservedWords) {
  EXPECT_OK(CheckAlias("production", "alias"));
  EXPECT_OK(CheckAlias("v2", "alias"));
  for (const std::string_view bad : {"latest", "12", "", "Prod"}) {
    EXPECT_THAT(CheckAlias(bad, "alias"), HasReason("INVALID_ID")) << bad;
  }
}

TEST(SessionNameTest, EscapesAnyText) {
  const SessionName session{"e", "user 42/über@x%"};
  EXPECT_EQ(session.ToString(), "experiments/e/sessions/user%2042%2F%C3%BCber%40x%25");
  EXPECT_EQ(SessionName::Parse(session.ToString()).value(), session);
  const std::string prefix = "experiments/e/sessions/";
  EXPECT_OK(SessionName::Parse(prefix + std::string(250, 's')));
  EXPECT_THAT(SessionName::Parse(prefix + std::string(251, 's')), HasReason("INVALID_NAME"));
  for (const std::string_view bad : {"", "%", "%2", "%zz", "a/b", "%FF"}) {
    EXPECT_THAT(SessionName::Parse(prefix + std::string(bad)), HasReason("INVALID_NAME")) << bad;
  }
}

TEST(RandomIdTest, IsUniqueAndWellFormed) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(RandomId("eval"));
  EXPECT_EQ(ids.size(), 1000u);
  EXPECT_THAT(*ids.begin(), StartsWith("eval-"));
  EXPECT_TRUE(IsSlug(*ids.begin()));
  EXPECT_EQ(RandomId().size(), 32u);
  EXPECT_TRUE(IsTraceId(RandomTraceId()));
  EXPECT_TRUE(IsSpanId(RandomSpanId()));
}

}  // namespace
}  // namespace assay::names
