// What every FeedbackStore must do. A test file instantiates FeedbackStoreConformance with fixtures
// that have `KvFeedbackStore& store()` (a FeedbackStore and its Outbox).
#ifndef ASSAY_SERVICES_FEEDBACK_TESTING_FEEDBACK_STORE_CONFORMANCE_H_
#define ASSAY_SERVICES_FEEDBACK_TESTING_FEEDBACK_STORE_CONFORMANCE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "services/feedback/core/override_chain.h"
#include "services/feedback/testing/example_assessments.h"
#include "services/feedback/testing/in_memory_feedback.h"

namespace assay::feedback {

template <class Fixture>
class FeedbackStoreConformance : public testing::Test {
 protected:
  static names::AssessmentName Name(const std::string& id) { return {"support", id}; }

  static v1::Assessment Named(const std::string& id, v1::Assessment assessment) {
    assessment.set_name(Name(id).ToString());
    assessment.set_valid(true);
    assessment.set_etag("\"" + id + "-1\"");
    return assessment;
  }
  static v1::Assessment Human(const std::string& id, int trace = 1) {
    return Named(id, ExampleFeedback(trace, common::v1::SOURCE_KIND_HUMAN));
  }
  static v1::Assessment Judge(const std::string& id, int trace = 1) {
    return Named(id, ExampleFeedback(trace, common::v1::SOURCE_KIND_LLM_JUDGE));
  }

  absl::StatusOr<Written> Insert(
      std::vector<v1::Assessment> assessments, const std::string& request_id = "",
      const std::string& body = "",
      FeedbackStore::IfTaken if_taken = FeedbackStore::IfTaken::kRefuse) {
    return Await<Written>([&](Done<Written> done) {
      fixture_.store().Insert(RequestKey{"local", "Create", request_id, body},
                              std::move(assessments), if_taken, std::move(done));
    });
  }
  absl::StatusOr<Written> InsertOrKeep(std::vector<v1::Assessment> assessments) {
    return Insert(std::move(assessments), "", "", FeedbackStore::IfTaken::kKeep);
  }
  absl::StatusOr<Written> Rename(const std::string& id, const std::string& assessment_name) {
    return Await<Written>([&](Done<Written> done) {
      fixture_.store().ChangeOne(
          {}, Name(id),
          [&](const v1::Assessment& current) {
            v1::Assessment changed = current;
            changed.set_assessment_name(assessment_name);
            return changed;
          },
          std::move(done));
    });
  }
  absl::StatusOr<Written> Override(const std::string& id, const std::string& successor) {
    return Await<Written>([&](Done<Written> done) {
      fixture_.store().OverrideOne(
          {}, Name(id),
          [&](const v1::Assessment& current) {
            return OverrideWith(current, Human(successor), absl::UnixEpoch());
          },
          std::move(done));
    });
  }
  absl::StatusOr<Written> Delete(const std::string& id) {
    return Await<Written>([&](Done<Written> done) {
      fixture_.store().DeleteOne(
          {}, Name(id),
          [](const v1::Assessment& current, FeedbackStore::Neighbours& neighbours) {
            UnlinkFromChain(current, absl::UnixEpoch(), neighbours);
            return absl::OkStatus();
          },
          std::move(done));
    });
  }

  bool IsValid(const std::string& id) {
    const auto found = *fixture_.store().Find(Name(id));
    return found.has_value() && found->valid();
  }
  std::vector<std::string> Ids(const AssessmentPage& page) {
    std::vector<std::string> ids;
    for (const Placed& placed : page.assessments) {
      ids.push_back(names::AssessmentName::Parse(placed.assessment.name())->assessment);
    }
    return ids;
  }
  std::vector<std::string> List(const std::string& trace = "", int64_t after = 0, int limit = 100) {
    return Ids(*fixture_.store().List({"support", trace, after, limit}));
  }
  LabelledPage Labelled(std::vector<common::v1::SourceKind> kinds, const std::string& after = "",
                        int limit = 100) {
    return *fixture_.store().ListLabelled(
        {"support", "support_quality", std::move(kinds), after, limit});
  }
  std::vector<std::string> LabelledIds(std::vector<common::v1::SourceKind> kinds) {
    std::vector<std::string> traces;
    for (const LabelledTrace& trace : Labelled(std::move(kinds)).traces)
      traces.push_back(trace.trace);
    return traces;
  }
  std::vector<int64_t> PendingSequences() {
    std::vector<int64_t> sequences;
    const auto changes = *fixture_.store().Pending(1000, 1 << 20);
    for (const trace::v1::AssessmentChange& change : changes) {
      sequences.push_back(change.sequence());
    }
    return sequences;
  }

