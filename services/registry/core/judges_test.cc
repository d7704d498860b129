#include "services/registry/core/judges.h"

#include <gtest/gtest.h>

#include <string>

#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "services/registry/testing/in_memory_registry.h"

namespace assay::registry {
namespace {

constexpr char kJudge[] = "experiments/support/judges/support_quality";

class JudgesTest : public testing::Test {
 protected:
  JudgesTest() {
    v1::Experiment experiment;
    experiment.set_name("experiments/support");
    EXPECT_THAT(Await<v1::Experiment>([&](Done<v1::Experiment> done) {
                  registry_.store.InsertExperiment({}, experiment, std::move(done));
                }),
                IsOk());
  }

  static v1::JudgeDefinition Definition(const std::string& instructions) {
    v1::JudgeDefinition definition;
    definition.mutable_instructions()->set_instructions(instructions);
    return definition;
  }
  absl::StatusOr<v1::CreateJudgeResponse> Create(const v1::JudgeDefinition& definition,
                                                 const std::string& request_id = "") {
    v1::CreateJudgeRequest request;
    request.set_parent("experiments/support");
    request.set_judge_id("support_quality");
    *request.mutable_definition() = definition;
    request.set_request_id(request_id);
    return Await<v1::CreateJudgeResponse>([&](Done<v1::CreateJudgeResponse> done) {
      judges_.Create(CallContext(), request, std::move(done));
    });
  }
  absl::StatusOr<v1::CreateJudgeRevisionResponse> Revise(const std::string& instructions,
                                                         const std::string& etag = "") {
    v1::CreateJudgeRevisionRequest request;
    request.set_parent(kJudge);
    *request.mutable_definition() = Definition(instructions);
    request.set_etag(etag);
    return Await<v1::CreateJudgeRevisionResponse>([&](Done<v1::CreateJudgeRevisionResponse> done) {
      judges_.CreateRevision(CallContext(), request, std::move(done));
    });
  }
  absl::StatusOr<v1::SetJudgeAliasResponse> SetAlias(const std::string& alias, int64_t revision) {
    v1::SetJudgeAliasRequest request;
    request.set_name(kJudge);
    request.set_alias(alias);
    request.set_revision(revision);
    return Await<v1::SetJudgeAliasResponse>([&](Done<v1::SetJudgeAliasResponse> done) {
      judges_.SetAlias(CallContext(), request, std::move(done));
    });
  }
  absl::StatusOr<v1::DeleteJudgeAliasResponse> DeleteAlias(const std::string& alias) {
    v1::DeleteJudgeAliasRequest request;
    request.set_name(kJudge);
    request.set_alias(alias);
    return Await<v1::DeleteJudgeAliasResponse>([&](Done<v1::DeleteJudgeAliasResponse> done) {
      judges_.DeleteAlias(CallContext(), request, std::move(done));
    });
  }
  absl::StatusOr<int64_t> Resolve(const std::string& name) {
    v1::GetJudgeRevisionRequest request;
    request.set_name(name);
    absl::StatusOr<v1::GetJudgeRevisionResponse> response = judges_.GetRevision(request);
    if (!response.ok()) return response.status();
    return response->revision().revision();
  }

