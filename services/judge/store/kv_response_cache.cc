#include "services/judge/store/kv_response_cache.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "assay/storage/v1/model_records.pb.h"
#include "common/kv/counter.h"
#include "common/kv/keys.h"
#include "common/sync/mutex.h"
#include "common/sync/notification.h"
#include "services/judge/store/judge_keys.h"

namespace assay::judge {
namespace {

constexpr int64_t kPage = 10'000;
// Keys, sequence numbers and the entry of the hour.
constexpr int64_t kOverheadBytes = 128;

std::string Encode(const ModelResponse& response) {
  storage::v1::CachedAnswerRecord record;
  record.set_schema_version(1);
  record.set_text(response.text);
  record.set_answered_by(response.answered_by);
  for (const ModelToolCall& call : response.tool_calls) {
    storage::v1::CachedToolCall& kept = *record.add_tool_calls();
    kept.set_id(call.id);
    kept.set_name(call.name);
    kept.set_arguments(call.arguments);
  }
  for (const TokenProbability& token : response.token_probabilities) {
    storage::v1::CachedToken& kept = *record.add_tokens();
    kept.set_token(token.token);
    kept.set_probability(token.probability);
    for (const auto& [text, probability] : token.alternatives) {
      kept.add_alternatives(text);
      kept.add_alternative_probabilities(probability);
    }
  }
  return record.SerializeAsString();
}

std::optional<ModelResponse> Decode(const std::string& bytes) {
  storage::v1::CachedAnswerRecord record;
  if (!record.ParseFromString(bytes)) return std::nullopt;
  ModelResponse response;
  response.text = std::move(*record.mutable_text());
  response.answered_by = std::move(*record.mutable_answered_by());
  response.attempts = 0;
  response.cache_hit = true;
  response.cost_usd = 0;
  for (storage::v1::CachedToolCall& call : *record.mutable_tool_calls()) {
    response.tool_calls.push_back({std::move(*call.mutable_id()), std::move(*call.mutable_name()),
                                   std::move(*call.mutable_arguments())});
  }
  for (storage::v1::CachedToken& token : *record.mutable_tokens()) {
    TokenProbability kept{std::move(*token.mutable_token()), token.probability(), {}};
    for (int i = 0; i < token.alternatives_size() && i < token.alternative_probabilities_size();
         ++i) {
      kept.alternatives.emplace_back(token.alternatives(i), token.alternative_probabilities(i));
    }
    response.token_probabilities.push_back(std::move(kept));
  }
  return response;
}

int64_t HourOf(absl::Time time) { return absl::ToUnixSeconds(time) / 3600; }

}  // namespace

struct KvResponseCache::State : std::enable_shared_from_this<State> {
  struct Unwritten {
    std::string bytes;
    absl::Time expires_at;
  };
  using Entries = absl::flat_hash_map<std::string, Unwritten>;

  State(kv::Store& store, Executor& executor, TimerQueue& timers, Clock& clock,
        const Options& options)
      : store(store), executor(executor), timers(timers), clock(clock), options(options) {}

  // What was there before the process began.
  void Count() ABSL_LOCKS_EXCLUDED(mutex) {
    std::map<int64_t, int64_t> found;
    kv::ScanRange scan = {CacheHourKeyPrefix(), kv::PrefixEnd(CacheHourKeyPrefix()), kPage, false};
    for (;;) {
      const absl::StatusOr<std::vector<kv::Entry>> entries = store.Scan(scan);
      if (!entries.ok()) return;
      for (const kv::Entry& entry : *entries) {
        const auto at = DecodeCacheHourKey(entry.key);
        if (at.ok()) found[at->hour] += kv::DecodeCounter(entry.value).value_or(0);
      }
      if (static_cast<int64_t>(entries->size()) < kPage) break;
      scan.begin = entries->back().key + '\0';
    }
    MutexLock lock(&mutex);
    for (const auto& [hour, bytes] : found) hours[hour] += bytes;
  }

  void Plan() {
    timers.RunAfter(options.write_interval, [weak = weak_from_this()] {
      if (std::shared_ptr<State> self = weak.lock()) {
        self->executor.Run([self] { self->Write([](const absl::Status&) {}); });
      }
    });
  }

  // On the executor: the first time, it counts.
  void Write(DoneStatus done) ABSL_LOCKS_EXCLUDED(mutex) {
    auto written = std::make_shared<Entries>();
    kv::Batch batch;
    const int64_t hour = HourOf(clock.Now());
    bool count = false;
    {
      MutexLock lock(&mutex);
      planned = false;
      if (writing != nullptr) {
        // One at a time: what is being written is found in memory until the store has it.
        planned = true;
        Plan();
      } else if (!unwritten.empty()) {
        written->swap(unwritten);
        unwritten_bytes = 0;
        writing = written;
        count = !std::exchange(counted, true);
      }
    }
    if (written->empty()) return std::move(done)(absl::OkStatus());
    if (count) Count();
    int64_t bytes = 0;
    for (const auto& [key, entry] : *written) {
      const auto size = static_cast<int64_t>(entry.bytes.size()) + kOverheadBytes;
      batch.Put(CachedKey(key), entry.bytes, entry.expires_at);
      batch.Put(CacheHourKey(hour, key), kv::EncodeCounter(size), entry.expires_at);
      bytes += size;
    }
    store.Commit(std::move(batch), [self = shared_from_this(), hour, bytes,
                                    done = std::move(done)](absl::Status status) mutable {
      const bool too_large = self->OnWritten(hour, status.ok() ? bytes : 0);
      if (too_large) self->Shrink();
      std::move(done)(std::move(status));
    });
  }

