#include "services/judge/store/kv_usage_store.h"

#include <memory>

#include "assay/storage/v1/model_records.pb.h"
#include "common/kv/counter.h"
#include "common/kv/keys.h"
#include "common/kv/mutate.h"
#include "common/kv/transaction.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/store/judge_keys.h"

namespace assay::judge {
namespace {

constexpr int64_t kPage = 10'000;
constexpr int64_t kMaxEntries = 2'000'000;

absl::Status Unreadable(std::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, "RECORD_UNREADABLE",
                   StrCat("a stored ", what, " cannot be read"));
}

// Of the names that the core has checked.
std::pair<std::string, std::string> IdsOf(std::string_view name) {
  constexpr std::string_view kExperiments = "experiments/";
  constexpr std::string_view kBudgets = "/budgets/";
  const size_t at = name.find(kBudgets);
  return {std::string(name.substr(kExperiments.size(), at - kExperiments.size())),
          std::string(name.substr(at + kBudgets.size()))};
}

std::string StateBytes(const BudgetState& state) {
  storage::v1::BudgetStateRecord record;
  record.set_schema_version(1);
  record.set_period_start_unix_s(state.period_start);
  record.set_spent(state.spent);
  record.set_held(state.held);
  return record.SerializeAsString();
}

std::string BudgetBytes(const v1::Budget& budget) {
  storage::v1::BudgetRecord record;
  record.set_schema_version(1);
  *record.mutable_budget() = budget;
  return record.SerializeAsString();
}

absl::StatusOr<StoredBudget> Decode(const std::string& budget,
                                    const std::optional<std::string>& state) {
  StoredBudget stored;
  storage::v1::BudgetRecord record;
  if (!record.ParseFromString(budget)) return Unreadable("budget");
  stored.budget = std::move(*record.mutable_budget());
  if (!state.has_value()) return stored;
  storage::v1::BudgetStateRecord spent;
  if (!spent.ParseFromString(*state)) return Unreadable("state of a budget");
  stored.state = {spent.period_start_unix_s(), spent.spent(), spent.held()};
  return stored;
}

// Puts the counters of one key together again.
class Gatherer {
 public:
  explicit Gatherer(const std::function<void(const UsageKey&, const UsageCounts&)>& visit)
      : visit_(visit) {}

  void Add(UsageFieldPosition&& at, int64_t value) {
    UsageKey key = {std::move(at.experiment), at.day, std::move(at.judge), std::move(at.model)};
    if (key != key_) {
      Finish();
      key_ = std::move(key);
    }
    any_ = true;
    if (at.field < kUsageFields) counts_.values[at.field] += value;
  }
  void Finish() {
    if (any_) visit_(key_, counts_);
    any_ = false;
    counts_ = {};
  }

 private:
  const std::function<void(const UsageKey&, const UsageCounts&)>& visit_;
  UsageKey key_;
  UsageCounts counts_;
  bool any_ = false;
};

absl::Status ReadOne(const kv::Reader& reader, const std::string& experiment,
                     const UsageRange& range, int64_t* left, Gatherer* gatherer) {
  kv::ScanRange scan = {UsageKeyPrefix(experiment, range.from_day),
                        UsageKeyPrefix(experiment, range.to_day + 1), kPage, false};
  for (;;) {
    ASSAY_ASSIGN_OR_RETURN(const std::vector<kv::Entry> entries, reader.Scan(scan));
    *left -= static_cast<int64_t>(entries.size());
    if (*left < 0) {
      return MakeError(absl::StatusCode::kResourceExhausted, "USAGE_TOO_LARGE",
                       "the days asked for hold too many records; ask for fewer days, or for one "
                       "experiment");
    }
    for (const kv::Entry& entry : entries) {
      ASSAY_ASSIGN_OR_RETURN(UsageFieldPosition at, DecodeUsageFieldKey(entry.key));
      ASSAY_ASSIGN_OR_RETURN(const int64_t value, kv::DecodeCounter(entry.value));
      gatherer->Add(std::move(at), value);
    }
    if (static_cast<int64_t>(entries.size()) < kPage) return absl::OkStatus();
    scan.begin = entries.back().key + '\0';
  }
}

}  // namespace

void KvUsageStore::Add(const std::vector<std::pair<UsageKey, UsageCounts>>& usage,
                       DoneStatus done) {
  kv::Batch batch;
  for (const auto& [key, counts] : usage) {
    for (size_t field = 0; field < kUsageFields; ++field) {
      if (counts.values[field] == 0) continue;
      batch.Add(UsageFieldKey(
                    {key.experiment, key.day, key.judge, key.model, static_cast<uint8_t>(field)}),
                counts.values[field]);
    }
  }
  store_.Commit(std::move(batch), std::move(done));
}

