#include "common/rocks/committer.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "common/rocks/status.h"
#include "common/status/errors.h"
#include "common/sync/notification.h"
#include "rocksdb/options.h"
#include "rocksdb/perf_level.h"

namespace assay::rocks {
namespace {

// Appends the operations of a batch to another.
class Appender final : public rocksdb::WriteBatch::Handler {
 public:
  Appender(const Db& db, WriteBatch* target) : db_(db), target_(target) {}

  rocksdb::Status PutCF(uint32_t id, const rocksdb::Slice& key,
                        const rocksdb::Slice& value) override {
    return With(id, [&](auto* family) { return target_->Put(family, key, value); });
  }
  rocksdb::Status DeleteCF(uint32_t id, const rocksdb::Slice& key) override {
    return With(id, [&](auto* family) { return target_->Delete(family, key); });
  }
  rocksdb::Status SingleDeleteCF(uint32_t id, const rocksdb::Slice& key) override {
    return With(id, [&](auto* family) { return target_->SingleDelete(family, key); });
  }
  rocksdb::Status DeleteRangeCF(uint32_t id, const rocksdb::Slice& begin,
                                const rocksdb::Slice& end) override {
    return With(id, [&](auto* family) { return target_->DeleteRange(family, begin, end); });
  }
  rocksdb::Status MergeCF(uint32_t id, const rocksdb::Slice& key,
                          const rocksdb::Slice& value) override {
    return With(id, [&](auto* family) { return target_->Merge(family, key, value); });
  }
  void LogData(const rocksdb::Slice& blob) override {
    target_->PutLogData(blob).PermitUncheckedError();
  }

 private:
  template <class Operation>
  rocksdb::Status With(uint32_t id, Operation operation) {
    rocksdb::ColumnFamilyHandle* family = db_.FamilyById(id);
    if (family == nullptr) return rocksdb::Status::InvalidArgument("not a family of this store");
    return operation(family);
  }

  const Db& db_;
  WriteBatch* const target_;
};

// Notes the keys that a batch changes in one family, by a hash: two keys that share one only make a
// write earlier than it had to be.
class KeyCollector final : public rocksdb::WriteBatch::Handler {
 public:
  explicit KeyCollector(uint32_t family) : family_(family) {}

  rocksdb::Status PutCF(uint32_t id, const rocksdb::Slice& key, const rocksdb::Slice&) override {
    return Note(id, key);
  }
  rocksdb::Status DeleteCF(uint32_t id, const rocksdb::Slice& key) override {
    return Note(id, key);
  }
  rocksdb::Status SingleDeleteCF(uint32_t id, const rocksdb::Slice& key) override {
    return Note(id, key);
  }
  rocksdb::Status MergeCF(uint32_t id, const rocksdb::Slice& key, const rocksdb::Slice&) override {
    return Note(id, key);
  }
  rocksdb::Status DeleteRangeCF(uint32_t, const rocksdb::Slice&, const rocksdb::Slice&) override {
    has_range_ = true;
    return rocksdb::Status::OK();
  }
  void LogData(const rocksdb::Slice&) override {}

  uint32_t family() const { return family_; }
  bool Has(std::string_view key) const { return has_range_ || keys_.contains(HashOf(key)); }

 private:
  static uint64_t HashOf(std::string_view key) { return absl::Hash<std::string_view>()(key); }
  rocksdb::Status Note(uint32_t id, const rocksdb::Slice& key) {
    if (id == family_) keys_.insert(HashOf({key.data(), key.size()}));
    return rocksdb::Status::OK();
  }

  uint32_t family_;
  absl::flat_hash_set<uint64_t> keys_;
  bool has_range_ = false;
};

int64_t CostOf(const WriteBatch& batch, const std::vector<Check>& checks) {
  constexpr int64_t kOverhead = 128;
  int64_t bytes = static_cast<int64_t>(batch.GetDataSize()) + kOverhead;
  for (const Check& check : checks) bytes += static_cast<int64_t>(check.key.size()) + kOverhead;
  return bytes;
}

}  // namespace

// Requests whose checks hold and that go into one write.
class Committer::Group {
 public:
  bool empty() const { return requests_.empty(); }
  int64_t bytes() const { return bytes_; }
  std::deque<Request>& requests() { return requests_; }

  void Add(Request request) {
    bytes_ += request.bytes;
    requests_.push_back(std::move(request));
  }

  // Whether the outcome of a check depends on what this group is about to write.
  bool Touches(const Db& db, const std::vector<Check>& checks) {
    return std::any_of(checks.begin(), checks.end(), [&](const Check& check) {
      return KeysOf(db.family(check.family)->GetID()).Has(check.key);
    });
  }

 private:
  // What the requests so far change in a family. Few families are ever asked for, and most groups
  // not at all, so their keys are noted late.
  const KeyCollector& KeysOf(uint32_t family) {
    auto place = std::find_if(keys_.begin(), keys_.end(),
                              [&](const Keys& keys) { return keys.collector.family() == family; });
    if (place == keys_.end()) place = keys_.insert(keys_.end(), Keys{KeyCollector(family)});
    for (; place->requests < requests_.size(); ++place->requests) {
      requests_[place->requests].batch.Iterate(&place->collector).PermitUncheckedError();
    }
    return place->collector;
  }

