#include "services/trace/store/index_group.h"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::trace {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

constexpr keys::IndexGroup kGroup{1'000'000, 7, 2};
constexpr std::string_view kByTime("\x01\x0e", 2);
constexpr std::string_view kByTerm("\x01\x0f", 2);

TracePosition At(uint64_t start, char id) {
  return {start, *TraceId::FromBytes(std::string(TraceId::kSize, id))};
}

std::string Members(const std::vector<TracePosition>& members) {
  std::string value = GroupValue(77);
  for (const TracePosition& member : members) value += GroupMember(kGroup, member);
  return value;
}

GroupMembers ReadMembers(const std::string& value) {
  GroupMembers members;
  EXPECT_OK(ReadGroupMembers(value, kGroup.start_unix_nano, &members));
  return members;
}

std::string ReadPlaces(const std::string& value) {
  std::string_view places;
  EXPECT_OK(ReadGroupPlaces(value, &places));
  return std::string(places);
}

std::string Merge(std::string_view key, const std::string* existing,
                  const std::vector<std::string>& operands) {
  const rocksdb::Slice before = existing == nullptr ? rocksdb::Slice() : rocksdb::Slice(*existing);
  const std::vector<rocksdb::Slice> slices(operands.begin(), operands.end());
  std::string merged;
  rocksdb::Slice unchanged;
  rocksdb::MergeOperator::MergeOperationOutput output(merged, unchanged);
  EXPECT_TRUE(NewIndexMergeOperator()->FullMergeV2(
      rocksdb::MergeOperator::MergeOperationInput(
          {key.data(), key.size()}, existing == nullptr ? nullptr : &before, slices, nullptr),
      &output));
  return merged;
}

TEST(IndexGroupTest, ReadsWhatItWrites) {
  EXPECT_THAT(ReadMembers(Members({At(1'000'000, 'a'), At(999'000, 'b'), At(1, 'c')})),
              ElementsAre(At(1'000'000, 'a'), At(999'000, 'b'), At(1, 'c')));
  EXPECT_EQ(ReadPlaces(GroupValue(77) + "ab"), "ab");
  EXPECT_THAT(ReadMembers(""), IsEmpty());
  EXPECT_THAT(ReadPlaces(""), IsEmpty());
}

TEST(IndexGroupTest, RefusesWhatItDoesNotWrite) {
  GroupMembers members;
  std::string_view places;
  for (const std::string& broken : {std::string("short"), Members({At(1, 'a')}) + "x"}) {
    EXPECT_FALSE(ReadGroupMembers(broken, 1, &members).ok()) << broken;
  }
  for (const std::string& broken : {std::string("short"), GroupValue(77)}) {
    EXPECT_FALSE(ReadGroupPlaces(broken, &places).ok()) << broken;
  }
}

TEST(IndexGroupTest, TracesJoinAndLeaveATerm) {
  const std::string before = GroupValue(77) + "ab";
  EXPECT_EQ(ReadPlaces(Merge(kByTerm, &before, {GroupAddition(77, 'c'), GroupRemoval('a')})), "bc");
  EXPECT_EQ(ReadPlaces(Merge(kByTerm, &before, {GroupAddition(77, 'b')})), "ab") << "each once";
  EXPECT_EQ(ReadPlaces(Merge(kByTerm, &before, {GroupRemoval('x')})), "ab");
}

TEST(IndexGroupTest, PlacesAreNotSoughtInTheBound) {
  const std::string before = GroupValue(uint64_t{'a'} << 56) + "b";
  EXPECT_EQ(ReadPlaces(Merge(kByTerm, &before, {GroupAddition(77, 'a')})), "ba");
  EXPECT_EQ(ReadPlaces(Merge(kByTerm, &before, {GroupRemoval('a')})), "b");
}

TEST(IndexGroupTest, ATermBeginsWithItsFirstTraceAndIsEmptyAfterTheLast) {
  const std::string joined = Merge(kByTerm, nullptr, {GroupAddition(77, 'c')});
  EXPECT_EQ(joined, GroupValue(77) + "c");
  EXPECT_EQ(Merge(kByTerm, &joined, {GroupRemoval('c')}), "");
  EXPECT_EQ(Merge(kByTerm, nullptr, {GroupRemoval('c')}), "");
}

TEST(IndexGroupTest, MembersKeepTheirPlacesWhenOthersLeave) {
  const std::string before = Members({At(10, 'a'), At(20, 'b'), At(30, 'c')});
  const std::string left = Merge(kByTime, &before, {GroupRemoval(1)});
  EXPECT_THAT(ReadMembers(left),
              ElementsAre(Optional(At(10, 'a')), std::nullopt, Optional(At(30, 'c'))));
  EXPECT_EQ(Merge(kByTime, &left, {GroupRemoval(9)}), left) << "nobody stands there";
  EXPECT_EQ(Merge(kByTime, &left, {GroupRemoval(0), GroupRemoval(2)}), "");
}

TEST(IndexGroupTest, OperandsMayBeMergedBeforeTheyMeetTheValue) {
  const std::vector<std::string> operands = {GroupAddition(77, 'c'), GroupRemoval('a'),
                                             GroupAddition(77, 'a')};
  std::string early;
  EXPECT_TRUE(NewIndexMergeOperator()->PartialMergeMulti(
      "key", std::deque<rocksdb::Slice>(operands.begin(), operands.end()), &early, nullptr));
  const std::string before = GroupValue(77) + "a";
  EXPECT_EQ(Merge(kByTerm, &before, {early}), Merge(kByTerm, &before, operands));
  EXPECT_EQ(ReadPlaces(Merge(kByTerm, &before, {early})), "ca");
}

}  // namespace
}  // namespace assay::trace
