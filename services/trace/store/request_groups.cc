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
  if (open == nullptr || open->members.size() >= kMaxGroupTraces) {
    open = &groups_.emplace_back();
    open->id = {latest_ - window * kMaxGroupSpread, sequence_,
                static_cast<uint32_t>(groups_.size() - 1)};
    open->lifetime = lifetime;
  }
  return *open;
}

std::optional<keys::IndexGroup> RequestGroups::Add(const keys::Lifetime& lifetime,
                                                   const TracePosition& position,
                                                   const TraceFacts& facts,
                                                   std::string_view evaluation) {
  const uint64_t window = WindowOf(position.start_unix_nano);
  const bool alone = chunks_by_window_[window] < 2;
  if (alone || latest_ == std::numeric_limits<uint64_t>::max()) return std::nullopt;
  Group& group = OpenGroup(lifetime, window);
  const auto member = static_cast<uint8_t>(group.members.size());
  group.members.push_back(GroupMember(group.id, position));
  const auto add = [&](std::string_view term) {
    Members& members = group.terms[term];
    if (members.empty() || members.back() != member) members.push_back(member);
  };
  for (const std::string& term : facts.terms()) add(term);
  ForEachTermBesides(facts, evaluation, [&](std::string_view field, std::string_view value) {
    add(made_terms_.emplace_back(MakeTerm(field, value)));
  });
  return group.id;
}

void RequestGroups::Put(const TraceDb& db, rocks::WriteBatch& batch) const {
  rocksdb::ColumnFamilyHandle* index = db.family(keys::kIndex);
  for (const Group& group : groups_) {
    const uint32_t number = group.lifetime.number;
    std::string key = keys::TimePrefix(number);
    keys::AppendGroup(group.id, &key);
    std::string value = GroupValue(group.lifetime.bound_ms);
    const size_t bound_bytes = value.size();
    for (const std::string& member : group.members) value.append(member);
    batch.Put(index, key, value);
    for (const auto& [term, members] : group.terms) {
      key = keys::TermPrefix(number, FieldOfTerm(term), ValueOfTerm(term));
      keys::AppendGroup(group.id, &key);
      value.resize(bound_bytes);
      for (const uint8_t member : members) value.append(group.members[member]);
      batch.Put(index, key, value);
    }
  }
}

}  // namespace assay::trace
