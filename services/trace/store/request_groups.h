// The groups of the index that the new traces of one request make.
#ifndef ASSAY_SERVICES_TRACE_STORE_REQUEST_GROUPS_H_
#define ASSAY_SERVICES_TRACE_STORE_REQUEST_GROUPS_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "common/rocks/committer.h"
#include "services/trace/core/trace_store.h"
#include "services/trace/store/index_group.h"
#include "services/trace/store/trace_db.h"
#include "services/trace/store/trace_keys.h"

namespace assay::trace {

// Not thread-safe.
class RequestGroups {
 public:
  // `chunks` are those of the request.
  RequestGroups(absl::Span<const TraceChunk> chunks, uint64_t sequence);

  struct Place {
    keys::IndexGroup group;
    uint8_t member = 0;  // Its place among the group's traces.
  };
  // Takes a trace of which nothing is stored yet; nullopt for one that shares with no other and gets
  // entries of its own. `facts` outlive the object, and their terms stay as they are.
  std::optional<Place> Add(const keys::Lifetime& lifetime, const TracePosition& position,
                           const TraceFacts& facts, std::string_view evaluation);

  // Puts the entries of all groups.
  void Put(const TraceDb& db, rocks::WriteBatch& batch) const;

 private:
  static_assert(kMaxGroupTraces <= 256);

  struct Group {
    keys::IndexGroup id;
    keys::Lifetime lifetime;
    std::string members;  // As they stand in the value by time.
    size_t size = 0;
    absl::flat_hash_map<std::string_view, std::string> places;  // By MakeTerm.
  };

  // How far before the latest start, in steps of kMaxGroupSpread.
  uint64_t WindowOf(uint64_t start) const { return (latest_ - start) / kMaxGroupSpread; }
  Group& OpenGroup(const keys::Lifetime& lifetime, uint64_t window);

  const uint64_t sequence_;
  uint64_t latest_ = 0;
  absl::flat_hash_map<uint64_t, size_t> chunks_by_window_;
  std::deque<Group> groups_;
  // Of each lifetime and window the one that is not full.
  std::map<std::tuple<uint32_t, uint64_t, uint64_t>, Group*> open_;
  std::deque<std::string> made_terms_;  // Those that facts do not have as they are.
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_STORE_REQUEST_GROUPS_H_