  struct Keys {
    KeyCollector collector;
    size_t requests = 0;  // Of which the keys are noted.
  };
  std::deque<Request> requests_;
  int64_t bytes_ = 0;
  std::deque<Keys> keys_;
};

Committer::Committer(Db& db, Executor& executor, CommitterOptions options)
    : db_(db), executor_(executor), options_(options), thread_([this] { Run(); }) {}

Committer::~Committer() {
  {
    MutexLock lock(&mutex_);
    closing_ = true;
    wake_.Signal();
  }
  thread_.join();
}

void Committer::Commit(WriteBatch batch, std::vector<Check> checks, DoneStatus done) {
  Request request;
  request.bytes = CostOf(batch, checks);
  request.batch = std::move(batch);
  request.checks = std::move(checks);
  request.done = std::move(done);
  if (!Admit(request)) Finish(request, Overloaded("commit queue", absl::Milliseconds(100)));
}

absl::Status Committer::CommitAndWait(WriteBatch batch, std::vector<Check> checks) {
  Notification finished;
  absl::Status result;
  Request request;
  request.bytes = CostOf(batch, checks);
  request.batch = std::move(batch);
  request.checks = std::move(checks);
  request.inline_done = true;
  request.done = [&](absl::Status status) {
    result = std::move(status);
    finished.Notify();
  };
  if (!Admit(request)) return Overloaded("commit queue", absl::Milliseconds(100));
  finished.Wait();
  return result;
}

bool Committer::Admit(Request& request) {
  MutexLock lock(&mutex_);
  if (queued_bytes_ > 0 && queued_bytes_ + request.bytes > options_.max_queued_bytes) return false;
  queued_bytes_ += request.bytes;
  queue_.push_back(std::move(request));
  wake_.Signal();
  return true;
}

void Committer::Run() {
  // RocksDB counts every comparison of keys otherwise: a quarter of what a write costs.
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
  while (true) {
    std::deque<Request> queued;
    {
      MutexLock lock(&mutex_);
      while (queue_.empty() && !closing_) wake_.Wait(&mutex_);
      if (queue_.empty()) return;
      queued.swap(queue_);
    }
    WriteQueued(std::move(queued));
  }
}

void Committer::WriteQueued(std::deque<Request> queued) {
  Group group;
  for (Request& request : queued) {
    const bool full = group.bytes() + request.bytes > options_.max_group_bytes;
    // A check sees what was admitted before it, so that must be written first.
    if (!group.empty() && (full || group.Touches(db_, request.checks))) {
      WriteGroup(group);
      group = Group();
    }
    if (absl::Status held = TestChecks(request); held.ok()) {
      group.Add(std::move(request));
    } else {
      Finish(request, held);
      Release(request.bytes);
    }
  }
  if (!group.empty()) WriteGroup(group);
}

absl::Status Committer::TestChecks(Request& request) {
  for (Check& check : request.checks) {
    absl::StatusOr<std::optional<std::string>> stored = db_.Get(check.family, check.key);
    if (!stored.ok()) return stored.status();
    absl::Status held = check.test(*stored);
    if (!held.ok()) return held;
  }
  return absl::OkStatus();
}

void Committer::WriteGroup(Group& group) {
  std::deque<Request>& requests = group.requests();
  absl::Status status;
  if (requests.size() == 1) {
    status = WriteSynced(&requests.front().batch);
  } else {
    WriteBatch all(static_cast<size_t>(group.bytes()));
    Appender appender(db_, &all);
    for (const Request& request : requests) {
      status.Update(FromRocks(request.batch.Iterate(&appender), "commit"));
    }
    if (status.ok()) status = WriteSynced(&all);
  }
  {
    MutexLock lock(&mutex_);
    queued_bytes_ -= group.bytes();
    groups_written_ += 1;
    batches_written_ += static_cast<int64_t>(requests.size());
  }
  for (Request& request : requests) Finish(request, status);
}

absl::Status Committer::WriteSynced(WriteBatch* batch) {
  if (batch->Count() == 0) return absl::OkStatus();
  // RocksDB refuses all writes after a failed one until it is told to go on. (After a full disk it
  // looks for space itself, every five seconds, and this does nothing.)
  if (resume_first_) db_.raw().Resume().PermitUncheckedError();
  rocksdb::WriteOptions options;
  options.sync = true;
  const rocksdb::Status status = db_.raw().Write(options, batch);
  resume_first_ = !status.ok();
  return FromRocks(status, "commit");
}

void Committer::Finish(Request& request, const absl::Status& status) {
  if (request.inline_done) return std::move(request.done)(status);
  executor_.Run([done = std::move(request.done), status]() mutable { std::move(done)(status); });
}

void Committer::Release(int64_t bytes) {
  MutexLock lock(&mutex_);
  queued_bytes_ -= bytes;
}

int64_t Committer::queued_bytes() const {
  MutexLock lock(&mutex_);
  return queued_bytes_;
}

int64_t Committer::groups_written() const {
  MutexLock lock(&mutex_);
  return groups_written_;
}

int64_t Committer::batches_written() const {
  MutexLock lock(&mutex_);
  return batches_written_;
}

}  // namespace assay::rocks
