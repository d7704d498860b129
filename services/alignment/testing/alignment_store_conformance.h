// What every AlignmentStore must do. A test file instantiates AlignmentStoreConformance with
// fixtures that have `AlignmentStore& store()`.
#ifndef ASSAY_SERVICES_ALIGNMENT_TESTING_ALIGNMENT_STORE_CONFORMANCE_H_
#define ASSAY_SERVICES_ALIGNMENT_TESTING_ALIGNMENT_STORE_CONFORMANCE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/exec/await.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "services/alignment/core/alignment_store.h"

namespace assay::alignment {

template <class Fixture>
class AlignmentStoreConformance : public testing::Test {
 protected:
  static AlignmentInput Input(int cases) {
    AlignmentInput input{"uid", "experiments/e/judges/j", {}, {}};
    input.base.mutable_instructions()->set_instructions("{{ outputs }}");
    for (int i = 0; i < cases; ++i) {
      LabelledCase one;
      one.trace = "experiments/e/traces/" + std::to_string(i);
      one.inputs = "{\"i\": " + std::to_string(i) + "}";
      one.value = "\"good\"";
      one.key = "good";
      one.labels = {{"ann", "good"}, {"bob", "poor"}};
      one.cluster = i;
      input.cases.push_back(std::move(one));
    }
    return input;
  }

  absl::StatusOr<v1::Alignment> Insert(const std::string& id, RequestKey key = {}, int cases = 2,
                                       const std::string& experiment = "e") {
    v1::Alignment alignment;
    alignment.set_name("experiments/" + experiment + "/alignments/" + id);
    alignment.set_state(v1::ALIGNMENT_STATE_RUNNING);
    return Await<v1::Alignment>(
        [&](auto done) { fixture_.store().Insert(key, alignment, Input(cases), std::move(done)); });
  }

  absl::StatusOr<v1::Alignment> SetState(const std::string& id, v1::AlignmentState state,
                                         std::optional<AlignmentResult> result = std::nullopt) {
    return Await<v1::Alignment>([&](auto done) {
      fixture_.store().Apply(
          {}, {"e", id},
          [state](const v1::Alignment& current) -> absl::StatusOr<v1::Alignment> {
            v1::Alignment changed = current;
            changed.set_state(state);
            return changed;
          },
          result, std::move(done));
    });
  }

  absl::StatusOr<std::optional<v1::Alignment>> FindAnswer(const RequestKey& key) {
    return Await<std::optional<v1::Alignment>>(
        [&](auto done) { fixture_.store().FindAnswer(key, std::move(done)); });
  }

