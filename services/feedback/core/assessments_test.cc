#include "services/feedback/core/assessments.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/read_token/read_token.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "services/feedback/testing/example_assessments.h"
#include "services/feedback/testing/fake_trace_port.h"
#include "services/feedback/testing/in_memory_feedback.h"

namespace assay::feedback {
namespace {

constexpr char kParent[] = "experiments/support";

class AssessmentsTest : public testing::Test {
 protected:
  absl::StatusOr<v1::CreateAssessmentResponse> Create(const v1::Assessment& assessment,
                                                      const std::string& id = "",
                                                      const std::string& request_id = "") {
    v1::CreateAssessmentRequest request;
    request.set_parent(kParent);
    *request.mutable_assessment() = assessment;
    request.set_assessment_id(id);
    request.set_request_id(request_id);
    return Await<v1::CreateAssessmentResponse>([&](Done<v1::CreateAssessmentResponse> done) {
      assessments_.Create(CallContext(), request, std::move(done));
    });
  }
  absl::StatusOr<v1::BatchCreateAssessmentsResponse> BatchCreate(
      const std::vector<v1::Assessment>& assessments) {
    v1::BatchCreateAssessmentsRequest request;
    request.set_parent(kParent);
    for (const v1::Assessment& assessment : assessments) *request.add_assessments() = assessment;
    return Await<v1::BatchCreateAssessmentsResponse>(
        [&](Done<v1::BatchCreateAssessmentsResponse> done) {
          assessments_.BatchCreate(CallContext(), request, std::move(done));
        });
  }
  absl::StatusOr<v1::BatchCreateAssessmentsResponse> Batch(
      const v1::BatchCreateAssessmentsRequest& request) {
    return Await<v1::BatchCreateAssessmentsResponse>(
        [&](Done<v1::BatchCreateAssessmentsResponse> done) {
          assessments_.BatchCreate(CallContext(), request, std::move(done));
        });
  }
  // About traces 1, 2 and so on.
  static v1::BatchCreateAssessmentsRequest BatchOf(const std::vector<std::string>& ids) {
    v1::BatchCreateAssessmentsRequest request;
    request.set_parent(kParent);
    for (const std::string& id : ids) {
      const int trace = request.assessments_size() + 1;
      *request.add_assessments() = ExampleFeedback(trace, common::v1::SOURCE_KIND_LLM_JUDGE);
      request.add_assessment_ids(id);
    }
    return request;
  }
  absl::StatusOr<v1::Assessment> Get(const std::string& name) {
    v1::GetAssessmentRequest request;
    request.set_name(name);
    absl::StatusOr<v1::GetAssessmentResponse> response = assessments_.Get(request);
    if (!response.ok()) return response.status();
    return response->assessment();
  }
  // `fill` sets the new values.
  template <class Fill>
  absl::StatusOr<v1::Assessment> Update(const std::string& name,
                                        const std::vector<std::string>& mask, Fill fill,
                                        const std::string& etag = "") {
    v1::UpdateAssessmentRequest request;
    request.set_name(name);
    for (const std::string& path : mask) request.mutable_update_mask()->add_paths(path);
    fill(*request.mutable_assessment());
    request.set_etag(etag);
    absl::StatusOr<v1::UpdateAssessmentResponse> response =
        Await<v1::UpdateAssessmentResponse>([&](Done<v1::UpdateAssessmentResponse> done) {
          assessments_.Update(CallContext(), request, std::move(done));
        });
    if (!response.ok()) return response.status();
    return response->assessment();
  }
  absl::StatusOr<v1::Assessment> Override(const std::string& name, const std::string& json,
                                          const std::string& request_id = "") {
    v1::OverrideFeedbackRequest request;
    request.set_name(name);
    request.mutable_source()->set_kind(common::v1::SOURCE_KIND_HUMAN);
    request.mutable_feedback()->mutable_value()->set_json_text(json);
    request.set_request_id(request_id);
    absl::StatusOr<v1::OverrideFeedbackResponse> response =
        Await<v1::OverrideFeedbackResponse>([&](Done<v1::OverrideFeedbackResponse> done) {
          assessments_.Override(CallContext(), request, std::move(done));
        });
    if (!response.ok()) return response.status();
    return response->assessment();
  }
  absl::StatusOr<v1::DeleteAssessmentResponse> Delete(const std::string& name,
                                                      const std::string& etag = "") {
    v1::DeleteAssessmentRequest request;
    request.set_name(name);
    request.set_etag(etag);
    return Await<v1::DeleteAssessmentResponse>([&](Done<v1::DeleteAssessmentResponse> done) {
      assessments_.Delete(CallContext(), request, std::move(done));
    });
  }
  std::string CreateName(const v1::Assessment& assessment) {
    return Create(assessment)->assessment().name();
  }

