#include "services/trace/store/index_scan.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include "absl/container/btree_set.h"
#include "common/rocks/ordered_code.h"
#include "common/rocks/scan.h"
#include "common/status/status_macros.h"
#include "services/trace/store/group_reader.h"
#include "services/trace/store/index_group.h"
#include "services/trace/store/trace_keys.h"

namespace assay::trace {
namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();
constexpr uint64_t kLatest = std::numeric_limits<uint64_t>::max();

std::string KeyAt(const std::string& prefix, uint64_t start, char id) {
  std::string key = prefix;
  rocks::AppendDescUint64(start, &key);
  return key.append(TraceId::kSize, id);
}

// The keys of traces that are asked for, and of the groups that may have such. Keys begin with the
// latest; that of a group is one more than its start.
rocks::ScanRequest RangeOf(const PositionScan& scan) {
  constexpr uint64_t kReach = kMaxGroupSpread + 1;
  rocks::ScanRequest request{.begin = scan.prefix,
                             .end = rocks::PrefixEnd(scan.prefix),
                             .limit = kNoLimit,
                             .reverse = !scan.newest_first};
  uint64_t last = scan.starts.last;
  if (scan.newest_first && scan.after.has_value()) {
    last = std::min(last, scan.after->start_unix_nano);
  }
  if (last < kLatest - kReach) request.begin = KeyAt(scan.prefix, last + kReach, '\0');
  if (scan.starts.first != 0) request.end = KeyAt(scan.prefix, scan.starts.first, '\xff') + '\0';
  if (!scan.newest_first && scan.after.has_value()) {
    request.end =
        std::min(request.end, KeyAt(scan.prefix, scan.after->start_unix_nano, '\xff') + '\0');
  }
  return request;
}

// One walk over the keys. Members of a group are held until no key can come that belongs before them.
class Pass {
 public:
  using Visit = absl::FunctionRef<bool(const TracePosition& position)>;

  // `groups`: for the scan of a term.
  Pass(const PositionScan& scan, const std::optional<TracePosition>& after,
       std::optional<GroupReader> groups, Visit visit)
      : scan_(scan),
        groups_(std::move(groups)),
        last_(after),
        visit_(visit),
        held_(Order{scan.newest_first}) {}

  absl::Status Run(const TraceDb& db) {
    PositionScan rest = scan_;
    rest.after = last_;
    const rocks::ScanRequest range = RangeOf(rest);
    if (range.begin >= range.end) return absl::OkStatus();
    absl::Status broken;
    ASSAY_RETURN_IF_ERROR(rocks::Scan(db.db(), keys::kIndex, range,
                                      [&](std::string_view key, std::string_view value) {
                                        key.remove_prefix(scan_.prefix.size());
                                        broken = Read(key, value);
                                        return broken.ok() && going_ ? rocks::ScanStep::Next()
                                                                     : rocks::ScanStep::Stop();
                                      })
                              .status());
    ASSAY_RETURN_IF_ERROR(broken);
    if (going_) GiveHeld([](const TracePosition&) { return true; });
    return absl::OkStatus();
  }

  // Whether there was no room for all: the rest is behind last().
  bool cut() const { return cut_.has_value() && !stopped_; }
  const std::optional<TracePosition>& last() const { return last_; }

 private:
  struct Order {
    bool newest_first;
    bool operator()(const TracePosition& a, const TracePosition& b) const {
      return ComesBefore(a, b, newest_first);
    }
  };

  bool Before(const TracePosition& a, const TracePosition& b) const {
    return ComesBefore(a, b, scan_.newest_first);
  }

  absl::Status Read(std::string_view key_end, std::string_view value) {
    keys::IndexKeyEnd end;
    ASSAY_RETURN_IF_ERROR(keys::DecodeIndexKeyEnd(key_end, &end));
    if (!scan_.newest_first) {
      // Groups that come have members up to so much earlier.
      const uint64_t start = end.start_unix_nano;
      const uint64_t reach = kMaxGroupSpread + 1;
      GiveHeld([&](const TracePosition& held) {
        return start >= reach && held.start_unix_nano < start - reach;
      });
    } else if (end.trace.has_value()) {
      GiveHeld([&](const TracePosition& held) { return Before(held, *end.trace); });
    } else {
      GiveHeld(
          [&](const TracePosition& held) { return held.start_unix_nano >= end.start_unix_nano; });
    }
    if (!going_) return absl::OkStatus();
    return end.trace.has_value() ? TakeTrace(*end.trace, value)
                                 : TakeGroup(key_end, end.start_unix_nano - 1, value);
  }

