#include "services/trace/store/index_group.h"

#include <deque>

#include "common/rocks/ordered_code.h"

namespace assay::trace {
namespace {

constexpr size_t kBoundBytes = sizeof(uint64_t);
constexpr size_t kMemberBytes = sizeof(uint32_t) + TraceId::kSize;

// An operand is a list of these: what to do, the bound, the member.
constexpr char kAdd = 1;
constexpr char kRemove = 2;
constexpr size_t kChangeBytes = 1 + kBoundBytes + kMemberBytes;

std::string ChangeOf(char change, uint64_t bound_ms, const std::string& member) {
  std::string operand(1, change);
  rocks::AppendUint64(bound_ms, &operand);
  return operand.append(member);
}

// Where the member stands in a value, or its end.
size_t FindMember(std::string_view value, std::string_view member) {
  for (size_t at = kBoundBytes; at + kMemberBytes <= value.size(); at += kMemberBytes) {
    if (value.substr(at, kMemberBytes) == member) return at;
  }
  return value.size();
}

void Apply(std::string_view change, std::string* value) {
  const std::string_view bound = change.substr(1, kBoundBytes);
  const std::string_view member = change.substr(1 + kBoundBytes);
  const size_t at = FindMember(*value, member);
  const bool there = at + kMemberBytes <= value->size();
  if (change[0] == kAdd && !there) {
    if (value->empty()) value->assign(bound);
    value->append(member);
  } else if (change[0] == kRemove && there) {
    value->erase(at, kMemberBytes);
    if (value->size() == kBoundBytes) value->clear();
  }
}

class IndexMerge final : public rocksdb::MergeOperator {
 public:
  bool FullMergeV2(const MergeOperationInput& input, MergeOperationOutput* output) const override {
    std::string& value = output->new_value;
    value.clear();
    if (input.existing_value != nullptr) {
      value.assign(input.existing_value->data(), input.existing_value->size());
    }
    for (const rocksdb::Slice& operand : input.operand_list) {
      std::string_view changes = operand.ToStringView();
      for (; changes.size() >= kChangeBytes; changes.remove_prefix(kChangeBytes)) {
        Apply(changes.substr(0, kChangeBytes), &value);
      }
    }
    return true;
  }

  bool PartialMergeMulti(const rocksdb::Slice& /*key*/, const std::deque<rocksdb::Slice>& operands,
                         std::string* merged, rocksdb::Logger* /*logger*/) const override {
    merged->clear();
    for (const rocksdb::Slice& operand : operands) merged->append(operand.data(), operand.size());
    return true;
  }

  const char* Name() const override { return "assay.IndexMerge.1"; }
};

}  // namespace

std::string GroupMember(const keys::IndexGroup& group, const TracePosition& position) {
  std::string member;
  rocks::AppendUint32(static_cast<uint32_t>(group.start_unix_nano - position.start_unix_nano),
                      &member);
  return member.append(position.trace.bytes());
}

bool ReadIndexBound(std::string_view value, uint64_t* bound_ms) {
  return rocks::ConsumeUint64(&value, bound_ms);
}

absl::Status ReadGroup(std::string_view value, uint64_t start_unix_nano, uint64_t* bound_ms,
                       absl::FunctionRef<void(const TracePosition& member)> visit) {
  *bound_ms = 0;
  if (value.empty()) return absl::OkStatus();
  if (!rocks::ConsumeUint64(&value, bound_ms) || value.size() % kMemberBytes != 0) {
    return absl::DataLossError("a group of the index cannot be read");
  }
  for (; !value.empty(); value.remove_prefix(TraceId::kSize)) {
    uint32_t earlier = 0;
    (void)rocks::ConsumeUint32(&value, &earlier);
    visit({start_unix_nano - earlier, *TraceId::FromBytes(value.substr(0, TraceId::kSize))});
  }
  return absl::OkStatus();
}

std::string GroupAddition(const keys::IndexGroup& group, uint64_t bound_ms,
                          const TracePosition& position) {
  return ChangeOf(kAdd, bound_ms, GroupMember(group, position));
}

std::string GroupRemoval(const keys::IndexGroup& group, const TracePosition& position) {
  return ChangeOf(kRemove, 0, GroupMember(group, position));
}

std::shared_ptr<rocksdb::MergeOperator> NewIndexMergeOperator() {
  return std::make_shared<IndexMerge>();
}

}  // namespace assay::trace