  // True if there is too much now.
  bool OnWritten(int64_t hour, int64_t bytes) ABSL_LOCKS_EXCLUDED(mutex) {
    MutexLock lock(&mutex);
    writing = nullptr;
    if (bytes > 0) hours[hour] += bytes;
    // All of these have expired by themselves.
    const int64_t oldest = HourOf(clock.Now() - options.ttl) - 1;
    while (!hours.empty() && hours.begin()->first < oldest) hours.erase(hours.begin());
    return Sum() > options.max_bytes;
  }

  int64_t Sum() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    int64_t sum = 0;
    for (const auto& [hour, bytes] : hours) sum += bytes;
    return sum;
  }

  // Removes a page of the oldest entries, at least a tenth of what is too much; the next write goes
  // on. On the store's executor.
  void Shrink() ABSL_LOCKS_EXCLUDED(mutex) {
    const absl::StatusOr<std::vector<kv::Entry>> entries =
        store.Scan({CacheHourKeyPrefix(), kv::PrefixEnd(CacheHourKeyPrefix()), kPage, false});
    if (!entries.ok()) return;
    int64_t surplus = 0;
    {
      MutexLock lock(&mutex);
      surplus = Sum() - options.max_bytes + options.max_bytes / 10;
    }
    kv::Batch batch;
    std::map<int64_t, int64_t> removed;
    for (const kv::Entry& entry : *entries) {
      if (surplus <= 0) break;
      const auto at = DecodeCacheHourKey(entry.key);
      if (!at.ok()) continue;
      const int64_t size = kv::DecodeCounter(entry.value).value_or(0);
      batch.Delete(entry.key);
      batch.Delete(CachedKey(at->question));
      removed[at->hour] += size;
      surplus -= size;
    }
    if (removed.empty()) {
      MutexLock lock(&mutex);
      hours.clear();  // What was counted is not there: it expired, or was replaced.
      return;
    }
    store.Commit(std::move(batch),
                 [self = shared_from_this(), removed = std::move(removed)](absl::Status status) {
                   if (!status.ok()) return;
                   MutexLock lock(&self->mutex);
                   for (const auto& [hour, bytes] : removed) {
                     if ((self->hours[hour] -= bytes) <= 0) self->hours.erase(hour);
                   }
                 });
  }

  std::optional<std::string> FindUnwritten(const std::string& key) ABSL_LOCKS_EXCLUDED(mutex) {
    MutexLock lock(&mutex);
    if (const auto found = unwritten.find(key); found != unwritten.end()) {
      return found->second.bytes;
    }
    if (writing == nullptr) return std::nullopt;
    const auto found = writing->find(key);
    if (found == writing->end()) return std::nullopt;
    return found->second.bytes;
  }

  kv::Store& store;
  Executor& executor;
  TimerQueue& timers;
  Clock& clock;
  const Options options;
  mutable Mutex mutex;
  Entries unwritten ABSL_GUARDED_BY(mutex);
  int64_t unwritten_bytes ABSL_GUARDED_BY(mutex) = 0;
  std::shared_ptr<const Entries> writing ABSL_GUARDED_BY(mutex);
  bool planned ABSL_GUARDED_BY(mutex) = false;
  bool counted ABSL_GUARDED_BY(mutex) = false;
  std::map<int64_t, int64_t> hours ABSL_GUARDED_BY(mutex);  // Bytes by hour of their writing.
};

KvResponseCache::KvResponseCache(kv::Store& store, Executor& executor, TimerQueue& timers,
                                 Clock& clock, const Options& options)
    : state_(std::make_shared<State>(store, executor, timers, clock, options)) {}

KvResponseCache::~KvResponseCache() = default;

std::optional<ModelResponse> KvResponseCache::Find(const std::string& key) {
  if (std::optional<std::string> bytes = state_->FindUnwritten(key)) return Decode(*bytes);
  const absl::StatusOr<std::optional<std::string>> stored = state_->store.Get(CachedKey(key));
  // A cache that cannot be read has no answer.
  if (!stored.ok() || !stored->has_value()) return std::nullopt;
  return Decode(**stored);
}

void KvResponseCache::Keep(const std::string& key, const ModelResponse& response) {
  std::string bytes = Encode(response);
  const auto size = static_cast<int64_t>(bytes.size()) + kOverheadBytes;
  if (size > state_->options.max_entry_bytes) return;
  bool plan = false;
  {
    MutexLock lock(&state_->mutex);
    if (state_->unwritten_bytes + size > state_->options.max_unwritten_bytes) return;
    state_->unwritten_bytes += size;
    state_->unwritten[key] = {std::move(bytes), state_->clock.Now() + state_->options.ttl};
    plan = !std::exchange(state_->planned, true);
  }
  if (plan) state_->Plan();
}

void KvResponseCache::FlushAndWait() {
  auto written = std::make_shared<Notification>();
  state_->Write([written](const absl::Status&) { written->Notify(); });
  written->WaitFor(absl::Seconds(10));
}

int64_t KvResponseCache::bytes() const {
  MutexLock lock(&state_->mutex);
  return state_->Sum();
}

}  // namespace assay::judge