  absl::Status TakeGroup(std::string_view key_end, uint64_t start, std::string_view value) {
    uint64_t bound_ms = 0;
    if (!ReadIndexBound(value, &bound_ms) || bound_ms < scan_.horizon_ms) return absl::OkStatus();
    if (!groups_.has_value()) {
      GroupMembers members;
      ASSAY_RETURN_IF_ERROR(ReadGroupMembers(value, start, &members));
      for (const std::optional<TracePosition>& member : members) Hold(member);
      return absl::OkStatus();
    }
    std::string_view places;
    ASSAY_RETURN_IF_ERROR(ReadGroupPlaces(value, &places));
    ASSAY_ASSIGN_OR_RETURN(const GroupMembers* members, groups_->Find(key_end));
    for (const char byte : places) {
      const auto place = static_cast<uint8_t>(byte);
      if (place < members->size()) Hold((*members)[place]);
    }
    return absl::OkStatus();
  }

  absl::Status TakeTrace(const TracePosition& position, std::string_view value) {
    uint64_t bound_ms = 0;
    ASSAY_RETURN_IF_ERROR(keys::DecodeBoundValue(value, &bound_ms));
    if (bound_ms < scan_.horizon_ms || !IsAskedFor(position)) return absl::OkStatus();
    if (!scan_.newest_first) {
      Hold(position);
      return absl::OkStatus();
    }
    held_.erase(position);
    Give(position);
    return absl::OkStatus();
  }

  bool IsAskedFor(const TracePosition& position) const {
    return scan_.starts.Contains(position.start_unix_nano) &&
           (!last_.has_value() || Before(*last_, position));
  }

  void Hold(const std::optional<TracePosition>& position) {
    if (!position.has_value() || !IsAskedFor(*position)) return;
    if (cut_.has_value() && !Before(*position, *cut_)) return;
    held_.insert(*position);
    if (held_.size() <= scan_.max_held) return;
    const auto furthest = std::prev(held_.end());
    cut_ = *furthest;
    held_.erase(furthest);
  }

  template <class Ready>
  void GiveHeld(Ready ready) {
    while (going_ && !held_.empty() && ready(*held_.begin())) {
      Give(*held_.begin());
      held_.erase(held_.begin());
    }
  }

  void Give(const TracePosition& position) {
    if (cut_.has_value() && !Before(position, *cut_)) {
      going_ = false;
      return;
    }
    last_ = position;
    stopped_ = !visit_(position);
    going_ = !stopped_;
  }

  const PositionScan& scan_;
  std::optional<GroupReader> groups_;
  std::optional<TracePosition> last_;  // Where the pass begins, then the last that was given.
  const Visit visit_;
  absl::btree_set<TracePosition, Order> held_;
  std::optional<TracePosition> cut_;  // The first for which there was no room.
  bool going_ = true;
  bool stopped_ = false;  // By the visitor.
};

}  // namespace

absl::Status ScanPositions(const TraceDb& db, const PositionScan& scan,
                           absl::FunctionRef<bool(const TracePosition& position)> visit) {
  uint32_t number = 0;
  if (!keys::ReadIndexNumber(scan.prefix, &number)) {
    return absl::InternalError("a scan of the index has no prefix of it");
  }
  const bool by_time = keys::IsByTime(scan.prefix);
  std::optional<TracePosition> after = scan.after;
  while (true) {
    std::optional<GroupReader> groups;
    if (!by_time) groups.emplace(db, number, scan.newest_first);
    Pass pass(scan, after, std::move(groups), visit);
    ASSAY_RETURN_IF_ERROR(pass.Run(db));
    if (!pass.cut()) return absl::OkStatus();
    after = pass.last();
  }
}

absl::StatusOr<std::vector<TracePosition>> ReadPositions(const TraceDb& db,
                                                         const PositionScan& scan, size_t limit) {
  std::vector<TracePosition> positions;
  if (limit == 0) return positions;
  ASSAY_RETURN_IF_ERROR(ScanPositions(db, scan, [&](const TracePosition& position) {
    positions.push_back(position);
    return positions.size() < limit;
  }));
  return positions;
}

}  // namespace assay::trace
