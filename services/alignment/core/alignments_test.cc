#include "services/alignment/core/alignments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/exec/await.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "common/sync/mutex.h"
#include "common/sync/notification.h"
#include "google/protobuf/util/message_differencer.h"
#include "services/alignment/testing/fake_services.h"
#include "services/alignment/testing/in_memory_store.h"
#include "services/alignment/testing/planted_world.h"

namespace assay::alignment {
namespace {

constexpr absl::Duration kLong = absl::Seconds(60);

// Keeps what a watching client would see.
class RecordingSink final : public StreamSink<v1::WatchAlignmentResponse> {
 public:
  bool Write(v1::WatchAlignmentResponse item) override {
    MutexLock lock(&mutex_);
    seen_.push_back(std::move(*item.mutable_alignment()));
    return true;
  }
  void WhenReady(Task) override {}
  void Finish(absl::Status status) override {
    status_ = std::move(status);
    finished_.Notify();
  }
  bool Ended() const override { return finished_.HasBeenNotified(); }

  absl::Status Wait() {
    return finished_.WaitFor(kLong) ? status_ : absl::DeadlineExceededError("the stream goes on");
  }
  std::vector<v1::Alignment> seen() const {
    MutexLock lock(&mutex_);
    return seen_;
  }

 private:
  mutable Mutex mutex_;
  std::vector<v1::Alignment> seen_ ABSL_GUARDED_BY(mutex_);
  absl::Status status_;
  Notification finished_;
};

class AlignmentsTest : public testing::Test {
 protected:
  AlignmentsTest() { Open({.traces = 40}); }
  ~AlignmentsTest() override {
    alignments_->Stop();
    memory_.executor.Shutdown();
  }

  void Open(const WorldOptions& options) {
    world_ = std::make_unique<PlantedWorld>(options);
    feedback_ = std::make_unique<FakeFeedback>(memory_.executor);
    traces_ = std::make_unique<FakeTraces>(memory_.executor);
    world_->Fill(*feedback_, *traces_);
    if (registry_.RevisionCount(kWorldJudge) == 0) registry_.AddRevision(kWorldJudge, WorldJudge());
    models_.push_back(std::make_unique<FakeModels>(
        memory_.executor, [this](const auto& request) { return world_->Verdict(request); },
        [this](const auto& request) { return world_->Guidelines(request); }));
    Restart();
  }

  // As the service does when it ends and starts again.
  void Restart() {
    if (alignments_ != nullptr) {
      alignments_->Stop();
      ended_.push_back(std::move(alignments_));
    }
    alignments_ =
        std::make_unique<Alignments>(memory_.store,
                                     Ports{feedback_.get(), traces_.get(), models_.back().get(),
                                           models_.back().get(), &registry_},
                                     memory_.executor, memory_.clock, AlignmentsOptions{});
  }

  absl::StatusOr<v1::Alignment> Create(const std::string& id = "first",
                                       const std::string& request_id = "",
                                       const std::string& judge = kWorldJudge) {
    v1::CreateAlignmentRequest request;
    request.set_parent(kWorldExperiment);
    request.set_alignment_id(id);
    request.set_judge(judge);
    request.set_request_id(request_id);
    absl::StatusOr<v1::CreateAlignmentResponse> response = Await<v1::CreateAlignmentResponse>(
        [&](auto done) { alignments_->Create({}, request, std::move(done)); });
    if (!response.ok()) return response.status();
    return response->alignment();
  }

  v1::Alignment WaitForEnd(const std::string& id = "first") {
    auto sink = std::make_shared<RecordingSink>();
    v1::WatchAlignmentRequest request;
    request.set_name(NameOf(id));
    alignments_->Watch(request, sink);
    EXPECT_THAT(sink->Wait(), IsOk());
    return sink->seen().empty() ? v1::Alignment() : sink->seen().back();
  }