  static constexpr auto kHuman = common::v1::SOURCE_KIND_HUMAN;
  static constexpr auto kJudge = common::v1::SOURCE_KIND_LLM_JUDGE;

  Fixture fixture_;
};

TYPED_TEST_SUITE_P(FeedbackStoreConformance);

TYPED_TEST_P(FeedbackStoreConformance, FindsWhatWasInsertedAndNothingElse) {
  ASSERT_THAT(this->Insert({this->Human("a")}), IsOk());
  EXPECT_TRUE((*this->fixture_.store().Find({"support", "a"})).has_value());
  EXPECT_FALSE((*this->fixture_.store().Find({"support", "b"})).has_value());
  EXPECT_FALSE((*this->fixture_.store().Find({"suppor", "ta"})).has_value());
}

TYPED_TEST_P(FeedbackStoreConformance, InsertsAllOrNone) {
  ASSERT_THAT(this->Insert({this->Human("a")}), IsOk());
  EXPECT_THAT(this->Insert({this->Human("b"), this->Human("a")}),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(this->List(), testing::ElementsAre("a"));
  EXPECT_EQ(this->PendingSequences().size(), 1u);
}

TYPED_TEST_P(FeedbackStoreConformance, KeepsWhatIsThereAndInsertsTheRest) {
  const int64_t first = this->InsertOrKeep({this->Human("a"), this->Human("b")})->sequence;
  ASSERT_THAT(this->Rename("a", "renamed"), IsOk());
  ASSERT_THAT(this->Delete("b"), IsOk());
  const Written mixed = *this->InsertOrKeep({this->Human("b"), this->Human("c"), this->Human("a")});
  ASSERT_EQ(mixed.assessments.size(), 3u);
  EXPECT_EQ(mixed.assessments[0].name(), this->Name("b").ToString());
  EXPECT_EQ(mixed.assessments[1].name(), this->Name("c").ToString());
  EXPECT_EQ(mixed.assessments[2].assessment_name(), "renamed");
  EXPECT_GT(mixed.sequence, first);
  EXPECT_THAT(this->List(), testing::ElementsAre("a", "c"));
  const size_t changes = this->PendingSequences().size();
  const Written again = *this->InsertOrKeep({this->Human("a"), this->Human("c")});
  EXPECT_EQ(again.sequence, mixed.sequence);
  EXPECT_EQ(this->PendingSequences().size(), changes);
}

TYPED_TEST_P(FeedbackStoreConformance, KeepsNothingOfAnotherTrace) {
  ASSERT_THAT(this->InsertOrKeep({this->Human("a", 1)}), IsOk());
  EXPECT_THAT(this->InsertOrKeep({this->Human("b", 1), this->Human("a", 2)}),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(this->List(), testing::ElementsAre("a"));
}

TYPED_TEST_P(FeedbackStoreConformance, ARepeatedRequestGetsTheFirstAnswer) {
  const Written first = *this->Insert({this->Human("a")}, "r1", "x");
  const Written second = *this->Insert({this->Human("b")}, "r1", "x");
  EXPECT_EQ(second.assessments[0].name(), first.assessments[0].name());
  EXPECT_EQ(second.sequence, first.sequence);
  EXPECT_THAT(this->Insert({this->Human("b")}, "r1", "y"), HasReason("REQUEST_ID_REUSED"));
  EXPECT_THAT(this->List(), testing::ElementsAre("a"));
}

TYPED_TEST_P(FeedbackStoreConformance, ListsInOrderOfCreationAndByTrace) {
  ASSERT_THAT(this->Insert({this->Human("z", 1), this->Human("b", 2), this->Human("a", 1)}),
              IsOk());
  ASSERT_THAT(this->Rename("z", "other"), IsOk());
  EXPECT_THAT(this->List(), testing::ElementsAre("z", "b", "a"));
  EXPECT_THAT(this->List(TraceId(1)), testing::ElementsAre("z", "a"));
  const AssessmentPage page = *this->fixture_.store().List({"support", "", 0, 2});
  EXPECT_TRUE(page.more);
  EXPECT_THAT(this->List("", page.assessments[1].sequence), testing::ElementsAre("a"));
}

TYPED_TEST_P(FeedbackStoreConformance, KeepsEveryRevision) {
  ASSERT_THAT(this->Insert({this->Human("a")}), IsOk());
  ASSERT_THAT(this->Rename("a", "second"), IsOk());
  ASSERT_THAT(this->Rename("a", "third"), IsOk());
  const auto revisions = *this->fixture_.store().ListRevisions({"support", "a"});
  ASSERT_EQ(revisions.size(), 3u);
  EXPECT_EQ(revisions[0].assessment_name(), "support_quality");
  EXPECT_EQ(revisions[1].assessment_name(), "second");
  EXPECT_EQ(revisions[2].assessment_name(), "third");
  ASSERT_THAT(this->Delete("a"), IsOk());
  EXPECT_EQ(this->fixture_.store().ListRevisions({"support", "a"})->size(), 3u);
}

TYPED_TEST_P(FeedbackStoreConformance, ADeletedIdIsGoneAndStaysTaken) {
  ASSERT_THAT(this->Insert({this->Human("a")}), IsOk());
  const int64_t deleted = this->Delete("a")->sequence;
  EXPECT_FALSE((*this->fixture_.store().Find({"support", "a"})).has_value());
  EXPECT_THAT(this->List(), testing::IsEmpty());
  EXPECT_THAT(this->Insert({this->Human("a")}), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(this->Rename("a", "x"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(this->Delete("a")->sequence, deleted);
  EXPECT_EQ(this->Delete("never_was")->sequence, 0);
}

TYPED_TEST_P(FeedbackStoreConformance, OnlyTheNewestOfAChainCounts) {
  ASSERT_THAT(this->Insert({this->Human("a")}), IsOk());
  ASSERT_THAT(this->Override("a", "b"), IsOk());
  ASSERT_THAT(this->Override("b", "c"), IsOk());
  EXPECT_THAT(this->Override("a", "d"), HasReason("ALREADY_OVERRIDDEN"));
  EXPECT_FALSE(this->IsValid("a"));
  EXPECT_FALSE(this->IsValid("b"));
  EXPECT_TRUE(this->IsValid("c"));
  ASSERT_THAT(this->Delete("c"), IsOk());
  EXPECT_TRUE(this->IsValid("b"));
  EXPECT_FALSE(this->IsValid("a"));
  ASSERT_THAT(this->Delete("b"), IsOk());
  EXPECT_TRUE(this->IsValid("a"));
}

TYPED_TEST_P(FeedbackStoreConformance, DeletingTheMiddleOfAChainJoinsItsEnds) {
  ASSERT_THAT(this->Insert({this->Human("a")}), IsOk());
  ASSERT_THAT(this->Override("a", "b"), IsOk());
  ASSERT_THAT(this->Override("b", "c"), IsOk());
  ASSERT_THAT(this->Delete("b"), IsOk());
  EXPECT_FALSE(this->IsValid("a"));
  EXPECT_EQ((*this->fixture_.store().Find({"support", "c"}))->overrides(),
            "experiments/support/assessments/a");
  ASSERT_THAT(this->Delete("c"), IsOk());
  EXPECT_TRUE(this->IsValid("a"));
}

TYPED_TEST_P(FeedbackStoreConformance, ListsTracesThatAllKindsLabelled) {
  ASSERT_THAT(this->Insert({this->Human("h1", 1), this->Judge("j2", 2), this->Human("h3", 3),
                            this->Judge("j3", 3), this->Judge("j4", 4), this->Human("h5", 5),
                            this->Judge("j5", 5)}),
              IsOk());
  EXPECT_THAT(this->LabelledIds({this->kHuman, this->kJudge}),
              testing::ElementsAre(TraceId(3), TraceId(5)));
  EXPECT_THAT(this->LabelledIds({this->kHuman}),
              testing::ElementsAre(TraceId(1), TraceId(3), TraceId(5)));
  const LabelledPage first = this->Labelled({this->kHuman, this->kJudge}, "", 1);
  ASSERT_EQ(first.traces.size(), 1u);
  EXPECT_EQ(first.traces[0].assessments.size(), 2u);
  const LabelledPage second =
      this->Labelled({this->kHuman, this->kJudge}, first.next_after_trace, 1);
  ASSERT_EQ(second.traces.size(), 1u);
  EXPECT_EQ(second.traces[0].trace, TraceId(5));
  EXPECT_EQ(second.next_after_trace, "");
}

TYPED_TEST_P(FeedbackStoreConformance, LabelsThatDoNotCountAreLeftOut) {
  v1::Assessment expectation = ExampleExpectation(1);
  expectation.set_assessment_name("support_quality");
  ASSERT_THAT(this->Insert({this->Judge("j", 1), this->Named("e", expectation)}), IsOk());
  EXPECT_THAT(this->LabelledIds({this->kHuman, this->kJudge}), testing::IsEmpty());
  ASSERT_THAT(this->Insert({this->Human("h", 1)}), IsOk());
  EXPECT_THAT(this->LabelledIds({this->kHuman, this->kJudge}), testing::SizeIs(1));
  ASSERT_THAT(this->Rename("h", "other"), IsOk());
  EXPECT_THAT(this->LabelledIds({this->kHuman, this->kJudge}), testing::IsEmpty());
  ASSERT_THAT(this->Rename("h", "support_quality"), IsOk());
  ASSERT_THAT(this->Override("h", "h2"), IsOk());
  const LabelledPage page = this->Labelled({this->kHuman, this->kJudge});
  ASSERT_EQ(page.traces.size(), 1u);
  ASSERT_EQ(page.traces[0].assessments.size(), 2u);
  EXPECT_EQ(page.traces[0].assessments[1].assessment.name(), "experiments/support/assessments/h2");
  ASSERT_THAT(this->Delete("h2"), IsOk());
  ASSERT_THAT(this->Delete("h"), IsOk());
  EXPECT_THAT(this->LabelledIds({this->kHuman, this->kJudge}), testing::IsEmpty());
}

TYPED_TEST_P(FeedbackStoreConformance, EveryChangeLiesInTheOutboxUntilItIsAcknowledged) {
  const int64_t created = this->Insert({this->Human("a"), this->Human("b")})->sequence;
  const int64_t overridden = this->Override("a", "c")->sequence;
  const std::vector<int64_t> all = this->PendingSequences();
  ASSERT_EQ(all.size(), 4u);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  EXPECT_EQ(all[1], created);
  EXPECT_EQ(all[3], overridden);
  const auto changes = *this->fixture_.store().Pending(1000, 1 << 20);
  EXPECT_FALSE(changes[2].valid());
  EXPECT_EQ(changes[2].digest().assessment(), "experiments/support/assessments/a");
  EXPECT_TRUE(changes[3].valid());
  EXPECT_EQ(changes[3].digest().value().json_text(), "\"good\"");
  EXPECT_EQ(this->fixture_.store().Pending(3, 1 << 20)->size(), 3u);
  EXPECT_EQ(this->fixture_.store().Pending(1000, 1)->size(), 1u);

  ASSERT_THAT(this->fixture_.store().Acknowledge(created), IsOk());
  EXPECT_THAT(this->PendingSequences(), testing::ElementsAre(all[2], all[3]));
  ASSERT_THAT(this->fixture_.store().Acknowledge(overridden), IsOk());
  EXPECT_THAT(this->PendingSequences(), testing::IsEmpty());
  EXPECT_GT(this->Delete("b")->sequence, overridden);
  EXPECT_FALSE(this->fixture_.store().Pending(10, 1 << 20)->front().valid());
}

// Reads the outbox while many write: whatever is shown, nothing smaller may turn up later.
TYPED_TEST_P(FeedbackStoreConformance, TheOutboxNeverShowsAGapThatFillsLater) {
  constexpr int kWrites = 200;
  std::atomic<int> answered = 0;
  Notification all_answered;
  for (int i = 0; i < kWrites; ++i) {
    this->fixture_.store().Insert({}, {this->Human("a" + std::to_string(i))},
                                  FeedbackStore::IfTaken::kRefuse,
                                  [&](absl::StatusOr<Written> written) {
                                    EXPECT_THAT(written, IsOk());
                                    if (++answered == kWrites) all_answered.Notify();
                                  });
  }
  std::vector<int64_t> shown;
  for (bool last = false; !last;) {
    last = all_answered.HasBeenNotified();
    const std::vector<int64_t> now = this->PendingSequences();
    ASSERT_GE(now.size(), shown.size());
    ASSERT_TRUE(std::equal(shown.begin(), shown.end(), now.begin()));
    shown = now;
  }
  EXPECT_EQ(shown.size(), static_cast<size_t>(kWrites));
}

REGISTER_TYPED_TEST_SUITE_P(FeedbackStoreConformance, FindsWhatWasInsertedAndNothingElse,
                            InsertsAllOrNone, KeepsWhatIsThereAndInsertsTheRest,
                            KeepsNothingOfAnotherTrace, ARepeatedRequestGetsTheFirstAnswer,
                            ListsInOrderOfCreationAndByTrace, KeepsEveryRevision,
                            ADeletedIdIsGoneAndStaysTaken, OnlyTheNewestOfAChainCounts,
                            DeletingTheMiddleOfAChainJoinsItsEnds, ListsTracesThatAllKindsLabelled,
                            LabelsThatDoNotCountAreLeftOut,
                            EveryChangeLiesInTheOutboxUntilItIsAcknowledged,
                            TheOutboxNeverShowsAGapThatFillsLater);

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_TESTING_FEEDBACK_STORE_CONFORMANCE_H_
