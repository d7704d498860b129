// What every RegistryStore must do. A test file instantiates RegistryStoreConformance with fixtures
// that have `RegistryStore& store()`.
#ifndef ASSAY_SERVICES_REGISTRY_TESTING_REGISTRY_STORE_CONFORMANCE_H_
#define ASSAY_SERVICES_REGISTRY_TESTING_REGISTRY_STORE_CONFORMANCE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "services/registry/core/registry_store.h"
#include "services/registry/testing/in_memory_registry.h"

namespace assay::registry {

template <class Fixture>
class RegistryStoreConformance : public testing::Test {
 protected:
  absl::StatusOr<v1::Experiment> Insert(const std::string& id, const std::string& request_id = "",
                                        const std::string& body = "") {
    v1::Experiment experiment;
    experiment.set_name("experiments/" + id);
    experiment.set_display_name(body);
    return Await<v1::Experiment>([&](Done<v1::Experiment> done) {
      fixture_.store().InsertExperiment(RequestKey{"local", "CreateExperiment", request_id, body},
                                        experiment, std::move(done));
    });
  }

  absl::StatusOr<v1::Judge> InsertJudge(const std::string& experiment, const std::string& id) {
    v1::Judge judge;
    judge.set_name("experiments/" + experiment + "/judges/" + id);
    judge.set_etag("\"x-1\"");
    (*judge.mutable_aliases())["latest"] = 1;
    v1::JudgeRevision first;
    first.set_name(judge.name() + "/revisions/1");
    first.set_revision(1);
    return Await<v1::Judge>([&](Done<v1::Judge> done) {
      fixture_.store().InsertJudge({}, judge, first, std::move(done));
    });
  }

  absl::StatusOr<v1::JudgeRevision> Append(const std::string& experiment, const std::string& id) {
    return Await<v1::JudgeRevision>([&](Done<v1::JudgeRevision> done) {
      fixture_.store().AppendRevision(
          {}, {experiment, id},
          [](const v1::Judge&, int64_t number) -> absl::StatusOr<v1::JudgeRevision> {
            v1::JudgeRevision revision;
            revision.set_revision(number);
            return revision;
          },
          std::move(done));
    });
  }

  Fixture fixture_;
};

TYPED_TEST_SUITE_P(RegistryStoreConformance);

TYPED_TEST_P(RegistryStoreConformance, FindsWhatWasInsertedAndNothingElse) {
  ASSERT_THAT(this->Insert("support"), IsOk());
  EXPECT_TRUE((*this->fixture_.store().FindExperiment("support")).has_value());
  EXPECT_FALSE((*this->fixture_.store().FindExperiment("suppor")).has_value());
}

TYPED_TEST_P(RegistryStoreConformance, RefusesATakenName) {
  ASSERT_THAT(this->Insert("support"), IsOk());
  EXPECT_THAT(this->Insert("support"), StatusIs(absl::StatusCode::kAlreadyExists));
}

TYPED_TEST_P(RegistryStoreConformance, ARepeatedRequestGetsTheFirstAnswer) {
  ASSERT_THAT(this->Insert("support", "r1", "a"), IsOk());
  EXPECT_THAT(this->Insert("support", "r1", "a"), IsOk());
  EXPECT_THAT(this->Insert("support", "r1", "b"), HasReason("REQUEST_ID_REUSED"));
}

TYPED_TEST_P(RegistryStoreConformance, ListsExperimentsByIdAfterACursor) {
  for (const char* id : {"b", "a", "c"}) ASSERT_THAT(this->Insert(id), IsOk());
  std::vector<std::string> seen;
  const std::vector<v1::Experiment> listed = *this->fixture_.store().ListExperiments("a", 10);
  for (const v1::Experiment& experiment : listed) {
    seen.push_back(experiment.name());
  }
  EXPECT_THAT(seen, testing::ElementsAre("experiments/b", "experiments/c"));
}

TYPED_TEST_P(RegistryStoreConformance, AFailedChangeChangesNothing) {
  ASSERT_THAT(this->Insert("support"), IsOk());
  const absl::StatusOr<v1::Experiment> answer =
      Await<v1::Experiment>([&](Done<v1::Experiment> done) {
        this->fixture_.store().ChangeExperiment(
            {}, {"support"},
            [](const v1::Experiment&) -> absl::StatusOr<v1::Experiment> {
              return EtagMismatch("experiments/support");
            },
            std::move(done));
      });
  EXPECT_THAT(answer, HasReason("ETAG_MISMATCH"));
  EXPECT_EQ((*this->fixture_.store().FindExperiment("support"))->display_name(), "");
}

TYPED_TEST_P(RegistryStoreConformance, JudgesNeedTheirExperiment) {
  EXPECT_THAT(this->InsertJudge("nowhere", "tone"), StatusIs(absl::StatusCode::kNotFound));
}

TYPED_TEST_P(RegistryStoreConformance, RevisionsCountUpAndLatestFollows) {
  ASSERT_THAT(this->Insert("support"), IsOk());
  ASSERT_THAT(this->InsertJudge("support", "tone"), IsOk());
  EXPECT_EQ(this->Append("support", "tone")->revision(), 2);
  EXPECT_EQ(this->Append("support", "tone")->revision(), 3);
  EXPECT_EQ((*this->fixture_.store().FindJudge({"support", "tone"}))->aliases().at("latest"), 3);
  const std::vector<v1::JudgeRevision> newest =
      *this->fixture_.store().ListRevisions({"support", "tone"}, 0, 2);
  ASSERT_EQ(newest.size(), 2u);
  EXPECT_EQ(newest[0].revision(), 3);
  EXPECT_EQ(newest[1].revision(), 2);
  EXPECT_EQ((*this->fixture_.store().ListRevisions({"support", "tone"}, 2, 5)).size(), 1u);
}

TYPED_TEST_P(RegistryStoreConformance, NeighbouringNamesDoNotMix) {
  ASSERT_THAT(this->Insert("a"), IsOk());
  ASSERT_THAT(this->Insert("ab"), IsOk());
  ASSERT_THAT(this->InsertJudge("a", "bc"), IsOk());
  ASSERT_THAT(this->InsertJudge("ab", "c"), IsOk());
  EXPECT_EQ((*this->fixture_.store().ListJudges("a", "", 10)).size(), 1u);
  EXPECT_EQ((*this->fixture_.store().ListRevisions({"ab", "c"}, 0, 10)).size(), 1u);
}

REGISTER_TYPED_TEST_SUITE_P(RegistryStoreConformance, FindsWhatWasInsertedAndNothingElse,
                            RefusesATakenName, ARepeatedRequestGetsTheFirstAnswer,
                            ListsExperimentsByIdAfterACursor, AFailedChangeChangesNothing,
                            JudgesNeedTheirExperiment, RevisionsCountUpAndLatestFollows,
                            NeighbouringNamesDoNotMix);

}  // namespace assay::registry

#endif  // ASSAY_SERVICES_REGISTRY_TESTING_REGISTRY_STORE_CONFORMANCE_H_
