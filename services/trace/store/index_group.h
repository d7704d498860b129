// Entries of the index that traces of one request share: a request brings many traces that say the
// same (the service, the model, the names of their spans), and one entry for all of them costs little
// more than one for each of them.
//
// A group is a set of traces of one experiment, bound at one time, whose starts lie close together.
// It has a key by time, whose value lists its traces, and one under each term that any of them has,
// whose value names those that do by their places in that list:
//   by time   bound (u64), member*     member = start of the group minus start of the trace (u32,
//                                      nanoseconds), trace id (16); 0xFF.. in place of one that left
//   by term   bound (u64), place (u8)*
// Without traces both are empty. A trace that is in a group (TraceFactsRecord.index_group) has no
// entry by itself: terms that come later are added to the group's entries, by merge. It leaves the
// group when its start moves back, and when it is deleted.
#ifndef ASSAY_SERVICES_TRACE_STORE_INDEX_GROUP_H_
#define ASSAY_SERVICES_TRACE_STORE_INDEX_GROUP_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "rocksdb/merge_operator.h"
#include "services/trace/store/trace_keys.h"

namespace assay::trace {

// How much earlier than its group a trace of it may start, in nanoseconds. A scan that begins at some
// time also reads the entries of groups that begin so much later.
inline constexpr uint64_t kMaxGroupSpread = 250'000'000;
inline constexpr size_t kMaxGroupTraces = 128;

// By their places; nullopt for one that left.
using GroupMembers = std::vector<std::optional<TracePosition>>;

// What the values of a group begin with; members or places follow.
inline std::string GroupValue(uint64_t bound_ms) { return keys::BoundValue(bound_ms); }
// `start` is at most kMaxGroupSpread before the group's.
std::string GroupMember(const keys::IndexGroup& group, const TracePosition& position);

// The members of a value by time; `start_unix_nano` is that of the group. DATA_LOSS for bytes that
// are no such value.
absl::Status ReadGroupMembers(std::string_view value, uint64_t start_unix_nano,
                              GroupMembers* members);
// The places of a value by term; the view is into `value`. The same error.
absl::Status ReadGroupPlaces(std::string_view value, std::string_view* places);

// The bound that a value of the index begins with, of a group or of a trace by itself; false for a
// group without traces.
bool ReadIndexBound(std::string_view value, uint64_t* bound_ms);

// Operands of a merge with a value of a group: one more trace (by term only), one less.
std::string GroupAddition(uint64_t bound_ms, uint8_t place);
std::string GroupRemoval(uint8_t place);

// Of the index. Leaves an empty value where no trace is left, for the filter to drop.
std::shared_ptr<rocksdb::MergeOperator> NewIndexMergeOperator();

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_STORE_INDEX_GROUP_H_
