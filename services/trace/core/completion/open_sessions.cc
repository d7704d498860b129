#include "services/trace/core/completion/open_sessions.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "common/strings/strings.h"
#include "services/trace/core/completion/completeness.h"

namespace assay::trace {
namespace {

// Beyond the idle window: due traces are looked for from the beginning twice a minute.
constexpr absl::Duration kToBeFound = absl::Minutes(1);

}  // namespace

OpenSessions::RecentKeys::RecentKeys(absl::Time now, absl::Duration memory)
    : memory_(memory), begun_(now), present_(kWords), before_(kWords) {}

void OpenSessions::RecentKeys::Add(uint64_t key) {
  for (const uint64_t half : {key, key >> 32}) {
    present_[half / 64 % kWords] |= uint64_t{1} << (half % 64);
  }
}

bool OpenSessions::RecentKeys::MayContain(uint64_t key) const {
  const auto has = [key](const std::vector<uint64_t>& words) {
    const auto bit = [&words](uint64_t half) {
      return (words[half / 64 % kWords] >> (half % 64) & 1) != 0;
    };
    return bit(key) && bit(key >> 32);
  };
  return has(present_) || has(before_);
}

void OpenSessions::RecentKeys::Forget(absl::Time now) {
  if (now < begun_ + memory_) return;
  std::swap(present_, before_);
  std::fill(present_.begin(), present_.end(), 0);
  begun_ = now;
}

OpenSessions::OpenSessions(absl::Time now, bool store_is_empty, absl::Duration idle_window)
    : all_known_from_(store_is_empty ? absl::InfinitePast() : now + kAbandonedAfter),
      arrivals_(now, idle_window + kToBeFound),
      unended_(now, kAbandonedAfter) {}

uint64_t OpenSessions::KeyOf(uint32_t experiment_number, std::string_view session) {
  return absl::HashOf(experiment_number, ToAbsl(session));
}

void OpenSessions::NoteArrivals(absl::Span<const uint64_t> keys) {
  if (keys.empty()) return;
  MutexLock lock(&mutex_);
  for (const uint64_t key : keys) arrivals_.Add(key);
}

void OpenSessions::NoteUnended(uint64_t key) {
  MutexLock lock(&mutex_);
  unended_.Add(key);
}

void OpenSessions::AllSettled(absl::Time now) {
  MutexLock lock(&mutex_);
  settled_ = true;
  arrivals_.Forget(now);
  unended_.Forget(now);
}

bool OpenSessions::MayBeOpen(uint64_t key, absl::Time now) const {
  if (now < all_known_from_) return true;
  MutexLock lock(&mutex_);
  return !settled_ || arrivals_.MayContain(key) || unended_.MayContain(key);
}

}  // namespace assay::trace
