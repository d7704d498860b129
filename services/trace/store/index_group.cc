#include "services/trace/store/index_group.h"

#include <algorithm>
#include <deque>

#include "common/rocks/ordered_code.h"

namespace assay::trace {
namespace {

constexpr size_t kBoundBytes = sizeof(uint64_t);
constexpr size_t kMemberBytes = sizeof(uint32_t) + TraceId::kSize;
// No member starts so long before its group.
constexpr uint32_t kLeft = 0xFFFFFFFF;
constexpr char kLeftByte = '\xff';

// An operand is a list of these: what to do, the bound, the place.
constexpr char kAdd = 1;
constexpr char kRemove = 2;
constexpr size_t kChangeBytes = 1 + kBoundBytes + 1;

std::string ChangeOf(char change, uint64_t bound_ms, uint8_t place) {
  std::string operand(1, change);
  rocks::AppendUint64(bound_ms, &operand);
  rocks::AppendByte(place, &operand);
  return operand;
}

void ChangePlaces(std::string_view change, std::string* value) {
  const char place = change.back();
  const size_t at = value->find(place, std::min(kBoundBytes, value->size()));
  if (change[0] == kAdd && at == std::string::npos) {
    if (value->empty()) value->assign(change.substr(1, kBoundBytes));
    value->push_back(place);
  } else if (change[0] == kRemove && at != std::string::npos) {
    value->erase(at, 1);
    if (value->size() == kBoundBytes) value->clear();
  }
}

void RemoveMember(uint8_t place, std::string* value) {
  const size_t at = kBoundBytes + place * kMemberBytes;
  if (at + kMemberBytes > value->size()) return;
  value->replace(at, kMemberBytes, kMemberBytes, kLeftByte);
  const bool any = std::any_of(value->begin() + kBoundBytes, value->end(),
                               [](char byte) { return byte != kLeftByte; });
  if (!any) value->clear();
}

class IndexMerge final : public rocksdb::MergeOperator {
 public:
  bool FullMergeV2(const MergeOperationInput& input, MergeOperationOutput* output) const override {
    std::string& value = output->new_value;
    value.clear();
    if (input.existing_value != nullptr) {
      value.assign(input.existing_value->data(), input.existing_value->size());
    }
    const bool by_time = keys::IsByTime(input.key.ToStringView());
    for (const rocksdb::Slice& operand : input.operand_list) {
      std::string_view changes = operand.ToStringView();
      for (; changes.size() >= kChangeBytes; changes.remove_prefix(kChangeBytes)) {
        const std::string_view change = changes.substr(0, kChangeBytes);
        if (by_time) {
          RemoveMember(static_cast<uint8_t>(change.back()), &value);
        } else {
          ChangePlaces(change, &value);
        }
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

absl::Status Unreadable() { return absl::DataLossError("a group of the index cannot be read"); }

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

absl::Status ReadGroupMembers(std::string_view value, uint64_t start_unix_nano,
                              GroupMembers* members) {
  members->clear();
  if (value.empty()) return absl::OkStatus();
  uint64_t bound_ms = 0;
  if (!rocks::ConsumeUint64(&value, &bound_ms) || value.size() % kMemberBytes != 0) {
    return Unreadable();
  }
  for (; !value.empty(); value.remove_prefix(TraceId::kSize)) {
    uint32_t earlier = 0;
    (void)rocks::ConsumeUint32(&value, &earlier);
    std::optional<TracePosition>& member = members->emplace_back();
    if (earlier == kLeft) continue;
    member = {start_unix_nano - earlier, *TraceId::FromBytes(value.substr(0, TraceId::kSize))};
  }
  return absl::OkStatus();
}

absl::Status ReadGroupPlaces(std::string_view value, std::string_view* places) {
  *places = {};
  if (value.empty()) return absl::OkStatus();
  if (value.size() <= kBoundBytes) return Unreadable();
  *places = value.substr(kBoundBytes);
  return absl::OkStatus();
}

std::string GroupAddition(uint64_t bound_ms, uint8_t place) {
  return ChangeOf(kAdd, bound_ms, place);
}

std::string GroupRemoval(uint8_t place) { return ChangeOf(kRemove, 0, place); }

std::shared_ptr<rocksdb::MergeOperator> NewIndexMergeOperator() {
  return std::make_shared<IndexMerge>();
}

}  // namespace assay::trace
