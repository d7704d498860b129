#include "common/kv/rocks_store.h"

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/rocks/committer.h"
#include "common/rocks/db.h"
#include "common/rocks/expiring_value.h"
#include "common/rocks/scan.h"
#include "common/status/status_macros.h"

namespace assay::kv {
namespace {

constexpr int kFamily = 0;

absl::StatusOr<std::optional<std::string>> Visible(std::optional<std::string> stored,
                                                   absl::Time now) {
  if (!stored.has_value()) return std::nullopt;
  ASSAY_ASSIGN_OR_RETURN(const auto payload, rocks::DecodeValue(*stored, now));
  if (!payload.has_value()) return std::nullopt;
  stored->erase(0, stored->size() - payload->size());
  return stored;
}

// Reads the latest state, or that of a snapshot.
class RocksReader final : public Reader {
 public:
  RocksReader(const rocks::Db& db, Clock& clock, std::unique_ptr<const rocks::Snapshot> snapshot)
      : db_(db), clock_(clock), snapshot_(std::move(snapshot)) {}

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override {
    ASSAY_ASSIGN_OR_RETURN(auto stored, db_.Get(kFamily, key, snapshot_.get()));
    return Visible(std::move(stored), clock_.Now());
  }

  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(
      absl::Span<const std::string> keys) const override {
    ASSAY_ASSIGN_OR_RETURN(auto values, db_.MultiGet(kFamily, keys, snapshot_.get()));
    const absl::Time now = clock_.Now();
    for (std::optional<std::string>& value : values) {
      ASSAY_ASSIGN_OR_RETURN(value, Visible(std::move(value), now));
    }
    return values;
  }

  absl::StatusOr<std::vector<Entry>> Scan(const ScanRange& range) const override {
    ASSAY_RETURN_IF_ERROR(ValidateScan(range));
    const absl::Time now = clock_.Now();
    std::vector<Entry> entries;
    int64_t bytes = 0;
    absl::Status failure;
    const auto visit = [&](std::string_view key, std::string_view stored) {
      const auto payload = rocks::DecodeValue(stored, now);
      if (!payload.ok()) {
        failure = payload.status();
        return rocks::ScanStep::Stop();
      }
      if (!payload->has_value()) return rocks::ScanStep::Next();
      bytes += static_cast<int64_t>(key.size() + stored.size());
      if (bytes > kMaxScanBytes) {
        failure = ScanTooLargeError();
        return rocks::ScanStep::Stop();
      }
      entries.push_back({std::string(key), std::string(**payload)});
      const bool full = static_cast<int64_t>(entries.size()) == range.limit;
      return full ? rocks::ScanStep::Stop() : rocks::ScanStep::Next();
    };
    // The limit counts visible entries, so the walk itself goes on over expired ones.
    rocks::ScanRequest request{.begin = range.begin,
                               .end = range.end,
                               .limit = std::numeric_limits<int64_t>::max(),
                               .reverse = range.reverse,
                               .snapshot = snapshot_.get()};
    ASSAY_RETURN_IF_ERROR(rocks::Scan(db_, kFamily, request, visit).status());
    ASSAY_RETURN_IF_ERROR(failure);
    return entries;
  }

 private:
  const rocks::Db& db_;
  Clock& clock_;
  const std::unique_ptr<const rocks::Snapshot> snapshot_;
};

class RocksStore final : public Store {
 public:
  // `owned` may be null: then `db` lives elsewhere.
  RocksStore(std::unique_ptr<rocks::Db> owned, rocks::Db& db, Executor& executor, Clock& clock,
             int64_t max_queued_bytes)
      : owned_(std::move(owned)),
        db_(db),
        executor_(executor),
        clock_(clock),
        latest_(db, clock, nullptr),
        committer_(db, executor, {.max_queued_bytes = max_queued_bytes}) {}

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override {
    return latest_.Get(key);
  }
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(
      absl::Span<const std::string> keys) const override {
    // MultiGet without a snapshot may see a commit in the middle.
    return Snapshot()->MultiGet(keys);
  }
  absl::StatusOr<std::vector<Entry>> Scan(const ScanRange& range) const override {
    return latest_.Scan(range);
  }

