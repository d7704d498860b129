#include "services/trace/store/facts_merge.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/trace/core/trace_facts.h"

namespace assay::trace {
namespace {

TraceFacts SpanFacts() {
  TraceFacts facts;
  facts.set_schema_version(1);
  facts.set_start_unix_nano(100);
  facts.set_end_unix_nano(200);
  facts.set_span_ids("12345678");
  facts.set_experiment_number(3);
  facts.set_bound_ms(77);
  (*facts.mutable_tags())["a"] = "b";
  (*facts.mutable_tags())["c"] = "d";
  return facts;
}

TraceFacts Completion(int64_t generation, uint64_t through) {
  TraceFacts facts;
  facts.set_schema_version(1);
  facts.set_experiment_number(3);
  facts.set_bound_ms(77);
  facts.mutable_completion()->set_generation(generation);
  facts.mutable_completion()->set_through_sequence(through);
  return facts;
}

class FactsMergeTest : public testing::Test {
 protected:
  // What the operator makes of stored facts and operands.
  TraceFacts Merge(const TraceFacts& stored, const std::vector<TraceFacts>& operands) {
    const std::string existing = stored.SerializeAsString();
    std::vector<std::string> bytes;
    for (const TraceFacts& operand : operands) bytes.push_back(operand.SerializeAsString());
    const std::vector<rocksdb::Slice> slices(bytes.begin(), bytes.end());
    const rocksdb::Slice value(existing);
    rocksdb::MergeOperator::MergeOperationInput input("key", &value, slices, nullptr);
    std::string merged;
    rocksdb::Slice unused;
    rocksdb::MergeOperator::MergeOperationOutput output(merged, unused);
    EXPECT_TRUE(operator_->FullMergeV2(input, &output));
    TraceFacts facts;
    EXPECT_TRUE(facts.ParseFromString(merged));
    return facts;
  }
  static TraceFacts Expected(TraceFacts stored, const std::vector<TraceFacts>& operands) {
    for (const TraceFacts& operand : operands) MergeFacts(operand, &stored);
    return stored;
  }
  static std::string Text(const TraceFacts& facts) { return facts.DebugString(); }

  std::shared_ptr<rocksdb::MergeOperator> operator_ = NewFactsMergeOperator();
};

TEST_F(FactsMergeTest, AddsTheFirstCompletion) {
  const TraceFacts merged = Merge(SpanFacts(), {Completion(1, 9)});
  EXPECT_EQ(Text(merged), Text(Expected(SpanFacts(), {Completion(1, 9)})));
  EXPECT_EQ(merged.completion().generation(), 1);
  EXPECT_EQ(merged.tags().at("c"), "d");
}

TEST_F(FactsMergeTest, LaterCompletionsReplaceIt) {
  TraceFacts stored = SpanFacts();
  *stored.mutable_completion() = Completion(1, 9).completion();
  stored.mutable_completion()->set_requested(true);
  EXPECT_EQ(Text(Merge(stored, {Completion(2, 12)})), Text(Expected(stored, {Completion(2, 12)})));
  EXPECT_FALSE(Merge(stored, {Completion(2, 12)}).completion().requested());
  EXPECT_EQ(Merge(stored, {Completion(1, 4)}).completion().through_sequence(), 9u);
}

TEST_F(FactsMergeTest, CompletesWhatHasNoExperimentYet) {
  TraceFacts stored = SpanFacts();
  stored.clear_experiment_number();
  stored.clear_bound_ms();
  EXPECT_EQ(Text(Merge(stored, {Completion(1, 9)})), Text(Expected(stored, {Completion(1, 9)})));
}

TEST_F(FactsMergeTest, MergesSpansAndCompletionsTogether) {
  TraceFacts more = SpanFacts();
  more.set_start_unix_nano(50);
  more.set_span_ids("abcdefgh");
  const std::vector<TraceFacts> operands = {Completion(1, 9), more};
  EXPECT_EQ(Text(Merge(SpanFacts(), operands)), Text(Expected(SpanFacts(), operands)));
}

}  // namespace
}  // namespace assay::trace