absl::Status KvUsageStore::Read(
    const UsageRange& range,
    const std::function<void(const UsageKey&, const UsageCounts&)>& visit) const {
  const std::unique_ptr<const kv::Reader> reader = store_.Snapshot();
  Gatherer gatherer(visit);
  int64_t left = kMaxEntries;
  if (range.experiment.has_value()) {
    ASSAY_RETURN_IF_ERROR(ReadOne(*reader, *range.experiment, range, &left, &gatherer));
    gatherer.Finish();
    return absl::OkStatus();
  }
  // From one experiment to the next, each from its first day that is asked for.
  std::string begin = UsageKeyPrefix();
  const std::string end = kv::PrefixEnd(begin);
  for (;;) {
    ASSAY_ASSIGN_OR_RETURN(const std::vector<kv::Entry> first,
                           reader->Scan({begin, end, 1, false}));
    if (first.empty()) break;
    ASSAY_ASSIGN_OR_RETURN(const UsageFieldPosition at, DecodeUsageFieldKey(first.front().key));
    ASSAY_RETURN_IF_ERROR(ReadOne(*reader, at.experiment, range, &left, &gatherer));
    begin = kv::PrefixEnd(UsageKeyPrefix(at.experiment));
  }
  gatherer.Finish();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<StoredBudget>> KvUsageStore::LoadBudgets() const {
  std::vector<StoredBudget> all;
  std::string begin = BudgetKeyPrefix();
  const std::string end = kv::PrefixEnd(begin);
  for (;;) {
    ASSAY_ASSIGN_OR_RETURN(const std::vector<kv::Entry> entries,
                           store_.Scan({begin, end, kPage, false}));
    for (const kv::Entry& entry : entries) {
      ASSAY_ASSIGN_OR_RETURN(StoredBudget stored, Decode(entry.value, std::nullopt));
      const auto [experiment, budget] = IdsOf(stored.budget.name());
      ASSAY_ASSIGN_OR_RETURN(const std::optional<std::string> state,
                             store_.Get(BudgetStateKey(experiment, budget)));
      ASSAY_ASSIGN_OR_RETURN(stored, Decode(entry.value, state));
      all.push_back(std::move(stored));
    }
    if (static_cast<int64_t>(entries.size()) < kPage) return all;
    begin = entries.back().key + '\0';
  }
}

absl::StatusOr<std::optional<StoredBudget>> KvUsageStore::LoadBudget(
    const std::string& name) const {
  const auto [experiment, budget] = IdsOf(name);
  ASSAY_ASSIGN_OR_RETURN(const std::vector<std::optional<std::string>> records,
                         store_.MultiGet(std::vector<std::string>{
                             BudgetKey(experiment, budget), BudgetStateKey(experiment, budget)}));
  if (!records[0].has_value()) return std::nullopt;
  ASSAY_ASSIGN_OR_RETURN(StoredBudget stored, Decode(*records[0], records[1]));
  return stored;
}

void KvUsageStore::PutState(const std::string& name, const BudgetState& state, DoneStatus done) {
  const auto [experiment, budget] = IdsOf(name);
  kv::Batch batch;
  batch.Put(BudgetStateKey(experiment, budget), StateBytes(state));
  store_.Commit(std::move(batch), std::move(done));
}

void KvUsageStore::SetBudget(
    RequestKey key, const std::string& name,
    std::function<absl::StatusOr<StoredBudget>(const std::optional<StoredBudget>&)> make,
    Done<StoredBudget> done) {
  const auto [experiment, budget] = IdsOf(name);
  kv::MutateProto<storage::v1::BudgetRecord>(
      store_, executor_, clock_, std::move(key),
      [experiment = experiment, budget = budget,
       make = std::move(make)](kv::Transaction& txn) -> absl::StatusOr<storage::v1::BudgetRecord> {
        const std::string at = BudgetKey(experiment, budget);
        ASSAY_ASSIGN_OR_RETURN(const std::optional<std::string> before, txn.Get(at));
        std::optional<StoredBudget> stored;
        if (before.has_value()) {
          ASSAY_ASSIGN_OR_RETURN(const std::optional<std::string> state,
                                 txn.GetUnchecked(BudgetStateKey(experiment, budget)));
          ASSAY_ASSIGN_OR_RETURN(stored, Decode(*before, state));
        }
        ASSAY_ASSIGN_OR_RETURN(const StoredBudget made, make(stored));
        txn.Put(at, BudgetBytes(made.budget));
        if (made.state.has_value()) {
          txn.Put(BudgetStateKey(experiment, budget), StateBytes(*made.state));
        }
        storage::v1::BudgetRecord record;
        *record.mutable_budget() = made.budget;
        return record;
      },
      [done = std::move(done)](absl::StatusOr<storage::v1::BudgetRecord> record) mutable {
        if (!record.ok()) return std::move(done)(record.status());
        std::move(done)(StoredBudget{std::move(*record->mutable_budget()), std::nullopt});
      });
}

void KvUsageStore::DeleteBudget(RequestKey key, const std::string& name, DoneStatus done) {
  const auto [experiment, budget] = IdsOf(name);
  kv::Mutate(
      store_, executor_, clock_, std::move(key),
      [experiment = experiment, budget = budget,
       name](kv::Transaction& txn) -> absl::StatusOr<std::string> {
        ASSAY_ASSIGN_OR_RETURN(const std::optional<std::string> record,
                               txn.Get(BudgetKey(experiment, budget)));
        if (!record.has_value()) return NotFound("budget", name);
        txn.Delete(BudgetKey(experiment, budget));
        txn.Delete(BudgetStateKey(experiment, budget));
        return std::string();
      },
      [done = std::move(done)](absl::StatusOr<std::string> answer) mutable {
        std::move(done)(answer.status());
      });
}

}  // namespace assay::judge