  std::unique_ptr<const Reader> Snapshot() const override {
    return std::make_unique<RocksReader>(db_, clock_, std::make_unique<const rocks::Snapshot>(db_));
  }

  void Commit(Batch batch, DoneStatus done) override {
    if (absl::Status valid = batch.Validate(); !valid.ok()) {
      executor_.Run([done = std::move(done), valid]() mutable { std::move(done)(valid); });
      return;
    }
    committer_.Commit(Writes(batch), Checks(batch), std::move(done));
  }

  absl::Status CommitAndWait(Batch batch) override {
    ASSAY_RETURN_IF_ERROR(batch.Validate());
    return committer_.CommitAndWait(Writes(batch), Checks(batch));
  }

 private:
  rocks::WriteBatch Writes(const Batch& batch) const {
    rocks::WriteBatch writes;
    auto* const family = db_.family(kFamily);
    for (const Batch::Operation& operation : batch.operations()) {
      switch (operation.kind) {
        // These only append to memory; they fail on bounds that Batch::Validate is far below.
        case Batch::Kind::kPut:
          writes
              .Put(family, operation.key, rocks::EncodeValue(operation.value, operation.expires_at))
              .PermitUncheckedError();
          break;
        case Batch::Kind::kDelete:
          writes.Delete(family, operation.key).PermitUncheckedError();
          break;
        case Batch::Kind::kAdd:
          writes.Merge(family, operation.key, rocks::EncodeAdd(operation.delta))
              .PermitUncheckedError();
          break;
      }
    }
    return writes;
  }

  std::vector<rocks::Check> Checks(const Batch& batch) const {
    std::vector<rocks::Check> checks;
    for (const Batch::Check& check : batch.checks()) {
      auto test = [this, expected = check.expected](
                      std::optional<std::string_view> stored) -> absl::Status {
        std::optional<std::string_view> current;
        if (stored.has_value()) {
          ASSAY_ASSIGN_OR_RETURN(current, rocks::DecodeValue(*stored, clock_.Now()));
        }
        const bool same = current.has_value() == expected.has_value() &&
                          (!current.has_value() || *current == *expected);
        return same ? absl::OkStatus() : CheckFailedError();
      };
      checks.push_back({kFamily, check.key, std::move(test)});
    }
    return checks;
  }

  // In order of lifetime: the committer and the reader use the database.
  const std::unique_ptr<rocks::Db> owned_;
  rocks::Db& db_;
  Executor& executor_;
  Clock& clock_;
  const RocksReader latest_;
  rocks::Committer committer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenRocksStore(RocksStoreOptions options, Executor& executor,
                                                      Clock& clock) {
  rocks::DbOptions db_options;
  db_options.path = options.path;
  db_options.store_name = options.store_name;
  db_options.schema_version = options.schema_version;
  db_options.env = options.env;
  db_options.block_cache_bytes = 8 << 20;
  db_options.families = {
      {.name = "kv",
       .merge_operator = rocks::NewExpiringValueMergeOperator(),
       .compaction_filter_factory = rocks::NewExpiryFilterFactory([&clock] { return clock.Now(); }),
       .rewrite_after = absl::Hours(24)}};
  if (options.migrate) {
    db_options.migrate = [&](rocks::Db& db, uint32_t from) -> absl::Status {
      RocksStore store(nullptr, db, executor, clock, options.max_queued_bytes);
      return options.migrate(store, from);
    };
  }
  ASSAY_ASSIGN_OR_RETURN(std::unique_ptr<rocks::Db> db, rocks::Db::Open(std::move(db_options)));
  rocks::Db& opened = *db;
  return std::make_unique<RocksStore>(std::move(db), opened, executor, clock,
                                      options.max_queued_bytes);
}

}  // namespace assay::kv
