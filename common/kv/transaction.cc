#include "common/kv/transaction.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/kv/counter.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace assay::kv {
namespace {

absl::Status ContentionError() {
  return MakeError(absl::StatusCode::kAborted, "CONTENTION",
                   absl::StrCat("other writers changed the same state in each of ",
                                kMaxTransactionTries, " tries; try again"));
}

// One RunTransaction on its way through body, commit and perhaps back.
struct Attempts {
  Store& store;
  Executor& executor;
  absl::AnyInvocable<absl::Status(Transaction&)> body;
  DoneStatus done;
  int tries = 0;
};

void Try(std::shared_ptr<Attempts> attempts);

void AfterCommit(std::shared_ptr<Attempts> attempts, absl::Status status) {
  if (IsCheckFailed(status)) {
    if (attempts->tries < kMaxTransactionTries) return Try(std::move(attempts));
    status = ContentionError();
  }
  Executor& executor = attempts->executor;
  executor.Run([attempts = std::move(attempts), status = std::move(status)]() mutable {
    std::move(attempts->done)(std::move(status));
  });
}

void Try(std::shared_ptr<Attempts> attempts) {
  ++attempts->tries;
  Executor& executor = attempts->executor;
  executor.Run([attempts = std::move(attempts)]() mutable {
    Transaction transaction(attempts->store);
    absl::Status status = attempts->body(transaction);
    if (!status.ok() || !transaction.has_writes()) {
      return std::move(attempts->done)(std::move(status));
    }
    Store& store = attempts->store;
    store.Commit(transaction.TakeBatch(),
                 [attempts = std::move(attempts)](absl::Status committed) mutable {
                   AfterCommit(std::move(attempts), std::move(committed));
                 });
  });
}

}  // namespace

const Reader& Transaction::snapshot() {
  if (snapshot_ == nullptr) snapshot_ = store_.Snapshot();
  return *snapshot_;
}

std::optional<std::string> Transaction::Overlaid(std::string_view key,
                                                 std::optional<std::string> stored) const {
  const auto it = pending_.find(key);
  if (it == pending_.end()) return stored;
  const Pending& pending = it->second;
  std::optional<std::string> value = pending.replaces ? pending.base : std::move(stored);
  if (!pending.adds) return value;
  if (pending.replaces && pending.expires_at != absl::InfiniteFuture()) value.reset();
  return EncodeCounter(AddToCounter(value, pending.delta));
}

absl::StatusOr<std::optional<std::string>> Transaction::Get(std::string_view key) {
  const auto it = pending_.find(key);
  if (it != pending_.end() && it->second.replaces) return Overlaid(key, std::nullopt);
  if (const auto seen = read_.find(key); seen != read_.end()) return Overlaid(key, seen->second);
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> stored, snapshot().Get(key));
  read_.emplace(key, stored);
  return Overlaid(key, std::move(stored));
}

absl::StatusOr<std::vector<std::optional<std::string>>> Transaction::MultiGet(
    absl::Span<const std::string> keys) {
  ASSAY_ASSIGN_OR_RETURN(std::vector<std::optional<std::string>> stored, snapshot().MultiGet(keys));
  for (size_t i = 0; i < keys.size(); ++i) {
    read_.emplace(keys[i], stored[i]);
    stored[i] = Overlaid(keys[i], std::move(stored[i]));
  }
  return stored;
}

absl::StatusOr<std::optional<std::string>> Transaction::GetUnchecked(std::string_view key) {
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> stored, snapshot().Get(key));
  return Overlaid(key, std::move(stored));
}

absl::StatusOr<std::vector<Entry>> Transaction::Scan(const ScanRange& range) {
  ASSAY_RETURN_IF_ERROR(ValidateScan(range));
  if (!range.end.empty() && range.begin >= range.end) return std::vector<Entry>();
  const auto first = pending_.lower_bound(range.begin);
  const auto last = range.end.empty() ? pending_.end() : pending_.lower_bound(range.end);
  // Each of the transaction's own keys can hide one stored entry.
  ScanRange wider = range;
  wider.limit = std::min(kMaxScanEntries, range.limit + std::distance(first, last));
  ASSAY_ASSIGN_OR_RETURN(std::vector<Entry> stored, snapshot().Scan(wider));
  if (first == last) return stored;

  // Beyond what was read there may be more, which own keys must not overtake.
  const bool complete = static_cast<int64_t>(stored.size()) < wider.limit;
  const std::string edge = complete ? "" : stored.back().key;
  std::map<std::string, std::optional<std::string>> merged;
  for (Entry& entry : stored) merged.emplace(std::move(entry.key), std::move(entry.value));
  for (auto it = first; it != last; ++it) {
    if (!complete && (range.reverse ? it->first < edge : it->first > edge)) continue;
    std::optional<std::string>& value = merged[it->first];
    value = Overlaid(it->first, std::move(value));
  }
  std::vector<Entry> result;
  const auto take = [&](auto begin, auto end) {
    for (; begin != end && static_cast<int64_t>(result.size()) < range.limit; ++begin) {
      if (begin->second.has_value()) result.push_back({begin->first, *std::move(begin->second)});
    }
  };
  range.reverse ? take(merged.rbegin(), merged.rend()) : take(merged.begin(), merged.end());
  return result;
}

void Transaction::Put(std::string key, std::string value, absl::Time expires_at) {
  pending_[std::move(key)] = {.replaces = true, .base = std::move(value), .expires_at = expires_at};
}

void Transaction::Delete(std::string key) { pending_[std::move(key)] = {.replaces = true}; }

void Transaction::Add(std::string key, int64_t delta) {
  Pending& pending = pending_[std::move(key)];
  pending.adds = true;
  pending.delta =
      static_cast<int64_t>(static_cast<uint64_t>(pending.delta) + static_cast<uint64_t>(delta));
}

Batch Transaction::TakeBatch() {
  Batch batch;
  for (auto& [key, value] : read_) batch.CheckIs(key, std::move(value));
  for (auto& [key, pending] : pending_) {
    if (pending.replaces && pending.base.has_value()) {
      batch.Put(key, *std::move(pending.base), pending.expires_at);
    } else if (pending.replaces) {
      batch.Delete(key);
    }
    if (pending.adds) batch.Add(key, pending.delta);
  }
  read_.clear();
  pending_.clear();
  snapshot_.reset();
  return batch;
}

void RunTransaction(Store& store, Executor& executor,
                    absl::AnyInvocable<absl::Status(Transaction&)> body, DoneStatus done) {
  Try(std::make_shared<Attempts>(Attempts{store, executor, std::move(body), std::move(done)}));
}

absl::Status RunTransactionAndWait(Store& store,
                                   absl::AnyInvocable<absl::Status(Transaction&)> body) {
  for (int tries = 0; tries < kMaxTransactionTries; ++tries) {
    Transaction transaction(store);
    ASSAY_RETURN_IF_ERROR(body(transaction));
    if (!transaction.has_writes()) return absl::OkStatus();
    const absl::Status committed = store.CommitAndWait(transaction.TakeBatch());
    if (!IsCheckFailed(committed)) return committed;
  }
  return ContentionError();
}

}  // namespace assay::kv
