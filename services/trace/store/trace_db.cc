#include "services/trace/store/trace_db.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "common/names/random_id.h"
#include "common/rocks/ordered_code.h"
#include "common/rocks/scan.h"
#include "common/status/status_macros.h"
#include "services/trace/store/trace_families.h"

namespace assay::trace {
namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();
// Sequences per opening of the store.
constexpr int kEpochBits = 40;

absl::Status Unreadable(std::string_view what) {
  return absl::DataLossError("a stored " + std::string(what) + " cannot be read");
}

}  // namespace

absl::StatusOr<std::unique_ptr<TraceDb>> TraceDb::Open(const TraceDbOptions& options,
                                                       Executor& executor, Clock& clock) {
  std::unique_ptr<TraceDb> db(new TraceDb(executor, clock));
  ASSAY_RETURN_IF_ERROR(db->OpenAll(options));
  return db;
}

absl::Status TraceDb::OpenAll(const TraceDbOptions& options) {
  rocks::DbOptions db_options = DbOptionsFor(options.path, options.memory_bytes, clock_, horizons_);
  db_options.env = options.env;
  check_writable_ = options.check_writable;
  ASSAY_ASSIGN_OR_RETURN(db_, rocks::Db::Open(std::move(db_options)));
  committer_ = std::make_unique<rocks::Committer>(
      *db_, executor_,
      rocks::CommitterOptions{.max_queued_bytes = options.max_queued_bytes,
                              .max_group_bytes = 16 << 20});
  ASSAY_RETURN_IF_ERROR(LoadExperiments());
  ASSAY_RETURN_IF_ERROR(LoadPolicies());
  ASSAY_RETURN_IF_ERROR(FindFeedEnd());
  return BeginEpoch();
}

uint64_t TraceDb::NowMs() const {
  return static_cast<uint64_t>(std::max<int64_t>(0, absl::ToUnixMillis(clock_.Now())));
}

absl::Status TraceDb::BeginEpoch() {
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> stored, db_->Get(keys::kMeta, keys::Epoch()));
  uint64_t epoch = 0;
  if (stored.has_value()) {
    std::string_view bytes = *stored;
    if (!rocks::ConsumeUint64(&bytes, &epoch)) return Unreadable("epoch");
  }
  ++epoch;
  std::string value;
  rocks::AppendUint64(epoch, &value);
  rocks::WriteBatch batch;
  batch.Put(family(keys::kMeta), keys::Epoch(), value);
  next_sequence_ = epoch << kEpochBits;
  changed_.BeginAt(next_sequence_);
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> identity,
                         db_->Get(keys::kMeta, keys::Identity()));
  identity_ = identity.has_value() ? *identity : names::RandomId();
  if (!identity.has_value()) batch.Put(family(keys::kMeta), keys::Identity(), identity_);
  return committer_->CommitAndWait(std::move(batch));
}

absl::Status TraceDb::LoadExperiments() {
  const std::string prefix = keys::NumberPrefix();
  absl::Status broken;
  MutexLock lock(&mutex_);
  auto scanned = rocks::Scan(*db_, keys::kMeta,
                             {.begin = prefix, .end = rocks::PrefixEnd(prefix), .limit = kNoLimit},
                             [&](std::string_view key, std::string_view value) {
                               std::string experiment;
                               uint32_t number = 0;
                               broken = keys::DecodeNumber(key, &experiment);
                               if (broken.ok() && !rocks::ConsumeUint32(&value, &number))
                                 broken = Unreadable("number");
                               if (!broken.ok()) return rocks::ScanStep::Stop();
                               mutex_.AssertHeld();
                               numbers_[experiment] = {number, true};
                               experiments_[number] = experiment;
                               next_number_ = std::max(next_number_, number + 1);
                               return rocks::ScanStep::Next();
                             });
  return scanned.ok() ? broken : scanned.status();
}

absl::Status TraceDb::LoadPolicies() {
  const std::string prefix = keys::PolicyPrefix();
  absl::Status broken;
  auto scanned = rocks::Scan(
      *db_, keys::kMeta, {.begin = prefix, .end = rocks::PrefixEnd(prefix), .limit = kNoLimit},
      [&](std::string_view key, std::string_view value) {
        uint32_t number = 0;
        storage::v1::ExperimentPolicyRecord policy;
        broken = keys::DecodePolicy(key, &number);
        if (broken.ok() && !policy.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
          broken = Unreadable("policy");
        }
        if (!broken.ok()) return rocks::ScanStep::Stop();
        horizons_->Raise(number, policy.horizon_ms());
        return rocks::ScanStep::Next();
      });
  return scanned.ok() ? broken : scanned.status();
}