  InMemoryRegistry registry_;
  Judges judges_{registry_.store, registry_.clock, JudgesOptions{"offline:/lexical"}};
};

TEST_F(JudgesTest, TheFirstRevisionPinsTheDefaultModel) {
  const v1::Judge judge = Create(Definition("Rate {{ outputs }}."))->judge();
  EXPECT_EQ(judge.name(), kJudge);
  EXPECT_EQ(judge.latest_revision().revision(), 1);
  EXPECT_EQ(judge.latest_revision().definition().model(), "offline:/lexical");
  EXPECT_EQ(judge.aliases().at("latest"), 1);
}

TEST_F(JudgesTest, AnUnknownVariableIsRefusedAndNothingIsStored) {
  EXPECT_THAT(Create(Definition("Rate {{ answer }}.")), HasReason("UNKNOWN_TEMPLATE_VARIABLE"));
  EXPECT_THAT(Resolve(kJudge), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(JudgesTest, EveryFormOfANameFindsItsRevision) {
  ASSERT_THAT(Create(Definition("One: {{ outputs }}")), IsOk());
  ASSERT_THAT(Revise("Two: {{ outputs }}"), IsOk());
  ASSERT_THAT(SetAlias("production", 1), IsOk());
  EXPECT_THAT(Resolve(kJudge), IsOkAndHolds(2));
  EXPECT_THAT(Resolve(std::string(kJudge) + "@latest"), IsOkAndHolds(2));
  EXPECT_THAT(Resolve(std::string(kJudge) + "@production"), IsOkAndHolds(1));
  EXPECT_THAT(Resolve(std::string(kJudge) + "@1"), IsOkAndHolds(1));
  EXPECT_THAT(Resolve(std::string(kJudge) + "/revisions/2"), IsOkAndHolds(2));
}

TEST_F(JudgesTest, UnknownRevisionsAndAliasesSayWhich) {
  ASSERT_THAT(Create(Definition("{{ outputs }}")), IsOk());
  EXPECT_THAT(Resolve(std::string(kJudge) + "/revisions/9"), HasReason("UNKNOWN_REVISION"));
  EXPECT_THAT(Resolve(std::string(kJudge) + "@staging"), HasReason("UNKNOWN_ALIAS"));
  EXPECT_THAT(SetAlias("production", 2), HasReason("UNKNOWN_REVISION"));
}

TEST_F(JudgesTest, LatestIsReserved) {
  ASSERT_THAT(Create(Definition("{{ outputs }}")), IsOk());
  EXPECT_THAT(SetAlias("latest", 1), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(DeleteAlias("latest"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(JudgesTest, DeletingAnAliasKeepsTheRevision) {
  ASSERT_THAT(Create(Definition("{{ outputs }}")), IsOk());
  ASSERT_THAT(SetAlias("production", 1), IsOk());
  ASSERT_THAT(DeleteAlias("production"), IsOk());
  EXPECT_THAT(Resolve(std::string(kJudge) + "@production"), HasReason("UNKNOWN_ALIAS"));
  EXPECT_THAT(Resolve(std::string(kJudge) + "@1"), IsOkAndHolds(1));
  EXPECT_THAT(DeleteAlias("production"), HasReason("UNKNOWN_ALIAS"));
}

TEST_F(JudgesTest, AStaleEtagAddsNoRevision) {
  const std::string etag = Create(Definition("{{ outputs }}"))->judge().etag();
  ASSERT_THAT(SetAlias("production", 1), IsOk());
  EXPECT_THAT(Revise("{{ inputs }}", etag), HasReason("ETAG_MISMATCH"));
  EXPECT_THAT(Resolve(kJudge), IsOkAndHolds(1));
}

TEST_F(JudgesTest, ARepeatedCreationAnswersWithTheFirstRevisionEvenAfterANewerOne) {
  ASSERT_THAT(Create(Definition("{{ outputs }}"), "r1"), IsOk());
  ASSERT_THAT(Revise("{{ inputs }}"), IsOk());
  EXPECT_EQ(Create(Definition("{{ outputs }}"), "r1")->judge().latest_revision().revision(), 1);
  EXPECT_THAT(Create(Definition("{{ outputs }}")), StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_F(JudgesTest, ListsRevisionsNewestFirstInPages) {
  ASSERT_THAT(Create(Definition("{{ outputs }}")), IsOk());
  for (int i = 0; i < 3; ++i) ASSERT_THAT(Revise("{{ inputs }}"), IsOk());
  v1::ListJudgeRevisionsRequest request;
  request.set_parent(kJudge);
  request.set_page_size(3);
  const v1::ListJudgeRevisionsResponse first = *judges_.ListRevisions(request);
  ASSERT_EQ(first.revisions_size(), 3);
  EXPECT_EQ(first.revisions(0).revision(), 4);
  request.set_page_token(first.next_page_token());
  const v1::ListJudgeRevisionsResponse second = *judges_.ListRevisions(request);
  ASSERT_EQ(second.revisions_size(), 1);
  EXPECT_EQ(second.revisions(0).revision(), 1);
  EXPECT_EQ(second.next_page_token(), "");
}

TEST_F(JudgesTest, ListsJudgesWithoutTheirMemories) {
  v1::JudgeDefinition definition = Definition("{{ outputs }}");
  definition.mutable_memory()->add_guidelines()->set_text("Promises need a date.");
  ASSERT_THAT(Create(definition), IsOk());
  v1::ListJudgesRequest request;
  request.set_parent("experiments/support");
  const v1::ListJudgesResponse response = *judges_.List(request);
  ASSERT_EQ(response.judges_size(), 1);
  EXPECT_FALSE(response.judges(0).latest_revision().definition().has_memory());
}

}  // namespace
}  // namespace assay::registry