  Fixture fixture_;
};

TYPED_TEST_SUITE_P(AlignmentStoreConformance);

TYPED_TEST_P(AlignmentStoreConformance, FindsWhatWasInsertedAndNothingElse) {
  ASSERT_THAT(this->Insert("a"), IsOk());
  EXPECT_TRUE((*this->fixture_.store().Find({"e", "a"})).has_value());
  EXPECT_FALSE((*this->fixture_.store().Find({"e", "b"})).has_value());
  EXPECT_THAT(this->Insert("a"), StatusIs(absl::StatusCode::kAlreadyExists));
}

TYPED_TEST_P(AlignmentStoreConformance, ReadsTheWholeInputBack) {
  ASSERT_THAT(this->Insert("a", {}, 1203), IsOk());
  ASSERT_THAT(this->Insert("b", {}, 1), IsOk());
  const absl::StatusOr<AlignmentInput> input = this->fixture_.store().ReadInput({"e", "a"});
  ASSERT_THAT(input, IsOk());
  EXPECT_EQ(input->cases, this->Input(1203).cases);
  EXPECT_EQ(input->judge, "experiments/e/judges/j");
  EXPECT_EQ(input->base.instructions().instructions(), "{{ outputs }}");
  EXPECT_THAT(this->fixture_.store().ReadInput({"e", "c"}), StatusIs(absl::StatusCode::kNotFound));
}

TYPED_TEST_P(AlignmentStoreConformance, ARepeatedRequestGetsTheFirstAnswer) {
  const RequestKey key{"local", "CreateAlignment", "r1", "body"};
  EXPECT_EQ(*this->FindAnswer(key), std::nullopt);
  ASSERT_THAT(this->Insert("a", key), IsOk());
  EXPECT_EQ((**this->FindAnswer(key)).name(), "experiments/e/alignments/a");
  EXPECT_EQ(this->Insert("b", key)->name(), "experiments/e/alignments/a");
  EXPECT_THAT(this->FindAnswer({"local", "CreateAlignment", "r1", "other"}),
              HasReason("REQUEST_ID_REUSED"));
  EXPECT_EQ(*this->FindAnswer({"local", "CreateAlignment", "", ""}), std::nullopt);
}

TYPED_TEST_P(AlignmentStoreConformance, ListsRunningOnesUntilTheyEnd) {
  ASSERT_THAT(this->Insert("a"), IsOk());
  ASSERT_THAT(this->Insert("b"), IsOk());
  EXPECT_EQ(this->fixture_.store().ListRunning()->size(), 2u);
  ASSERT_THAT(this->SetState("a", v1::ALIGNMENT_STATE_CANCELLED), IsOk());
  const std::vector<names::AlignmentName> running = *this->fixture_.store().ListRunning();
  ASSERT_EQ(running.size(), 1u);
  EXPECT_EQ(running[0].alignment, "b");
}

TYPED_TEST_P(AlignmentStoreConformance, KeepsTheResultWithTheEnd) {
  ASSERT_THAT(this->Insert("a"), IsOk());
  EXPECT_EQ(*this->fixture_.store().FindResult({"e", "a"}), std::nullopt);
  AlignmentResult result;
  result.candidate.set_model("offline:/lexical");
  result.report.set_conclusion(v1::CONCLUSION_GAIN);
  ASSERT_THAT(this->SetState("a", v1::ALIGNMENT_STATE_SUCCEEDED, result), IsOk());
  const auto kept = *this->fixture_.store().FindResult({"e", "a"});
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(kept->candidate.model(), "offline:/lexical");
  EXPECT_EQ(kept->report.conclusion(), v1::CONCLUSION_GAIN);
}

TYPED_TEST_P(AlignmentStoreConformance, AFailedChangeChangesNothing) {
  ASSERT_THAT(this->Insert("a"), IsOk());
  const absl::StatusOr<v1::Alignment> answer = Await<v1::Alignment>([&](auto done) {
    this->fixture_.store().Apply(
        {}, {"e", "a"},
        [](const v1::Alignment&) -> absl::StatusOr<v1::Alignment> {
          return absl::FailedPreconditionError("no");
        },
        AlignmentResult{}, std::move(done));
  });
  EXPECT_THAT(answer, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(*this->fixture_.store().FindResult({"e", "a"}), std::nullopt);
  EXPECT_THAT(this->SetState("z", v1::ALIGNMENT_STATE_FAILED),
              StatusIs(absl::StatusCode::kNotFound));
}

TYPED_TEST_P(AlignmentStoreConformance, ListsByIdAfterACursor) {
  for (const char* id : {"b", "a", "c"}) ASSERT_THAT(this->Insert(id), IsOk());
  ASSERT_THAT(this->Insert("d", {}, 1, "eb"), IsOk());
  std::vector<std::string> seen;
  const std::vector<v1::Alignment> listed = *this->fixture_.store().List("e", "a", 10);
  for (const v1::Alignment& one : listed) {
    seen.push_back(one.name());
  }
  EXPECT_THAT(seen,
              testing::ElementsAre("experiments/e/alignments/b", "experiments/e/alignments/c"));
}

TYPED_TEST_P(AlignmentStoreConformance, JournalsBelongToTheirUid) {
  const auto journal = this->fixture_.store().OpenJournal("u1");
  const absl::StatusOr<bool> recorded = Await<bool>([&](auto done) {
    journal->Record("step", "answer", [done = std::move(done)](absl::Status status) mutable {
      if (!status.ok()) return std::move(done)(status);
      std::move(done)(true);
    });
  });
  ASSERT_THAT(recorded, IsOk());
  EXPECT_EQ(**this->fixture_.store().OpenJournal("u1")->Find("step"), "answer");
  EXPECT_EQ(*this->fixture_.store().OpenJournal("u2")->Find("step"), std::nullopt);
  ASSERT_THAT(this->fixture_.store().ForgetJournal("u1"), IsOk());
  EXPECT_EQ(*journal->Find("step"), std::nullopt);
}

REGISTER_TYPED_TEST_SUITE_P(AlignmentStoreConformance, FindsWhatWasInsertedAndNothingElse,
                            ReadsTheWholeInputBack, ARepeatedRequestGetsTheFirstAnswer,
                            ListsRunningOnesUntilTheyEnd, KeepsTheResultWithTheEnd,
                            AFailedChangeChangesNothing, ListsByIdAfterACursor,
                            JournalsBelongToTheirUid);

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_TESTING_ALIGNMENT_STORE_CONFORMANCE_H_
