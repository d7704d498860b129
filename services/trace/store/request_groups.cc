#include "services/trace/store/request_groups.h"

#include <algorithm>
#include <limits>

#include "services/trace/core/index_terms.h"
#include "services/trace/core/trace_facts.h"

namespace assay::trace {

RequestGroups::RequestGroups(absl::Span<const TraceChunk> chunks, uint64_t sequence)
    : sequence_(sequence) {
  for (const TraceChunk& chunk : chunks) {
    latest_ = std::max<uint64_t>(latest_, chunk.facts.start_unix_nano());
  }
  for (const TraceChunk& chunk : chunks) {
    ++chunks_by_window_[WindowOf(chunk.facts.start_unix_nano())];
  }
}

RequestGroups::Group& RequestGroups::OpenGroup(const keys::Lifetime& lifetime, uint64_t window) {
  Group*& open = open_[{lifetime.number, lifetime.bound_ms, window}];
  if (open == nullptr || open->size >= kMaxGroupTraces) {
    open = &groups_.emplace_back();
    open->id = {latest_ - window * kMaxGroupSpread, sequence_,
                static_cast<uint32_t>(groups_.size() - 1)};
    open->lifetime = lifetime;
  }
  return *open;
}

std::optional<RequestGroups::Place> RequestGroups::Add(const keys::Lifetime& lifetime,
                                                       const TracePosition& position,
                                                       const TraceFacts& facts,
                                                       std::string_view evaluation) {
  const uint64_t window = WindowOf(position.start_unix_nano);
  const bool alone = chunks_by_window_[window] < 2;
  if (alone || latest_ == std::numeric_limits<uint64_t>::max()) return std::nullopt;
  Group& group = OpenGroup(lifetime, window);
  const auto place = static_cast<uint8_t>(group.size++);
  group.members += GroupMember(group.id, position);
  const auto add = [&](std::string_view term) {
    std::string& places = group.places[term];
    const auto byte = static_cast<char>(place);
    if (places.empty() || places.back() != byte) places.push_back(byte);
  };
  for (const std::string& term : facts.terms()) add(term);
  ForEachTermBesides(facts, evaluation, [&](std::string_view field, std::string_view value) {
    add(made_terms_.emplace_back(MakeTerm(field, value)));
  });
  return Place{group.id, place};
}

void RequestGroups::Put(const TraceDb& db, rocks::WriteBatch& batch) const {
  rocksdb::ColumnFamilyHandle* index = db.family(keys::kIndex);
  for (const Group& group : groups_) {
    const uint32_t number = group.lifetime.number;
    std::string key = keys::TimePrefix(number);
    keys::AppendGroup(group.id, &key);
    const std::string bound = GroupValue(group.lifetime.bound_ms);
    batch.Put(index, key, bound + group.members);
    for (const auto& [term, places] : group.places) {
      key = keys::TermPrefix(number, FieldOfTerm(term), ValueOfTerm(term));
      keys::AppendGroup(group.id, &key);
      batch.Put(index, key, bound + places);
    }
  }
}

}  // namespace assay::trace
