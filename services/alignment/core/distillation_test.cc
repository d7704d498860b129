#include "services/alignment/core/distillation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "common/json/safe_json.h"
#include "common/status/status_matchers.h"
#include "services/alignment/testing/planted_world.h"

namespace assay::alignment {
namespace {

LabelledCase Case(int index) {
  LabelledCase labelled;
  labelled.trace = WorldTrace(index);
  labelled.inputs = "{\n  \"q\": 1\n}";
  labelled.outputs = "\"a\"";
  labelled.value = "\"poor\"";
  labelled.key = "poor";
  labelled.rationale = "too \"short\"\nand rude";
  return labelled;
}

Judgement Says(const std::string& key) {
  Judgement judgement;
  judgement.has_value = true;
  judgement.key = key;
  judgement.value = "\"" + key + "\"";
  return judgement;
}

DistillationBatch BatchOf(int count) {
  DistillationBatch batch;
  for (int i = 0; i < count; ++i) {
    batch.records.push_back("{}");
    batch.traces.push_back(WorldTrace(i));
  }
  return batch;
}

std::string Id(int index) { return TraceIdOf(WorldTrace(index)); }

TEST(DistillationTest, ARecordIsOneLineOfJson) {
  const std::string record = FeedbackRecord(Case(0), Says("good"));
  EXPECT_EQ(record.find('\n'), std::string::npos);
  const absl::StatusOr<json::Node> node = json::ParseJson(record);
  ASSERT_THAT(node, IsOk());
  EXPECT_EQ(node->Find("trace")->text, Id(0));
  EXPECT_EQ(node->Find("inputs")->ToJson(), "{\"q\":1}");
  EXPECT_EQ(node->Find("judge_value")->text, "good");
  EXPECT_EQ(node->Find("human_value")->text, "poor");
  EXPECT_EQ(node->Find("rationale")->text, "too \"short\"\nand rude");
}

TEST(DistillationTest, LongContentIsCut) {
  LabelledCase labelled = Case(0);
  labelled.inputs = "\"" + std::string(100'000, 'x') + "\"";
  labelled.rationale = std::string(50'000, 'y');
  const std::string record = FeedbackRecord(labelled, Says("good"));
  EXPECT_LT(record.size(), 8'000u);
  EXPECT_THAT(json::ParseJson(record), IsOk());
}

std::vector<LabelledCase> Cases(int count) {
  std::vector<LabelledCase> cases;
  for (int i = 0; i < count; ++i) cases.push_back(Case(i));
  return cases;
}

std::vector<size_t> All(size_t count) {
  std::vector<size_t> all(count);
  std::iota(all.begin(), all.end(), 0);
  return all;
}

TEST(DistillationTest, CasesOfTheTrainingSetWithAJudgementAreTaken) {
  Judgement failed;
  failed.error_code = "ANSWER_UNREADABLE";
  const std::vector<Judgement> baseline = {Says("good"), Says("poor"), failed, Says("good")};
  const std::vector<DistillationBatch> batches = MakeBatches(Cases(4), {0, 1, 2}, baseline, 1);
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_THAT(batches[0].traces, testing::ElementsAre(WorldTrace(0), WorldTrace(1)));
}

TEST(DistillationTest, WithoutADisagreementThereIsNothingToAsk) {
  EXPECT_TRUE(MakeBatches(Cases(3), All(3), std::vector<Judgement>(3, Says("poor")), 1).empty());
}

TEST(DistillationTest, BatchesAreBoundedAndHoldEveryDisagreementOnce) {
  std::vector<Judgement> baseline(160, Says("good"));
  for (size_t i = 120; i < 160; ++i) baseline[i] = Says("poor");
  const auto batches = MakeBatches(Cases(160), All(160), baseline, 1);
  ASSERT_EQ(batches.size(), 4u);
  std::multiset<std::string> traces;
  for (const DistillationBatch& batch : batches) {
    EXPECT_LE(batch.records.size(), kMaxRecordsPerCall);
    traces.insert(batch.traces.begin(), batch.traces.end());
  }
  for (int i = 0; i < 120; ++i) EXPECT_EQ(traces.count(WorldTrace(i)), 1u);
  EXPECT_EQ(batches[0].records.size(), kMaxRecordsPerCall);
}

TEST(DistillationTest, LargeRecordsMakeMoreBatches) {
  std::vector<LabelledCase> cases = Cases(50);
  for (LabelledCase& one : cases) {
    one.inputs = "\"" + std::string(5'000, 'x') + "\"";
    one.outputs = one.inputs;
  }
  const auto batches = MakeBatches(cases, All(50), std::vector<Judgement>(50, Says("good")), 1);
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_EQ(batches[0].records.size() + batches[1].records.size() + batches[2].records.size(), 50u);
}

TEST(DistillationTest, RecordsStandInTheirBlock) {
  DistillationBatch batch;
  batch.records = {"{\"trace\":\"a\"}", "{\"trace\":\"b\"}"};
  const judge::v1::CompleteRequest request = DistillationRequest(WorldJudge(), "fake:/m", batch);
  EXPECT_EQ(request.model(), "fake:/m");
  ASSERT_EQ(request.messages_size(), 2);
  const std::string& text = request.messages(1).parts(0).text();
  EXPECT_THAT(text, testing::ContainsRegex("=== BEGIN records [0-9a-f]{16} ===\n"));
  EXPECT_THAT(text, testing::HasSubstr("\n{\"trace\":\"a\"}\n{\"trace\":\"b\"}\n=== END records "));
  EXPECT_THAT(text, testing::HasSubstr(WorldJudge().instructions().instructions()));
  EXPECT_THAT(json::ParseJson(request.response_schema()), IsOk());
}

TEST(DistillationTest, ReadsWhatModelsWrapAround) {
  const std::string answer =
      "Sure!\n```json\n{\"guidelines\": [{\"guideline_text\": \"  Be kind. \", "
      "\"source_trace_ids\": [\"" +
      Id(1) + "\", \"" + Id(1) + "\", \"nowhere\", 7]}]}\n```";
  const absl::StatusOr<Distilled> read = ReadDistillation(answer, BatchOf(3));
  ASSERT_THAT(read, IsOk());
  ASSERT_EQ(read->guidelines.size(), 1u);
  EXPECT_EQ(read->guidelines[0].text(), "Be kind.");
  EXPECT_THAT(read->guidelines[0].source_traces(), testing::ElementsAre(WorldTrace(1)));
}

TEST(DistillationTest, GuidelinesWithoutASourceOrATextAreLeftOut) {
  const std::string answer =
      "{\"guidelines\": [{\"guideline_text\": \"A\", \"source_trace_ids\": [\"nowhere\"]}, "
      "{\"guideline_text\": \"B\"}, {\"guideline_text\": \" \", \"source_trace_ids\": [\"" +
      Id(0) + "\"]}, 3, {\"source_trace_ids\": []}]}";
  const absl::StatusOr<Distilled> read = ReadDistillation(answer, BatchOf(1));
  ASSERT_THAT(read, IsOk());
  EXPECT_TRUE(read->guidelines.empty());
  EXPECT_EQ(read->without_source, 2);
}

TEST(DistillationTest, LongGuidelinesAreCut) {
  const std::string answer = "{\"guidelines\": [{\"guideline_text\": \"" + std::string(9'000, 'x') +
                             "\", \"source_trace_ids\": [\"" + Id(0) + "\"]}]}";
  EXPECT_EQ(ReadDistillation(answer, BatchOf(1))->guidelines[0].text().size(), kMaxGuidelineChars);
}

TEST(DistillationTest, RefusesWhatIsNoAnswer) {
  for (const char* answer : {"", "no", "{", "[]", "{\"guidelines\": 3}", "{\"guidelines\": [}"}) {
    EXPECT_THAT(ReadDistillation(answer, BatchOf(1)), StatusIs(absl::StatusCode::kInvalidArgument))
        << answer;
  }
}

TEST(DistillationTest, ARepairShowsTheAnswerAndTheProblem) {
  const judge::v1::CompleteRequest repair = DistillationRepair(
      DistillationRequest(WorldJudge(), "m", BatchOf(1)), "oops", "it is no JSON");
  ASSERT_EQ(repair.messages_size(), 4);
  EXPECT_EQ(repair.messages(2).role(), common::v1::ROLE_ASSISTANT);
  EXPECT_EQ(repair.messages(2).parts(0).text(), "oops");
  EXPECT_THAT(repair.messages(3).parts(0).text(), testing::HasSubstr("it is no JSON"));
}

TEST(DistillationTest, KnowsGuidelinesThatSayTheSame) {
  EXPECT_TRUE(SameGuideline("Be polite!", "be  polite"));
  EXPECT_TRUE(
      SameGuideline("Answers that promise a refund without a policy are rated poor.",
                    "Answers that promise a refund without a policy are rated poor, always."));
  EXPECT_FALSE(SameGuideline("Answers that promise a refund are poor.",
                             "Rude greetings are needs_improvement."));
}

}  // namespace
}  // namespace assay::alignment