absl::Status TraceDb::FindFeedEnd() {
  const std::string prefix = keys::FeedPrefix();
  uint64_t last = 0;
  absl::Status broken;
  auto scanned =
      rocks::Scan(*db_, keys::kFeed,
                  {.begin = prefix, .end = rocks::PrefixEnd(prefix), .limit = 1, .reverse = true},
                  [&](std::string_view key, std::string_view) {
                    broken = keys::DecodeFeed(key, &last);
                    return rocks::ScanStep::Stop();
                  });
  if (!scanned.ok()) return scanned.status();
  // Places are not given twice, also when all events were forgotten.
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> start,
                         db_->Get(keys::kMeta, keys::FeedStart()));
  uint64_t first = 1;
  if (start.has_value()) {
    std::string_view bytes = *start;
    if (!rocks::ConsumeUint64(&bytes, &first)) return Unreadable("start of the feed");
  }
  MutexLock lock(&feed_mutex_);
  next_event_ = std::max(last + 1, first);
  return broken;
}

std::optional<uint32_t> TraceDb::FindNumber(const std::string& experiment) const {
  MutexLock lock(&mutex_);
  const auto found = numbers_.find(experiment);
  if (found == numbers_.end()) return std::nullopt;
  return found->second.number;
}

uint32_t TraceDb::NumberFor(const std::string& experiment, TraceWrite& write) {
  MutexLock lock(&mutex_);
  auto [place, added] = numbers_.try_emplace(experiment);
  if (added) {
    place->second.number = next_number_++;
    experiments_[place->second.number] = experiment;
  }
  // Until one write is known to be durable, each that uses the number carries it.
  if (!place->second.durable) {
    std::string value;
    rocks::AppendUint32(place->second.number, &value);
    write.batch.Put(family(keys::kMeta), keys::Number(experiment), value);
    write.numbered.push_back(experiment);
  }
  return place->second.number;
}

std::string TraceDb::ExperimentOf(uint32_t number) const {
  MutexLock lock(&mutex_);
  const auto found = experiments_.find(number);
  return found == experiments_.end() ? "" : found->second;
}

std::vector<std::pair<std::string, uint32_t>> TraceDb::Experiments() const {
  std::vector<std::pair<std::string, uint32_t>> all;
  MutexLock lock(&mutex_);
  all.reserve(numbers_.size());
  for (const auto& [experiment, numbered] : numbers_) all.emplace_back(experiment, numbered.number);
  return all;
}

uint64_t TraceDb::BoundMsNow(uint32_t number) const {
  return std::max(NowMs(), horizons_->Of(number));
}

void TraceDb::Commit(TraceWrite write, DoneStatus done) {
  const bool events = !write.feed.empty();
  DoneStatus finished = std::move(done);
  if (events || !write.numbered.empty()) {
    finished = [this, events, numbered = std::move(write.numbered),
                done = std::move(finished)](absl::Status status) mutable {
      if (status.ok()) Committed(numbered, events);
      std::move(done)(std::move(status));
    };
  }
  if (!events) {
    return Submit(std::move(write.batch), std::move(write.checks), std::move(finished));
  }
  MutexLock lock(&feed_mutex_);
  for (const storage::v1::FeedRecord& event : write.feed) {
    write.batch.Put(family(keys::kFeed), keys::Feed(next_event_++), event.SerializeAsString());
  }
  Submit(std::move(write.batch), std::move(write.checks), std::move(finished));
}

void TraceDb::Submit(rocks::WriteBatch batch, std::vector<rocks::Check> checks, DoneStatus done) {
  committer_->Commit(std::move(batch), std::move(checks), std::move(done));
}

uint64_t TraceDb::FeedEnd() const {
  MutexLock lock(&feed_mutex_);
  return next_event_;
}

void TraceDb::OnFeed(std::function<void()> listener) {
  MutexLock lock(&mutex_);
  listener_ = std::make_shared<const std::function<void()>>(std::move(listener));
}

void TraceDb::Committed(const std::vector<std::string>& numbered, bool events) {
  std::shared_ptr<const std::function<void()>> listener;
  {
    MutexLock lock(&mutex_);
    for (const std::string& experiment : numbered) numbers_[experiment].durable = true;
    if (events) listener = listener_;
  }
  if (listener != nullptr && *listener) (*listener)();
}

}  // namespace assay::trace