  static v1::Assessment Judged(int trace = 1, const std::string& json = "\"good\"") {
    return ExampleFeedback(trace, common::v1::SOURCE_KIND_LLM_JUDGE, json);
  }

  InMemoryFeedback feedback_;
  FakeTracePort traces_{feedback_.executor};
  Assessments assessments_{*feedback_.store, traces_, feedback_.clock};
};

TEST_F(AssessmentsTest, ALoggedOneIsStampedAndRead) {
  const v1::CreateAssessmentResponse response = *Create(Judged());
  const v1::Assessment& created = response.assessment();
  EXPECT_THAT(created.name(), testing::StartsWith("experiments/support/assessments/a-"));
  EXPECT_TRUE(created.valid());
  EXPECT_EQ(created.create_principal(), "local");
  EXPECT_EQ(created.create_time().seconds(), 1'800'000'000);
  EXPECT_EQ(Get(created.name())->etag(), created.etag());
  const ReadToken token = *DecodeReadToken(response.read_token());
  EXPECT_EQ(token.store, feedback_.store->StoreId());
  EXPECT_EQ(token.sequence, feedback_.store->Pending(10, 1 << 20)->back().sequence());
}

TEST_F(AssessmentsTest, AFixedIdIsTakenOnce) {
  EXPECT_EQ(Create(Judged(), "verdict-1")->assessment().name(),
            "experiments/support/assessments/verdict-1");
  EXPECT_THAT(Create(Judged(), "verdict-1"), HasReason("RESOURCE_ALREADY_EXISTS"));
  EXPECT_THAT(Create(Judged(), "No Slug"), HasReason("INVALID_ID"));
}

TEST_F(AssessmentsTest, AnUnknownTraceIsNotFoundAndNothingIsStored) {
  traces_.Remove(TraceNameOf(2));
  EXPECT_THAT(Create(Judged(2), "a1"), StatusIs(absl::StatusCode::kNotFound));
  const auto batch = BatchCreate({Judged(1), Judged(2)});
  EXPECT_THAT(batch, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(ErrorMetadata(batch.status(), "field"), "assessments[1].target.trace");
  EXPECT_TRUE(feedback_.store->Pending(10, 1 << 20)->empty());
}

TEST_F(AssessmentsTest, AnUnreachableTraceServiceIsUnavailable) {
  traces_.FailWith(MakeError(absl::StatusCode::kUnavailable, "PEER_UNREACHABLE", "no answer"));
  EXPECT_THAT(Create(Judged()), HasReason("PEER_UNREACHABLE"));
}

TEST_F(AssessmentsTest, ABatchAsksForEachTraceOnce) {
  ASSERT_THAT(BatchCreate({Judged(2), Judged(1), Judged(2)}), IsOk());
  EXPECT_THAT(traces_.last_asked(), testing::ElementsAre(TraceNameOf(1), TraceNameOf(2)));
}

TEST_F(AssessmentsTest, ABatchIsStoredWholeInItsOrder) {
  const auto response = *BatchCreate({Judged(2), Judged(1)});
  ASSERT_EQ(response.assessments_size(), 2);
  EXPECT_EQ(response.assessments(0).target().trace(), TraceNameOf(2));
  EXPECT_EQ(DecodeReadToken(response.read_token())->sequence,
            feedback_.store->Pending(10, 1 << 20)->back().sequence());
}

TEST_F(AssessmentsTest, ABatchWithOneBadEntryStoresNothing) {
  EXPECT_THAT(BatchCreate({Judged(1), Judged(2, "{oops")}),
              HasFieldViolation("assessments[1].feedback.value"));
  EXPECT_THAT(BatchCreate({}), HasFieldViolation("assessments"));
  EXPECT_THAT(BatchCreate(std::vector<v1::Assessment>(1001, Judged())),
              HasFieldViolation("assessments"));
  EXPECT_TRUE(feedback_.store->Pending(10, 1 << 20)->empty());
}

TEST_F(AssessmentsTest, ARepeatedRequestGetsTheSameAnswer) {
  const v1::Assessment first = Create(Judged(), "", "r1")->assessment();
  EXPECT_EQ(Create(Judged(), "", "r1")->assessment().name(), first.name());
  EXPECT_THAT(Create(Judged(2), "", "r1"), HasReason("REQUEST_ID_REUSED"));
}

TEST_F(AssessmentsTest, AnUpdateChangesWhatTheMaskNames) {
  const std::string name = CreateName(Judged());
  const v1::Assessment changed = *Update(
      name, {"feedback.value", "feedback.rationale", "assessment_name"}, [](v1::Assessment& news) {
        news.mutable_feedback()->mutable_value()->set_json_text("\"poor\"");
        news.mutable_feedback()->set_rationale("It promised no date.");
        news.set_assessment_name("quality");
        (*news.mutable_metadata())["ignored"] = "x";
      });
  EXPECT_EQ(changed.feedback().value().json_text(), "\"poor\"");
  EXPECT_EQ(changed.feedback().rationale(), "It promised no date.");
  EXPECT_EQ(changed.assessment_name(), "quality");
  EXPECT_EQ(changed.metadata_size(), 0);
  EXPECT_EQ(changed.source().kind(), common::v1::SOURCE_KIND_LLM_JUDGE);
}

TEST_F(AssessmentsTest, AnUpdateMergesMetadata) {
  v1::Assessment assessment = Judged();
  (*assessment.mutable_metadata())["a"] = "1";
  (*assessment.mutable_metadata())["b"] = "1";
  const v1::Assessment changed =
      *Update(CreateName(assessment), {"metadata"}, [](v1::Assessment& news) {
        (*news.mutable_metadata())["b"] = "2";
        (*news.mutable_metadata())["c"] = "2";
      });
  EXPECT_EQ(changed.metadata().at("a"), "1");
  EXPECT_EQ(changed.metadata().at("b"), "2");
  EXPECT_EQ(changed.metadata().at("c"), "2");
}

TEST_F(AssessmentsTest, AnErrorTakesThePlaceOfAValueAndBack) {
  const std::string name = CreateName(Judged());
  const v1::Assessment failed = *Update(name, {"feedback.error"}, [](v1::Assessment& news) {
    news.mutable_feedback()->mutable_error()->set_code("WRONG");
  });
  EXPECT_EQ(failed.feedback().outcome(), common::v1::OUTCOME_ERROR);
  EXPECT_FALSE(failed.feedback().has_value());
  const v1::Assessment healed = *Update(name, {"feedback.value"}, [](v1::Assessment& news) {
    news.mutable_feedback()->mutable_value()->set_json_text("1");
  });
  EXPECT_EQ(healed.feedback().outcome(), common::v1::OUTCOME_VALUE);
  EXPECT_FALSE(healed.feedback().has_error());
  EXPECT_THAT(Update(name, {"feedback.value"}, [](v1::Assessment&) {}),
              HasFieldViolation("assessment.feedback.value"));
}

TEST_F(AssessmentsTest, AnUpdateRefusesWhatCannotChange) {
  const std::string name = CreateName(Judged());
  const auto nothing = [](v1::Assessment&) {};
  for (const char* path : {"source", "source.id", "target", "feedback", "expectation", "valid",
                           "feedback.label", "overrides", "etag"}) {
    EXPECT_THAT(Update(name, {path}, nothing), HasReason("IMMUTABLE_FIELD")) << path;
  }
  EXPECT_THAT(Update(name, {"color"}, nothing), HasReason("UNKNOWN_FIELD"));
  EXPECT_THAT(Update(name, {"feedback.color"}, nothing), HasReason("UNKNOWN_FIELD"));
  EXPECT_THAT(Update(name, {"expectation.value"}, nothing), HasReason("IMMUTABLE_FIELD"));
  EXPECT_THAT(Update(name, {}, nothing), HasFieldViolation("update_mask"));
}

TEST_F(AssessmentsTest, AnUpdateChangesAnExpectation) {
  const std::string name = CreateName(ExampleExpectation(1));
  EXPECT_EQ(Update(name, {"expectation.value"},
                   [](v1::Assessment& news) {
                     news.mutable_expectation()->mutable_value()->set_json_text("[1]");
                   })
                ->expectation()
                .value()
                .json_text(),
            "[1]");
  EXPECT_THAT(Update(name, {"feedback.value"}, [](v1::Assessment&) {}),
              HasReason("IMMUTABLE_FIELD"));
}

TEST_F(AssessmentsTest, AStaleEtagChangesNothing) {
  const v1::Assessment created = Create(Judged())->assessment();
  const auto rename = [](v1::Assessment& news) { news.set_assessment_name("x"); };
  const v1::Assessment changed =
      *Update(created.name(), {"assessment_name"}, rename, created.etag());
  EXPECT_NE(changed.etag(), created.etag());
  EXPECT_THAT(Update(created.name(), {"assessment_name"}, rename, created.etag()),
              HasReason("ETAG_MISMATCH"));
  EXPECT_THAT(Delete(created.name(), created.etag()), HasReason("ETAG_MISMATCH"));
  EXPECT_EQ(Get(created.name())->etag(), changed.etag());
}

TEST_F(AssessmentsTest, OverridingPutsAnotherInItsPlace) {
  const v1::Assessment old = Create(Judged())->assessment();
  const v1::Assessment successor = *Override(old.name(), "\"poor\"");
  EXPECT_EQ(successor.overrides(), old.name());
  EXPECT_EQ(successor.assessment_name(), old.assessment_name());
  EXPECT_EQ(successor.target().trace(), old.target().trace());
  EXPECT_TRUE(successor.valid());
  const v1::Assessment overridden = *Get(old.name());
  EXPECT_FALSE(overridden.valid());
  EXPECT_NE(overridden.etag(), old.etag());
}

TEST_F(AssessmentsTest, OverridingIsRefusedWhereItMakesNoSense) {
  const std::string name = CreateName(Judged());
  ASSERT_THAT(Override(name, "1"), IsOk());
  EXPECT_THAT(Override(name, "2"), HasReason("ALREADY_OVERRIDDEN"));
  EXPECT_THAT(Override(CreateName(ExampleExpectation(1)), "2"), HasReason("NOT_A_FEEDBACK"));
  EXPECT_THAT(Override("experiments/support/assessments/none", "2"),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Override(name, "{oops"), HasFieldViolation("feedback.value"));
}

TEST_F(AssessmentsTest, ARepeatedOverrideHasOneSuccessor) {
  const std::string name = CreateName(Judged());
  const std::string first = Override(name, "1", "r1")->name();
  EXPECT_EQ(Override(name, "1", "r1")->name(), first);
}

TEST_F(AssessmentsTest, DeletingRestoresWhatWasOverriddenAndMayBeRepeated) {
  const std::string old = CreateName(Judged());
  const std::string successor = Override(old, "1")->name();
  const std::string token = Delete(successor)->read_token();
  EXPECT_THAT(Get(successor), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_TRUE(Get(old)->valid());
  EXPECT_EQ(Delete(successor)->read_token(), token);
  EXPECT_EQ(Delete("experiments/support/assessments/none")->read_token(), "");
}

TEST_F(AssessmentsTest, BadNamesNameTheirField) {
  EXPECT_THAT(Get("assessments/1"), HasFieldViolation("name"));
  EXPECT_THAT(Delete("experiments/support/traces/1"), HasReason("INVALID_NAME"));
  EXPECT_THAT(Override("nothing", "1"), HasReason("INVALID_NAME"));
}

TEST_F(AssessmentsTest, ABatchWithIdsIsLoggedOnceHoweverItIsRepeated) {
  v1::BatchCreateAssessmentsRequest request = BatchOf({"a1", "a2"});
  ASSERT_THAT(Batch(request), IsOk());
  EXPECT_THAT(Batch(request), StatusIs(absl::StatusCode::kAlreadyExists));
  request = BatchOf({"a1", "a2", "a3"});
  request.set_keep_existing(true);
  request.mutable_assessments(0)->mutable_feedback()->set_rationale("another");
  const auto response = Batch(request);
  ASSERT_THAT(response, IsOk());
  ASSERT_EQ(response->assessments_size(), 3);
  EXPECT_EQ(response->assessments(1).name(), "experiments/support/assessments/a2");
  EXPECT_EQ(response->assessments(2).name(), "experiments/support/assessments/a3");
  EXPECT_NE(Get("experiments/support/assessments/a1")->feedback().rationale(), "another");
  EXPECT_FALSE(response->read_token().empty());
}

TEST_F(AssessmentsTest, ABatchAnswersWithNamesAloneIfAsked) {
  v1::BatchCreateAssessmentsRequest request = BatchOf({"a1"});
  request.set_names_only(true);
  const auto response = Batch(request);
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->assessments(0).name(), "experiments/support/assessments/a1");
  EXPECT_FALSE(response->assessments(0).has_feedback());
  EXPECT_TRUE(Get("experiments/support/assessments/a1")->has_feedback());
}

TEST_F(AssessmentsTest, RefusesIdsThatDoNotFitTheBatch) {
  v1::BatchCreateAssessmentsRequest request = BatchOf({"a1", "a1"});
  EXPECT_EQ(FieldViolations(Batch(request).status())[0].field, "assessment_ids[1]");
  request = BatchOf({"a1", "Not A Slug"});
  EXPECT_EQ(FieldViolations(Batch(request).status())[0].field, "assessment_ids[1]");
  request = BatchOf({"a1", "a2"});
  request.mutable_assessment_ids()->RemoveLast();
  EXPECT_EQ(FieldViolations(Batch(request).status())[0].field, "assessment_ids");
  request.clear_assessment_ids();
  request.set_keep_existing(true);
  EXPECT_EQ(FieldViolations(Batch(request).status())[0].field, "assessment_ids");
}

}  // namespace
}  // namespace assay::feedback
