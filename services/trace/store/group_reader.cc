#include "services/trace/store/group_reader.h"

#include <algorithm>
#include <optional>

#include "common/rocks/ordered_code.h"
#include "common/rocks/scan.h"
#include "common/status/status_macros.h"
#include "services/trace/store/trace_keys.h"

namespace assay::trace {

GroupReader::GroupReader(const TraceDb& db, uint32_t number, bool newest_first)
    : db_(db), prefix_(keys::TimePrefix(number)), newest_first_(newest_first) {}

absl::StatusOr<const GroupMembers*> GroupReader::Find(std::string_view end) {
  bool first = true;
  while (!read_.empty() && read_.front().end != end) {
    // One that was read ahead and not asked for.
    if (!first) all_wanted_ = false;
    first = false;
    read_.pop_front();
  }
  if (read_.empty()) ASSAY_RETURN_IF_ERROR(Read(end));
  const bool there = !read_.empty() && read_.front().end == end;
  return there ? &read_.front().members : &none_;
}

absl::Status GroupReader::Read(std::string_view end) {
  at_once_ = all_wanted_ ? std::min(at_once_ * 2, kMostAtOnce) : 1;
  all_wanted_ = true;
  const std::string key = prefix_ + std::string(end);
  if (at_once_ == 1) {
    ASSAY_ASSIGN_OR_RETURN(const std::optional<std::string> value, db_.db().Get(keys::kIndex, key));
    return value.has_value() ? Take(end, *value) : absl::OkStatus();
  }
  rocks::ScanRequest request{.begin = key,
                             .end = rocks::PrefixEnd(prefix_),
                             .limit = static_cast<int64_t>(at_once_),
                             .reverse = !newest_first_};
  if (request.reverse) {
    request.begin = prefix_;
    request.end = key + '\0';
  }
  absl::Status broken;
  ASSAY_RETURN_IF_ERROR(rocks::Scan(db_.db(), keys::kIndex, request,
                                    [&](std::string_view found, std::string_view value) {
                                      found.remove_prefix(prefix_.size());
                                      if (found.size() == end.size()) broken = Take(found, value);
                                      return broken.ok() ? rocks::ScanStep::Next()
                                                         : rocks::ScanStep::Stop();
                                    })
                            .status());
  return broken;
}

absl::Status GroupReader::Take(std::string_view end, std::string_view value) {
  keys::IndexKeyEnd place;
  ASSAY_RETURN_IF_ERROR(keys::DecodeIndexKeyEnd(end, &place));
  Group& group = read_.emplace_back();
  group.end = std::string(end);
  return ReadGroupMembers(value, place.start_unix_nano - 1, &group.members);
}

}  // namespace assay::trace
