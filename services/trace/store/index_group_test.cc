#include "services/trace/store/index_group.h"

#include <deque>
#include <string>
#include <vector>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::trace {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr keys::IndexGroup kGroup{1'000'000, 7, 2};

TracePosition At(uint64_t start, char id) {
  return {start, *TraceId::FromBytes(std::string(TraceId::kSize, id))};
}

std::string Value(const std::vector<TracePosition>& members) {
  std::string value = GroupValue(77);
  for (const TracePosition& member : members) value += GroupMember(kGroup, member);
  return value;
}

std::vector<TracePosition> Members(const std::string& value) {
  uint64_t bound_ms = 0;
  std::vector<TracePosition> members;
  EXPECT_OK(ReadGroup(value, kGroup.start_unix_nano, &bound_ms,
                      [&](const TracePosition& member) { members.push_back(member); }));
  EXPECT_EQ(bound_ms, value.empty() ? 0u : 77u);
  return members;
}

std::string Merge(const std::string* existing, const std::vector<std::string>& operands) {
  const rocksdb::Slice before = existing == nullptr ? rocksdb::Slice() : rocksdb::Slice(*existing);
  const std::vector<rocksdb::Slice> slices(operands.begin(), operands.end());
  std::string merged;
  rocksdb::Slice unchanged;
  rocksdb::MergeOperator::MergeOperationOutput output(merged, unchanged);
  EXPECT_TRUE(NewIndexMergeOperator()->FullMergeV2(
      rocksdb::MergeOperator::MergeOperationInput("key", existing == nullptr ? nullptr : &before,
                                                  slices, nullptr),
      &output));
  return merged;
}

TEST(IndexGroupTest, ReadsWhatItWrites) {
  const std::vector<TracePosition> members = {At(1'000'000, 'a'), At(999'000, 'b'), At(1, 'c')};
  EXPECT_EQ(Members(Value(members)), members);
  EXPECT_THAT(Members(""), IsEmpty());
}

TEST(IndexGroupTest, RefusesWhatItDoesNotWrite) {
  uint64_t bound_ms = 0;
  for (const std::string& broken : {std::string("short"), Value({At(1, 'a')}) + "x"}) {
    EXPECT_FALSE(ReadGroup(broken, 1, &bound_ms, [](const TracePosition&) {}).ok()) << broken;
  }
}

TEST(IndexGroupTest, TracesJoinAndLeave) {
  const std::string before = Value({At(10, 'a'), At(20, 'b')});
  EXPECT_THAT(Members(Merge(&before, {GroupAddition(kGroup, 77, At(5, 'c')),
                                      GroupRemoval(kGroup, At(10, 'a'))})),
              ElementsAre(At(20, 'b'), At(5, 'c')));
  EXPECT_THAT(Members(Merge(&before, {GroupAddition(kGroup, 77, At(20, 'b'))})),
              ElementsAre(At(10, 'a'), At(20, 'b')))
      << "each once";
  EXPECT_THAT(Members(Merge(&before, {GroupRemoval(kGroup, At(11, 'a'))})),
              ElementsAre(At(10, 'a'), At(20, 'b')))
      << "of another start";
}

TEST(IndexGroupTest, AGroupBeginsWithItsFirstTraceAndIsEmptyAfterTheLast) {
  const std::string joined = Merge(nullptr, {GroupAddition(kGroup, 77, At(5, 'c'))});
  EXPECT_EQ(joined, Value({At(5, 'c')}));
  EXPECT_EQ(Merge(&joined, {GroupRemoval(kGroup, At(5, 'c'))}), "");
  EXPECT_EQ(Merge(nullptr, {GroupRemoval(kGroup, At(5, 'c'))}), "");
}

TEST(IndexGroupTest, OperandsMayBeMergedBeforeTheyMeetTheValue) {
  const std::vector<std::string> operands = {GroupAddition(kGroup, 77, At(5, 'c')),
                                             GroupRemoval(kGroup, At(10, 'a')),
                                             GroupAddition(kGroup, 77, At(10, 'a'))};
  std::string early;
  EXPECT_TRUE(NewIndexMergeOperator()->PartialMergeMulti(
      "key", std::deque<rocksdb::Slice>(operands.begin(), operands.end()), &early, nullptr));
  const std::string before = Value({At(10, 'a')});
  EXPECT_EQ(Merge(&before, {early}), Merge(&before, operands));
  EXPECT_THAT(Members(Merge(&before, {early})), ElementsAre(At(5, 'c'), At(10, 'a')));
}

}  // namespace
}  // namespace assay::trace