  absl::StatusOr<v1::RegisterAlignmentResponse> Register(const std::string& alias = "",
                                                         bool force = false,
                                                         bool allow_newer = false,
                                                         const std::string& request_id = "") {
    v1::RegisterAlignmentRequest request;
    request.set_name(NameOf("first"));
    request.set_alias(alias);
    request.set_force_alias(force);
    request.set_allow_newer(allow_newer);
    request.set_request_id(request_id);
    return Await<v1::RegisterAlignmentResponse>(
        [&](auto done) { alignments_->Register({}, request, std::move(done)); });
  }

  absl::StatusOr<v1::Alignment> Cancel(const std::string& id) {
    v1::CancelAlignmentRequest request;
    request.set_name(NameOf(id));
    absl::StatusOr<v1::CancelAlignmentResponse> response = Await<v1::CancelAlignmentResponse>(
        [&](auto done) { alignments_->Cancel(request, std::move(done)); });
    if (!response.ok()) return response.status();
    return response->alignment();
  }

  static std::string NameOf(const std::string& id) {
    return std::string(kWorldExperiment) + "/alignments/" + id;
  }

  InMemoryStore memory_;
  std::unique_ptr<PlantedWorld> world_;
  std::unique_ptr<FakeFeedback> feedback_;
  std::unique_ptr<FakeTraces> traces_;
  FakeRegistry registry_{memory_.executor};
  std::vector<std::unique_ptr<FakeModels>> models_;
  std::vector<std::unique_ptr<Alignments>> ended_;
  std::unique_ptr<Alignments> alignments_;
};

TEST_F(AlignmentsTest, RunsToTheEnd) {
  const absl::StatusOr<v1::Alignment> created = Create();
  ASSERT_THAT(created, IsOk());
  EXPECT_EQ(created->name(), NameOf("first"));
  EXPECT_EQ(created->state(), v1::ALIGNMENT_STATE_RUNNING);
  EXPECT_EQ(created->judge_revision(), std::string(kWorldJudge) + "/revisions/1");
  EXPECT_EQ(created->labelled_set().labelled_count(), 40);
  EXPECT_EQ(created->options().folds(), 5);
  const v1::Alignment ended = WaitForEnd();
  EXPECT_EQ(ended.state(), v1::ALIGNMENT_STATE_SUCCEEDED);
  EXPECT_EQ(ended.stage(), v1::ALIGNMENT_STAGE_DONE);
  EXPECT_EQ(ended.report().conclusion(), v1::CONCLUSION_GAIN);
  EXPECT_EQ(ended.candidate().memory().guidelines_size(), 1);
  EXPECT_TRUE(ended.has_end_time());
  v1::GetAlignmentRequest get;
  get.set_name(NameOf("first"));
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(alignments_->Get(get)->alignment(),
                                                                 ended));
}

TEST_F(AlignmentsTest, WatchersSeeProgressThatNeverGoesBack) {
  ASSERT_THAT(Create(), IsOk());
  auto sink = std::make_shared<RecordingSink>();
  v1::WatchAlignmentRequest request;
  request.set_name(NameOf("first"));
  alignments_->Watch(request, sink);
  ASSERT_THAT(sink->Wait(), IsOk());
  std::pair<int, int64_t> last{0, 0};
  for (const v1::Alignment& seen : sink->seen()) {
    const std::pair<int, int64_t> now{seen.stage(), seen.steps_done()};
    EXPECT_GE(now, last);
    last = now;
    EXPECT_EQ(seen.has_report(), seen.state() == v1::ALIGNMENT_STATE_SUCCEEDED);
  }
  EXPECT_EQ(sink->seen().back().state(), v1::ALIGNMENT_STATE_SUCCEEDED);
}

TEST_F(AlignmentsTest, WatchingNothingIsNotFound) {
  auto sink = std::make_shared<RecordingSink>();
  v1::WatchAlignmentRequest request;
  request.set_name(NameOf("nowhere"));
  alignments_->Watch(request, sink);
  EXPECT_THAT(sink->Wait(), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(AlignmentsTest, RefusesTooFewLabelsAndKeepsNothing) {
  Open({.traces = 9});
  EXPECT_THAT(Create(), HasReason("TOO_FEW_LABELS"));
  v1::GetAlignmentRequest get;
  get.set_name(NameOf("first"));
  EXPECT_THAT(alignments_->Get(get), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(AlignmentsTest, RefusesBadRequests) {
  EXPECT_THAT(Create("Not a slug"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Create("first", "", "experiments/other/judges/quality"), HasFieldViolation("judge"));
  EXPECT_THAT(Create("first", "", "nonsense"), HasFieldViolation("judge"));
  EXPECT_THAT(Create("first", "", "experiments/support/judges/nobody"),
              StatusIs(absl::StatusCode::kNotFound));
  v1::GetAlignmentRequest get;
  get.set_name("nonsense");
  EXPECT_THAT(alignments_->Get(get), HasFieldViolation("name"));
}

TEST_F(AlignmentsTest, ARepeatedCreateGetsTheFirstAnswer) {
  ASSERT_THAT(Create("", "r1"), IsOk());
  const absl::StatusOr<v1::Alignment> again = Create("", "r1");
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->name(), Create("", "r1")->name());
  EXPECT_THAT(Create("other", "r1"), HasReason("REQUEST_ID_REUSED"));
  v1::ListAlignmentsRequest list;
  list.set_parent(kWorldExperiment);
  EXPECT_EQ(alignments_->List(list)->alignments_size(), 1);
}

TEST_F(AlignmentsTest, ATakenIdIsRefused) {
  ASSERT_THAT(Create(), IsOk());
  EXPECT_THAT(Create(), StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_F(AlignmentsTest, ListsPageByPage) {
  for (const char* id : {"c", "a", "b"}) ASSERT_THAT(Create(id), IsOk());
  v1::ListAlignmentsRequest list;
  list.set_parent(kWorldExperiment);
  list.set_page_size(2);
  const v1::ListAlignmentsResponse first = *alignments_->List(list);
  ASSERT_EQ(first.alignments_size(), 2);
  EXPECT_EQ(first.alignments(1).name(), NameOf("b"));
  list.set_page_token(first.next_page_token());
  const v1::ListAlignmentsResponse second = *alignments_->List(list);
  ASSERT_EQ(second.alignments_size(), 1);
  EXPECT_EQ(second.next_page_token(), "");
  list.set_page_token("nonsense");
  EXPECT_THAT(alignments_->List(list), HasReason("INVALID_PAGE_TOKEN"));
}

TEST_F(AlignmentsTest, ACancelledOneStops) {
  models_.back()->HangAfter(20);
  ASSERT_THAT(Create(), IsOk());
  EXPECT_EQ(Cancel("first")->state(), v1::ALIGNMENT_STATE_CANCELLED);
  EXPECT_EQ(WaitForEnd().state(), v1::ALIGNMENT_STATE_CANCELLED);
  EXPECT_EQ(Cancel("first")->state(), v1::ALIGNMENT_STATE_CANCELLED);
  EXPECT_THAT(Register(), HasReason("ALIGNMENT_NOT_FINISHED"));
  EXPECT_THAT(Cancel("nowhere"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(AlignmentsTest, GoesOnAfterARestartAndPaysForNothingTwice) {
  models_.back()->HangAfter(100);
  ASSERT_THAT(Create(), IsOk());
  while (models_.back()->judge_requests().size() < 100) std::this_thread::yield();
  FakeModels& before = *models_.back();
  models_.push_back(std::make_unique<FakeModels>(
      memory_.executor, [this](const auto& request) { return world_->Verdict(request); },
      [this](const auto& request) { return world_->Guidelines(request); }));
  Restart();
  v1::GetAlignmentRequest get;
  get.set_name(NameOf("first"));
  EXPECT_EQ(alignments_->Get(get)->alignment().state(), v1::ALIGNMENT_STATE_RUNNING);
  ASSERT_THAT(alignments_->ResumeRunning(), IsOk());
  EXPECT_EQ(WaitForEnd().state(), v1::ALIGNMENT_STATE_SUCCEEDED);
  std::set<std::string> paid;
  for (const auto& request : before.judge_requests()) paid.insert(request.request_id());
  int again = 0;
  for (const auto& request : models_.back()->judge_requests()) {
    again += static_cast<int>(paid.count(request.request_id()));
  }
  EXPECT_EQ(again, 0);
  EXPECT_TRUE(memory_.store.ListRunning()->empty());
}

TEST_F(AlignmentsTest, AFailureIsKeptWithItsReason) {
  models_.push_back(std::make_unique<FakeModels>(
      memory_.executor,
      [](const auto&) -> absl::StatusOr<std::string> {
        return MakeError(absl::StatusCode::kFailedPrecondition, "MODEL_NOT_CONFIGURED", "no key");
      },
      [](const auto&) -> absl::StatusOr<std::string> { return std::string(); }));
  Restart();
  ASSERT_THAT(Create(), IsOk());
  const v1::Alignment ended = WaitForEnd();
  EXPECT_EQ(ended.state(), v1::ALIGNMENT_STATE_FAILED);
  EXPECT_EQ(ended.error().code(), "MODEL_NOT_CONFIGURED");
  EXPECT_FALSE(ended.has_candidate());
}

TEST_F(AlignmentsTest, RegisteringMakesOneRevision) {
  ASSERT_THAT(Create(), IsOk());
  WaitForEnd();
  const absl::StatusOr<v1::RegisterAlignmentResponse> first =
      Register("production", false, false, "q1");
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(first->revision().revision(), 2);
  EXPECT_EQ(first->revision().alignment(), NameOf("first"));
  EXPECT_EQ(registry_.Alias(kWorldJudge, "production"), 2);
  EXPECT_EQ(Register("production", false, false, "q1")->revision().revision(), 2);
  EXPECT_EQ(Register("staging")->revision().revision(), 2);
  EXPECT_EQ(registry_.RevisionCount(kWorldJudge), 2u);
  EXPECT_EQ(registry_.Alias(kWorldJudge, "staging"), 2);
  EXPECT_THAT(Register("other", false, false, "q1"), HasReason("REQUEST_ID_REUSED"));
  EXPECT_EQ(registry_.Alias(kWorldJudge, "other"), 0);
  v1::GetAlignmentRequest get;
  get.set_name(NameOf("first"));
  EXPECT_EQ(alignments_->Get(get)->alignment().registered_revision(),
            std::string(kWorldJudge) + "/revisions/2");
}

TEST_F(AlignmentsTest, AnAliasNeedsEvidenceOrForce) {
  Open({.traces = 20, .trigger_share = 0});
  ASSERT_THAT(Create(), IsOk());
  WaitForEnd();
  EXPECT_THAT(Register("production"), HasReason("NO_EVIDENCE_OF_GAIN"));
  EXPECT_EQ(registry_.RevisionCount(kWorldJudge), 1u);
  EXPECT_THAT(Register("latest"), StatusIs(absl::StatusCode::kInvalidArgument));
  ASSERT_THAT(Register("production", /*force=*/true), IsOk());
  EXPECT_EQ(registry_.Alias(kWorldJudge, "production"), 2);
}

TEST_F(AlignmentsTest, AChangedJudgeIsAnObstacleUnlessAllowed) {
  ASSERT_THAT(Create(), IsOk());
  WaitForEnd();
  registry_.AddRevision(kWorldJudge, WorldJudge());
  EXPECT_THAT(Register(), HasReason("JUDGE_CHANGED"));
  EXPECT_EQ(registry_.RevisionCount(kWorldJudge), 2u);
  EXPECT_EQ(Register("", false, /*allow_newer=*/true)->revision().revision(), 3);
}

}  // namespace
}  // namespace assay::alignment
