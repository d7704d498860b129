#include "services/feedback/core/assessment_search.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "services/feedback/core/assessment_filter.h"
#include "services/feedback/core/assessment_validation.h"
#include "services/feedback/testing/example_assessments.h"
#include "services/feedback/testing/in_memory_feedback.h"

namespace assay::feedback {
namespace {

constexpr auto kHuman = common::v1::SOURCE_KIND_HUMAN;
constexpr auto kJudge = common::v1::SOURCE_KIND_LLM_JUDGE;

class AssessmentSearchTest : public testing::Test {
 protected:
  void Insert(const std::string& id, v1::Assessment assessment, bool valid = true) {
    assessment = *KeptAssessment({"support"}, assessment, "assessment");
    assessment.set_name("experiments/support/assessments/" + id);
    assessment.set_valid(valid);
    EXPECT_THAT(Await<Written>([&](Done<Written> done) {
                  feedback_.store->Insert({}, {assessment}, FeedbackStore::IfTaken::kRefuse,
                                          std::move(done));
                }),
                IsOk());
  }
  static v1::SearchAssessmentsRequest Request(const std::string& filter, int page_size = 0) {
    v1::SearchAssessmentsRequest request;
    request.set_parent("experiments/support");
    request.set_filter(filter);
    request.set_page_size(page_size);
    return request;
  }
  static std::vector<std::string> Ids(const v1::SearchAssessmentsResponse& response) {
    std::vector<std::string> ids;
    for (const v1::Assessment& assessment : response.assessments()) {
      ids.push_back(names::AssessmentName::Parse(assessment.name())->assessment);
    }
    return ids;
  }
  std::vector<std::string> Search(const std::string& filter) {
    absl::StatusOr<v1::SearchAssessmentsResponse> response = search_.Search(Request(filter));
    EXPECT_THAT(response, IsOk());
    return response.ok() ? Ids(*response) : std::vector<std::string>();
  }

