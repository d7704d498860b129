#include "services/registry/core/experiments.h"

#include <gtest/gtest.h>

#include <string>

#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "services/registry/testing/in_memory_registry.h"

namespace assay::registry {
namespace {

class ExperimentsTest : public testing::Test {
 protected:
  absl::StatusOr<v1::CreateExperimentResponse> Create(const v1::CreateExperimentRequest& request) {
    return Await<v1::CreateExperimentResponse>([&](Done<v1::CreateExperimentResponse> done) {
      experiments_.Create(CallContext(), request, std::move(done));
    });
  }
  absl::StatusOr<v1::CreateExperimentResponse> CreateNamed(const std::string& id) {
    v1::CreateExperimentRequest request;
    request.set_experiment_id(id);
    return Create(request);
  }
  absl::StatusOr<v1::UpdateExperimentResponse> Update(const v1::UpdateExperimentRequest& request) {
    return Await<v1::UpdateExperimentResponse>([&](Done<v1::UpdateExperimentResponse> done) {
      experiments_.Update(CallContext(), request, std::move(done));
    });
  }
  absl::StatusOr<v1::ListExperimentsResponse> List(const std::string& filter, int page_size,
                                                   const std::string& token) {
    v1::ListExperimentsRequest request;
    request.set_filter(filter);
    request.set_page_size(page_size);
    request.set_page_token(token);
    return experiments_.List(request);
  }

  InMemoryRegistry registry_;
  Experiments experiments_{registry_.store, registry_.clock};
};

TEST_F(ExperimentsTest, FillsInWhatTheServiceOwns) {
  v1::CreateExperimentRequest request;
  request.set_experiment_id("support");
  request.mutable_experiment()->set_display_name("Support");
  request.mutable_experiment()->set_uid("mine");
  const v1::Experiment created = Create(request)->experiment();
  EXPECT_EQ(created.name(), "experiments/support");
  EXPECT_EQ(created.display_name(), "Support");
  EXPECT_NE(created.uid(), "mine");
  EXPECT_EQ(created.create_time().seconds(), 1'800'000'000);
  EXPECT_EQ(created.create_principal(), "local");
}

TEST_F(ExperimentsTest, RefusesAnIdThatIsNoSlugAndStoresNothing) {
  EXPECT_THAT(CreateNamed("Support Judges"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(List("", 0, "")->experiments_size(), 0);
}

TEST_F(ExperimentsTest, RefusesTagsThatAreTooLong) {
  v1::CreateExperimentRequest request;
  request.set_experiment_id("support");
  (*request.mutable_experiment()->mutable_tags())["team"] = std::string(4097, 'x');
  EXPECT_THAT(Create(request), StatusIs(absl::StatusCode::kInvalidArgument));
  (*request.mutable_experiment()->mutable_tags())["team"] = std::string(4096, 'x');
  EXPECT_THAT(Create(request), IsOk());
}

TEST_F(ExperimentsTest, ARepeatedRequestIdGetsTheSameAnswer) {
  v1::CreateExperimentRequest request;
  request.set_experiment_id("support");
  request.set_request_id("r1");
  const std::string uid = Create(request)->experiment().uid();
  EXPECT_EQ(Create(request)->experiment().uid(), uid);
  request.mutable_experiment()->set_display_name("other body");
  EXPECT_THAT(Create(request), HasReason("REQUEST_ID_REUSED"));
}

TEST_F(ExperimentsTest, UpdatesOnlyWhatTheMaskNames) {
  v1::CreateExperimentRequest create;
  create.set_experiment_id("support");
  create.mutable_experiment()->set_display_name("before");
  ASSERT_THAT(Create(create), IsOk());
  v1::UpdateExperimentRequest update;
  update.set_name("experiments/support");
  update.mutable_experiment()->set_display_name("ignored");
  (*update.mutable_experiment()->mutable_tags())["a"] = "b";
  update.mutable_update_mask()->add_paths("tags");
  const v1::Experiment changed = Update(update)->experiment();
  EXPECT_EQ(changed.display_name(), "before");
  EXPECT_EQ(changed.tags().at("a"), "b");
}

TEST_F(ExperimentsTest, AStaleEtagChangesNothing) {
  const std::string first = CreateNamed("support")->experiment().etag();
  v1::UpdateExperimentRequest update;
  update.set_name("experiments/support");
  update.set_etag(first);
  update.mutable_experiment()->set_display_name("one");
  update.mutable_update_mask()->add_paths("display_name");
  ASSERT_THAT(Update(update), IsOk());
  update.mutable_experiment()->set_display_name("two");
  EXPECT_THAT(Update(update), HasReason("ETAG_MISMATCH"));
  v1::GetExperimentRequest get;
  get.set_name("experiments/support");
  EXPECT_EQ(experiments_.Get(get)->experiment().display_name(), "one");
}

TEST_F(ExperimentsTest, RefusesAnUnknownPathInTheMask) {
  ASSERT_THAT(CreateNamed("support"), IsOk());
  v1::UpdateExperimentRequest update;
  update.set_name("experiments/support");
  EXPECT_THAT(Update(update), StatusIs(absl::StatusCode::kInvalidArgument));
  update.mutable_update_mask()->add_paths("uid");
  EXPECT_THAT(Update(update), HasReason("UNKNOWN_FIELD"));
}

TEST_F(ExperimentsTest, PagesThroughWhatTheFilterMatches) {
  for (const char* id : {"a1", "b1", "a2", "a3"}) ASSERT_THAT(CreateNamed(id), IsOk());
  const v1::ListExperimentsResponse first = *List("experiment_id = \"a*\"", 2, "");
  ASSERT_EQ(first.experiments_size(), 2);
  EXPECT_EQ(first.experiments(1).name(), "experiments/a2");
  const v1::ListExperimentsResponse second =
      *List("experiment_id = \"a*\"", 2, first.next_page_token());
  ASSERT_EQ(second.experiments_size(), 1);
  EXPECT_EQ(second.experiments(0).name(), "experiments/a3");
  EXPECT_EQ(second.next_page_token(), "");
}

TEST_F(ExperimentsTest, RefusesATokenOfAnotherFilterAndANegativePageSize) {
  for (const char* id : {"a1", "a2"}) ASSERT_THAT(CreateNamed(id), IsOk());
  const std::string token = List("", 1, "")->next_page_token();
  EXPECT_THAT(List("experiment_id = \"a*\"", 1, token), HasReason("INVALID_PAGE_TOKEN"));
  EXPECT_THAT(List("", -1, ""), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace assay::registry
