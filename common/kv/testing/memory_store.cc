#include "common/kv/testing/memory_store.h"

#include <utility>

#include "common/kv/counter.h"
#include "common/status/status_macros.h"

namespace assay::kv {
namespace {

using Entries = MemoryStore::Entries;

std::optional<std::string> Find(const Entries& entries, std::string_view key, absl::Time now) {
  const auto it = entries.find(key);
  if (it == entries.end() || it->second.expires_at <= now) return std::nullopt;
  return it->second.value;
}

std::vector<std::optional<std::string>> FindAll(const Entries& entries,
                                                absl::Span<const std::string> keys,
                                                absl::Time now) {
  std::vector<std::optional<std::string>> values;
  for (const std::string& key : keys) values.push_back(Find(entries, key, now));
  return values;
}

absl::StatusOr<std::vector<Entry>> ScanEntries(const Entries& entries, const ScanRange& range,
                                               absl::Time now) {
  ASSAY_RETURN_IF_ERROR(ValidateScan(range));
  std::vector<Entry> result;
  if (!range.end.empty() && range.begin >= range.end) return result;
  const auto first = entries.lower_bound(range.begin);
  const auto last = range.end.empty() ? entries.end() : entries.lower_bound(range.end);
  int64_t bytes = 0;
  const auto take = [&](auto begin, auto end) {
    for (; begin != end && static_cast<int64_t>(result.size()) < range.limit; ++begin) {
      if (begin->second.expires_at <= now) continue;
      bytes += static_cast<int64_t>(begin->first.size() + begin->second.value.size());
      if (bytes > kMaxScanBytes) return;
      result.push_back({begin->first, begin->second.value});
    }
  };
  if (range.reverse) {
    take(std::make_reverse_iterator(last), std::make_reverse_iterator(first));
  } else {
    take(first, last);
  }
  if (bytes > kMaxScanBytes) return ScanTooLargeError();
  return result;
}

void ApplyOperation(const Batch::Operation& operation, Entries* entries) {
  switch (operation.kind) {
    case Batch::Kind::kPut: {
      absl::Time expires_at = operation.expires_at;
      if (expires_at != absl::InfiniteFuture()) {
        expires_at = absl::FromUnixMicros(absl::ToUnixMicros(expires_at));
      }
      (*entries)[operation.key] = {operation.value, expires_at};
      return;
    }
    case Batch::Kind::kDelete:
      entries->erase(operation.key);
      return;
    case Batch::Kind::kAdd: {
      const auto it = entries->find(operation.key);
      std::optional<std::string> base;
      if (it != entries->end() && it->second.expires_at == absl::InfiniteFuture()) {
        base = it->second.value;
      }
      (*entries)[operation.key] = {EncodeCounter(AddToCounter(base, operation.delta))};
      return;
    }
  }
}

}  // namespace

// Holds the entries of its moment. Lets go of them under the store's lock, which orders its reads
// before the store's next change in place.
class MemoryStore::MemorySnapshot final : public Reader {
 public:
  MemorySnapshot(const MemoryStore& store, std::shared_ptr<const Entries> entries)
      : store_(store), entries_(std::move(entries)) {}
  ~MemorySnapshot() override {
    MutexLock lock(&store_.mutex_);
    entries_.reset();
  }

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override {
    return Find(*entries_, key, store_.clock_.Now());
  }
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(
      absl::Span<const std::string> keys) const override {
    return FindAll(*entries_, keys, store_.clock_.Now());
  }
  absl::StatusOr<std::vector<Entry>> Scan(const ScanRange& range) const override {
    return ScanEntries(*entries_, range, store_.clock_.Now());
  }

 private:
  const MemoryStore& store_;
  std::shared_ptr<const Entries> entries_;
};

MemoryStore::MemoryStore(Executor& executor, Clock& clock)
    : executor_(executor), clock_(clock), entries_(std::make_shared<Entries>()) {}

absl::StatusOr<std::optional<std::string>> MemoryStore::Get(std::string_view key) const {
  return Snapshot()->Get(key);
}

absl::StatusOr<std::vector<std::optional<std::string>>> MemoryStore::MultiGet(
    absl::Span<const std::string> keys) const {
  return Snapshot()->MultiGet(keys);
}

absl::StatusOr<std::vector<Entry>> MemoryStore::Scan(const ScanRange& range) const {
  return Snapshot()->Scan(range);
}

std::unique_ptr<const Reader> MemoryStore::Snapshot() const {
  MutexLock lock(&mutex_);
  return std::make_unique<MemorySnapshot>(*this, entries_);
}

void MemoryStore::Commit(Batch batch, DoneStatus done) {
  executor_.Run([done = std::move(done), status = Apply(batch)]() mutable {
    std::move(done)(std::move(status));
  });
}

absl::Status MemoryStore::CommitAndWait(Batch batch) { return Apply(batch); }

void MemoryStore::FailCommitsWith(absl::Status status) {
  MutexLock lock(&mutex_);
  failure_ = std::move(status);
}

absl::Status MemoryStore::Apply(const Batch& batch) {
  ASSAY_RETURN_IF_ERROR(batch.Validate());
  const absl::Time now = clock_.Now();
  MutexLock lock(&mutex_);
  ASSAY_RETURN_IF_ERROR(failure_);
  for (const Batch::Check& check : batch.checks()) {
    if (Find(*entries_, check.key, now) != check.expected) return CheckFailedError();
  }
  if (entries_.use_count() > 1) entries_ = std::make_shared<Entries>(*entries_);
  for (const Batch::Operation& operation : batch.operations()) {
    ApplyOperation(operation, entries_.get());
  }
  return absl::OkStatus();
}

}  // namespace assay::kv
