// What every EvaluationStore must do. A test file instantiates EvaluationStoreConformance with
// fixtures that have `EvaluationStore& store()`.
#ifndef ASSAY_SERVICES_JUDGE_TESTING_EVALUATION_STORE_CONFORMANCE_H_
#define ASSAY_SERVICES_JUDGE_TESTING_EVALUATION_STORE_CONFORMANCE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/exec/await.h"
#include "common/json/json_value.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "common/strings/strings.h"
#include "services/judge/core/evaluation/evaluation_store.h"

namespace assay::judge {

template <class Fixture>
class EvaluationStoreConformance : public testing::Test {
 protected:
  using Record = storage::v1::EvaluationRecord;

  static std::vector<v1::EvaluationRow> Rows(int count, size_t bytes = 10) {
    std::vector<v1::EvaluationRow> rows(static_cast<size_t>(count));
    for (size_t i = 0; i < rows.size(); ++i) {
      *rows[i].mutable_inputs() =
          json::JsonFromText(StrCat("{\"i\":", i, ",\"pad\":\"", std::string(bytes, 'x'), "\"}"));
    }
    return rows;
  }

  absl::StatusOr<Record> Insert(const std::string& id, int rows, bool closed = false,
                                const std::string& request_id = "", const std::string& body = "") {
    Record record;
    record.set_schema_version(1);
    record.set_uid("uid-" + id);
    record.set_rows_total(rows);
    record.set_rows_closed(closed);
    record.mutable_evaluation()->set_name("experiments/e/evaluations/" + id);
    record.mutable_evaluation()->set_state(v1::EVALUATION_STATE_RUNNING);
    return Await<Record>([&](Done<Record> done) {
      store().Insert({"local", "CreateEvaluation", request_id, body}, record, Rows(rows),
                     std::move(done));
    });
  }

  absl::StatusOr<int64_t> Append(const std::string& id, int rows, bool last = false,
                                 const std::string& request_id = "") {
    return Await<int64_t>([&](Done<int64_t> done) {
      store().AppendRows({"local", "AppendEvaluationRows", request_id, "body"}, {"e", id},
                         Rows(rows), last, std::move(done));
    });
  }

  absl::StatusOr<Record> End(const std::string& id, v1::EvaluationState state,
                             std::optional<int64_t> if_rows = std::nullopt) {
    EvaluationEnd end;
    end.state = state;
    end.time = absl::FromUnixSeconds(1'800'000'100);
    end.if_rows = if_rows;
    return Await<Record>([&](Done<Record> done) { store().End({"e", id}, end, std::move(done)); });
  }

  absl::Status Commit(const std::string& id, int64_t row, int64_t rows_done) {
    v1::EvaluationRowResult result;
    result.set_row(row);
    result.set_done(true);
    storage::v1::EvaluationTallyRecord tally;
    tally.set_rows_done(rows_done);
    return store().CommitRows("uid-" + id, {result}, tally);
  }

  EvaluationStore& store() { return fixture_.store(); }

  Fixture fixture_;
};

TYPED_TEST_SUITE_P(EvaluationStoreConformance);

TYPED_TEST_P(EvaluationStoreConformance, FindsWhatWasInsertedAndNothingElse) {
  ASSERT_THAT(this->Insert("first", 2), IsOk());
  ASSERT_TRUE((*this->store().Find({"e", "first"})).has_value());
  EXPECT_EQ((*this->store().Find({"e", "first"}))->rows_total(), 2);
  EXPECT_FALSE((*this->store().Find({"e", "firs"})).has_value());
  EXPECT_FALSE((*this->store().Find({"x", "first"})).has_value());
}

TYPED_TEST_P(EvaluationStoreConformance, RefusesATakenName) {
  ASSERT_THAT(this->Insert("first", 1), IsOk());
  EXPECT_THAT(this->Insert("first", 1), StatusIs(absl::StatusCode::kAlreadyExists));
}

TYPED_TEST_P(EvaluationStoreConformance, ARepeatedRequestGetsTheFirstAnswer) {
  ASSERT_THAT(this->Insert("first", 1, false, "r1", "a"), IsOk());
  EXPECT_THAT(this->Insert("first", 1, false, "r1", "a"), IsOk());
  EXPECT_THAT(this->Insert("first", 1, false, "r1", "b"), HasReason("REQUEST_ID_REUSED"));
  EXPECT_THAT(this->Append("first", 2, false, "r2"), IsOkAndHolds(3));
  EXPECT_THAT(this->Append("first", 2, false, "r2"), IsOkAndHolds(3));
  EXPECT_EQ((*this->store().ReadRows("uid-first", 0, 10)).size(), 3u);
}

TYPED_TEST_P(EvaluationStoreConformance, ListsByIdAfterACursor) {
  for (const char* id : {"b", "a", "c"}) ASSERT_THAT(this->Insert(id, 1), IsOk());
  const auto listed = *this->store().List("e", "a", 10);
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].uid(), "uid-b");
  EXPECT_EQ(listed[1].uid(), "uid-c");
}

TYPED_TEST_P(EvaluationStoreConformance, RowsComeInOrderWithTheirResults) {
  ASSERT_THAT(this->Insert("first", 300), IsOk());
  ASSERT_THAT(this->Commit("first", 257, 1), IsOk());
  const auto rows = *this->store().ReadRows("uid-first", 255, 4);
  ASSERT_EQ(rows.size(), 4u);
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].index, static_cast<int64_t>(255 + i));
    EXPECT_EQ(rows[i].result.has_value(), rows[i].index == 257);
  }
  EXPECT_TRUE((*this->store().ReadRows("uid-first", 300, 4)).empty());
}