  InMemoryFeedback feedback_;
  AssessmentSearch search_{*feedback_.store};
};

TEST_F(AssessmentSearchTest, FiltersByEveryField) {
  v1::Assessment rated = ExampleFeedback(1, kHuman, "4.5");
  rated.mutable_target()->set_span_id("00f067aa0ba902b7");
  rated.mutable_source()->set_id("ann");
  rated.set_evaluation("experiments/support/evaluations/e1");
  (*rated.mutable_metadata())["team.name"] = "blue";
  Insert("rated", rated);
  Insert("judged", ExampleFeedback(2, kJudge));
  Insert("expected", ExampleExpectation(2));
  for (const char* filter :
       {"source = HUMAN AND kind = FEEDBACK", "source_id = \"ann\"", "value > 4",
        "span_id = \"00f067aa0ba902b7\"", "evaluation = \"experiments/support/evaluations/e1\"",
        "metadata.team.name = \"blue\""}) {
    EXPECT_THAT(Search(filter), testing::ElementsAre("rated")) << filter;
  }
  EXPECT_THAT(Search("value = \"good\""), testing::ElementsAre("judged"));
  EXPECT_THAT(Search("kind = EXPECTATION"), testing::ElementsAre("expected"));
  EXPECT_THAT(Search("outcome = VALUE"), testing::ElementsAre("rated", "judged"));
  EXPECT_THAT(Search("assessment_name = \"expected_answer\""), testing::ElementsAre("expected"));
  EXPECT_THAT(Search("trace_id = \"" + TraceId(2) + "\""),
              testing::ElementsAre("judged", "expected"));
  EXPECT_THAT(Search("create_time > \"2030-01-01T00:00:00Z\""), testing::IsEmpty());
}

TEST_F(AssessmentSearchTest, AListMatchesByAnyOfItsElements) {
  Insert("list", ExampleFeedback(1, kHuman, "[\"rude\", \"late\"]"));
  EXPECT_THAT(Search("value = \"late\""), testing::ElementsAre("list"));
  EXPECT_THAT(Search("value = \"polite\""), testing::IsEmpty());
}

TEST_F(AssessmentSearchTest, LeavesOutTheInvalidUnlessAsked) {
  Insert("old", ExampleFeedback(1, kHuman), /*valid=*/false);
  Insert("new", ExampleFeedback(1, kHuman));
  EXPECT_THAT(Search(""), testing::ElementsAre("new"));
  v1::SearchAssessmentsRequest request = Request("");
  request.set_include_invalid(true);
  EXPECT_THAT(Ids(*search_.Search(request)), testing::ElementsAre("old", "new"));
}

TEST_F(AssessmentSearchTest, PagesAreOldestFirstAndEnd) {
  for (int i = 0; i < 5; ++i) Insert("a" + std::to_string(i), ExampleFeedback(1, kHuman));
  v1::SearchAssessmentsRequest request = Request("source = HUMAN", 2);
  std::vector<std::string> ids;
  int pages = 0;
  do {
    const v1::SearchAssessmentsResponse page = *search_.Search(request);
    for (const std::string& id : Ids(page)) ids.push_back(id);
    request.set_page_token(page.next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_THAT(ids, testing::ElementsAre("a0", "a1", "a2", "a3", "a4"));
  EXPECT_EQ(pages, 3);
}

TEST_F(AssessmentSearchTest, BadRequestsSayWhatIsWrong) {
  Insert("a", ExampleFeedback(1, kHuman));
  Insert("b", ExampleFeedback(1, kHuman));
  const absl::Status bad = search_.Search(Request("kind = FEEDBACK AND colour = 3")).status();
  EXPECT_THAT(bad, HasReason("INVALID_FILTER"));
  EXPECT_EQ(ErrorMetadata(bad, "column"), "21");
  EXPECT_THAT(search_.Search(Request("", -1)), HasFieldViolation("page_size"));
  v1::SearchAssessmentsRequest request = Request("", 1);
  request.set_page_token(search_.Search(request)->next_page_token());
  request.set_filter("source = HUMAN");
  EXPECT_THAT(search_.Search(request), HasReason("INVALID_PAGE_TOKEN"));
  request.set_page_token("junk");
  EXPECT_THAT(search_.Search(request), HasReason("INVALID_PAGE_TOKEN"));
  request.set_parent("support");
  EXPECT_THAT(search_.Search(request), HasFieldViolation("parent"));
}

TEST_F(AssessmentSearchTest, OnlyADemandedTraceNarrowsTheSearch) {
  const auto demanded = [](const std::string& filter) {
    return DemandedTrace(*ParseAssessmentFilter(filter));
  };
  EXPECT_EQ(demanded("trace_id = \"t\""), "t");
  EXPECT_EQ(demanded("kind = FEEDBACK AND trace_id = \"t\""), "t");
  EXPECT_EQ(demanded("kind = FEEDBACK OR trace_id = \"t\""), "");
  EXPECT_EQ(demanded("NOT trace_id = \"t\""), "");
  EXPECT_EQ(demanded("trace_id != \"t\""), "");
  EXPECT_EQ(demanded(""), "");
}

class ListAssessedTracesTest : public AssessmentSearchTest {
 protected:
  static v1::ListAssessedTracesRequest ListRequest(std::vector<common::v1::SourceKind> kinds) {
    v1::ListAssessedTracesRequest request;
    request.set_parent("experiments/support");
    request.set_assessment_name("support_quality");
    for (const auto kind : kinds) request.add_source_kinds(kind);
    return request;
  }
};

TEST_F(ListAssessedTracesTest, PagesThroughTracesWithBothLabels) {
  for (int trace = 1; trace <= 6; ++trace) {
    Insert("j" + std::to_string(trace), ExampleFeedback(trace, kJudge));
    if (trace % 2 == 0) Insert("h" + std::to_string(trace), ExampleFeedback(trace, kHuman));
  }
  v1::ListAssessedTracesRequest request = ListRequest({kHuman, kJudge});
  request.set_page_size(2);
  const v1::ListAssessedTracesResponse first = *search_.ListAssessedTraces(request);
  ASSERT_EQ(first.traces_size(), 2);
  EXPECT_EQ(first.traces(0).trace(), TraceNameOf(2));
  EXPECT_EQ(first.traces(0).assessments_size(), 2);
  EXPECT_EQ(first.traces(0).assessments(0).name(), "experiments/support/assessments/j2");
  request.set_page_token(first.next_page_token());
  const v1::ListAssessedTracesResponse second = *search_.ListAssessedTraces(request);
  ASSERT_EQ(second.traces_size(), 1);
  EXPECT_EQ(second.traces(0).trace(), TraceNameOf(6));
  EXPECT_EQ(second.next_page_token(), "");
}

TEST_F(ListAssessedTracesTest, BadRequestsSayWhatIsWrong) {
  EXPECT_THAT(search_.ListAssessedTraces(ListRequest({})), HasFieldViolation("source_kinds"));
  EXPECT_THAT(search_.ListAssessedTraces(ListRequest({kHuman, kHuman})),
              HasFieldViolation("source_kinds[1]"));
  EXPECT_THAT(search_.ListAssessedTraces(ListRequest({common::v1::SOURCE_KIND_UNSPECIFIED})),
              HasFieldViolation("source_kinds[0]"));
  v1::ListAssessedTracesRequest request = ListRequest({kHuman});
  request.clear_assessment_name();
  EXPECT_THAT(search_.ListAssessedTraces(request), HasFieldViolation("assessment_name"));
}

}  // namespace
}  // namespace assay::feedback
