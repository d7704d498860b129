// Looks up the members of groups, for a scan of a term that meets one group after the other.
#ifndef ASSAY_SERVICES_TRACE_STORE_GROUP_READER_H_
#define ASSAY_SERVICES_TRACE_STORE_GROUP_READER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/trace/store/index_group.h"
#include "services/trace/store/trace_db.h"

namespace assay::trace {

// Where all groups of an experiment are wanted, reads more and more of them at once. Not thread-safe.
class GroupReader {
 public:
  // Of the experiment of this number, in this direction. `db` outlives the object.
  GroupReader(const TraceDb& db, uint32_t number, bool newest_first);

  // The members of a group; `end` is what its keys end with, in the order of the scan. None for a
  // group that is gone. Valid until the next call. Blocks. DATA_LOSS for an entry that cannot be read.
  absl::StatusOr<const GroupMembers*> Find(std::string_view end);

 private:
  static constexpr size_t kMostAtOnce = 64;

  struct Group {
    std::string end;
    GroupMembers members;
  };

  absl::Status Read(std::string_view end);
  absl::Status Take(std::string_view end, std::string_view value);

  const TraceDb& db_;
  const std::string prefix_;  // Of the keys by time.
  const bool newest_first_;
  std::deque<Group> read_;  // The first is the one that was found last.
  size_t at_once_ = 1;
  bool all_wanted_ = false;  // Of the last that were read at once.
  const GroupMembers none_;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_STORE_GROUP_READER_H_