TYPED_TEST_P(EvaluationStoreConformance, LargeRowsComeInSmallerPortions) {
  ASSERT_THAT(this->Insert("first", 0), IsOk());
  for (int i = 0; i < 10; ++i) {
    ASSERT_THAT(Await<int64_t>([&](Done<int64_t> done) {
                  this->store().AppendRows({}, {"e", "first"}, this->Rows(1, 9 << 20), false,
                                           std::move(done));
                }),
                IsOk());
  }
  const auto rows = this->store().ReadRows("uid-first", 0, 10);
  ASSERT_THAT(rows, IsOk());
  EXPECT_GE(rows->size(), 1u);
  EXPECT_LT(rows->size(), 10u);
}

TYPED_TEST_P(EvaluationStoreConformance, ClosedRowsTakeNoMore) {
  ASSERT_THAT(this->Insert("first", 1), IsOk());
  EXPECT_THAT(this->Append("first", 1, /*last=*/true), IsOkAndHolds(2));
  EXPECT_THAT(this->Append("first", 1), HasReason("ROWS_CLOSED"));
  EXPECT_THAT(this->Append("nowhere", 1), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ((*this->store().ReadRows("uid-first", 0, 10)).size(), 2u);
}

TYPED_TEST_P(EvaluationStoreConformance, OnlyRunningOnesAreListedAsRunning) {
  ASSERT_THAT(this->Insert("a", 1), IsOk());
  ASSERT_THAT(this->Insert("b", 1), IsOk());
  ASSERT_THAT(this->End("a", v1::EVALUATION_STATE_CANCELLED), IsOk());
  EXPECT_THAT(this->store().ListRunning(),
              IsOkAndHolds(testing::ElementsAre(names::EvaluationName{"e", "b"})));
}

TYPED_TEST_P(EvaluationStoreConformance, TheFirstEndStays) {
  ASSERT_THAT(this->Insert("a", 1, /*closed=*/true), IsOk());
  EXPECT_EQ(this->End("a", v1::EVALUATION_STATE_CANCELLED)->evaluation().state(),
            v1::EVALUATION_STATE_CANCELLED);
  EXPECT_EQ(this->End("a", v1::EVALUATION_STATE_SUCCEEDED)->evaluation().state(),
            v1::EVALUATION_STATE_CANCELLED);
  EXPECT_THAT(this->End("nowhere", v1::EVALUATION_STATE_CANCELLED),
              StatusIs(absl::StatusCode::kNotFound));
}

TYPED_TEST_P(EvaluationStoreConformance, AnEndOnAConditionWaitsForEveryRow) {
  ASSERT_THAT(this->Insert("a", 1), IsOk());
  EXPECT_EQ(this->End("a", v1::EVALUATION_STATE_SUCCEEDED, 1)->evaluation().state(),
            v1::EVALUATION_STATE_RUNNING);
  ASSERT_THAT(this->Append("a", 1, /*last=*/true), IsOk());
  EXPECT_EQ(this->End("a", v1::EVALUATION_STATE_SUCCEEDED, 1)->evaluation().state(),
            v1::EVALUATION_STATE_RUNNING);
  EXPECT_EQ(this->End("a", v1::EVALUATION_STATE_SUCCEEDED, 2)->evaluation().state(),
            v1::EVALUATION_STATE_SUCCEEDED);
}

TYPED_TEST_P(EvaluationStoreConformance, NothingIsCountedAfterTheEnd) {
  ASSERT_THAT(this->Insert("a", 2), IsOk());
  ASSERT_THAT(this->Commit("a", 0, 1), IsOk());
  ASSERT_THAT(this->End("a", v1::EVALUATION_STATE_CANCELLED), IsOk());
  EXPECT_THAT(this->Commit("a", 1, 2), HasReason("EVALUATION_ENDED"));
  EXPECT_EQ(this->store().FindTally("uid-a")->rows_done(), 1);
  EXPECT_FALSE((*this->store().ReadRows("uid-a", 1, 1))[0].result.has_value());
}

TYPED_TEST_P(EvaluationStoreConformance, TheTallyBeginsAtZero) {
  EXPECT_EQ(this->store().FindTally("uid-a")->rows_done(), 0);
}

TYPED_TEST_P(EvaluationStoreConformance, JournalsAreKeptApartAndForgotten) {
  auto record = [&](jobs::Journal& journal, const std::string& answer) {
    return Await<int>([&](Done<int> done) {
             journal.Record("step", answer, [done = std::move(done)](absl::Status status) mutable {
               if (!status.ok()) return std::move(done)(status);
               std::move(done)(1);
             });
           })
        .status();
  };
  ASSERT_THAT(record(*this->store().OpenJournal("a"), "x"), IsOk());
  ASSERT_THAT(record(*this->store().OpenJournal("b"), "y"), IsOk());
  ASSERT_THAT(this->store().ForgetJournal("a"), IsOk());
  EXPECT_FALSE((*this->store().OpenJournal("a")->Find("step")).has_value());
  EXPECT_EQ(*this->store().OpenJournal("b")->Find("step"), "y");
}

REGISTER_TYPED_TEST_SUITE_P(EvaluationStoreConformance, FindsWhatWasInsertedAndNothingElse,
                            RefusesATakenName, ARepeatedRequestGetsTheFirstAnswer,
                            ListsByIdAfterACursor, RowsComeInOrderWithTheirResults,
                            LargeRowsComeInSmallerPortions, ClosedRowsTakeNoMore,
                            OnlyRunningOnesAreListedAsRunning, TheFirstEndStays,
                            AnEndOnAConditionWaitsForEveryRow, NothingIsCountedAfterTheEnd,
                            TheTallyBeginsAtZero, JournalsAreKeptApartAndForgotten);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_TESTING_EVALUATION_STORE_CONFORMANCE_H_
