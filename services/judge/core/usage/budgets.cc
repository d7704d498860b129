#include "services/judge/core/usage/budgets.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <deque>
#include <map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "common/proto/time.h"
#include "common/status/errors.h"
#include "common/status/quota_errors.h"
#include "common/strings/strings.h"
#include "common/sync/mutex.h"
#include "common/sync/notification.h"

namespace assay::judge {
namespace {

constexpr double kNanos = 1e9;
constexpr absl::Duration kFlushInterval = absl::Seconds(1);

std::string ExperimentOf(std::string_view budget) {
  return std::string(budget.substr(0, budget.find("/budgets/")));
}

double InUnit(bool is_money, int64_t amount) {
  return is_money ? static_cast<double>(amount) / kNanos : static_cast<double>(amount);
}

std::string ForPeople(bool is_money, int64_t amount) {
  return is_money ? StrCat(InUnit(true, amount), " US dollars") : StrCat(amount, " tokens");
}

}  // namespace

bool IsMoney(const v1::Budget& budget) { return budget.has_cost_usd(); }

int64_t LimitOf(const v1::Budget& budget) {
  return IsMoney(budget) ? static_cast<int64_t>(std::floor(budget.cost_usd() * kNanos))
                         : budget.tokens();
}

BudgetPeriod PeriodOf(v1::Budget::Period period, absl::Time now) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  const auto seconds = [&](auto civil) { return absl::ToUnixSeconds(absl::FromCivil(civil, utc)); };
  if (period == v1::Budget::PERIOD_DAY) {
    const absl::CivilDay day = absl::ToCivilDay(now, utc);
    return {seconds(day), seconds(day + 1)};
  }
  if (period == v1::Budget::PERIOD_MONTH) {
    const absl::CivilMonth month = absl::ToCivilMonth(now, utc);
    return {seconds(month), seconds(month + 1)};
  }
  return {};
}

struct Budgets::Core : std::enable_shared_from_this<Budgets::Core> {
  // One budget. `on_disk` bounds from below what the store takes for spent, so that
  // spent + reserved <= on_disk for every call that has begun.
  struct Entry {
    v1::Budget budget;
    uint64_t generation = 0;
    int64_t limit = 0;
    bool is_money = false;
    int64_t period_start = 0;
    int64_t spent = 0;
    int64_t reserved = 0;
    int64_t on_disk = 0;
    bool writing = false;
    bool dirty = false;
  };
  struct Waiting {
    CallContext context;
    Demand demand;
    Done<Reservation> done;
    Reservation reservation;  // Once it is made: it waits for the store to know.
  };
  struct Account {
    std::map<std::string, Entry> budgets;
    std::deque<std::unique_ptr<Waiting>> line;
    std::vector<std::unique_ptr<Waiting>> unknown_to_store;
  };
  // What is to be done without the lock.
  struct Work {
    std::vector<std::pair<std::unique_ptr<Waiting>, absl::Status>> answers;
    struct Write {
      std::string name;
      uint64_t generation = 0;
      BudgetState state;
    };
    std::vector<Write> writes;
    bool plan_flush = false;
  };

  Core(UsageStore& store, TimerQueue& timers, Clock& clock)
      : store(store), timers(timers), clock(clock) {}

  static int64_t AmountOf(const Entry& entry, const Demand& demand) {
    return entry.is_money ? demand.cost.value_or(0) : demand.tokens;
  }

  void Roll(Entry* entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    const int64_t start = PeriodOf(entry->budget.period(), clock.Now()).start;
    if (start <= entry->period_start) return;  // A clock that goes back brings nothing back.
    entry->period_start = start;
    entry->spent = entry->reserved = entry->on_disk = 0;
  }

  enum class Fit { kYes, kLater, kNo };

  Fit Fits(Account* account, const Waiting& waiting, absl::Status* why)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    Fit fit = Fit::kYes;
    for (auto& [name, entry] : account->budgets) {
      Roll(&entry);
      if (entry.is_money && !waiting.demand.cost.has_value()) {
        *why = PreconditionFailed(
            "MODEL_PRICE_UNKNOWN", waiting.demand.model,
            StrCat("no price is known, so that ", name,
                   " cannot be kept; --price_table of the "
                   "judge service can name it, 0 for a model that costs nothing"));
        return Fit::kNo;
      }
      const int64_t amount = AmountOf(entry, waiting.demand);
      if (amount > entry.limit - entry.spent) {
        *why = Exhausted(name, entry, amount);
        return Fit::kNo;
      }
      if (amount > entry.limit - entry.spent - entry.reserved) fit = Fit::kLater;
    }
    return fit;
  }

  absl::Status Exhausted(const std::string& name, const Entry& entry, int64_t amount) {
    absl::Status status = QuotaExhausted(
        "BUDGET_EXHAUSTED", name,
        StrCat(ForPeople(entry.is_money, std::max<int64_t>(entry.limit - entry.spent, 0)),
               " are left, and the call may need ", ForPeople(entry.is_money, amount)));
    status = AddErrorMetadata(std::move(status), "budget", name);
    const int64_t end = PeriodOf(entry.budget.period(), clock.Now()).end;
    if (end == 0) return status;
    return WithRetryAfter(std::move(status), absl::FromUnixSeconds(end) - clock.Now());
  }

  void Take(Account* account, const std::string& experiment, Waiting* waiting)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    waiting->reservation.core_ = shared_from_this();
    waiting->reservation.experiment_ = experiment;
    for (auto& [name, entry] : account->budgets) {
      const int64_t amount = AmountOf(entry, waiting->demand);
      entry.reserved += amount;
      waiting->reservation.shares_.push_back(
          {name, entry.generation, entry.period_start, amount, entry.is_money});
    }
  }

  // Whether the store knows of all that is reserved; begins to tell it if not.
  bool IsKnown(Account* account, Work* work) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    bool known = true;
    for (auto& [name, entry] : account->budgets) {
      const int64_t needed = entry.spent + entry.reserved;
      if (needed <= entry.on_disk) continue;
      known = false;
      if (!entry.writing) BeginWrite(name, &entry, Target(entry), work);
    }
    return known;
  }

  static int64_t Target(const Entry& entry) {
    const int64_t needed = entry.spent + entry.reserved;
    return std::max(needed, std::min(entry.limit, needed + entry.limit / 100));
  }

  void BeginWrite(const std::string& name, Entry* entry, int64_t target, Work* work)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    entry->writing = true;
    entry->dirty = false;
    entry->on_disk = std::min(entry->on_disk, target);
    work->writes.push_back(
        {name, entry->generation, {entry->period_start, entry->spent, target - entry->spent}});
  }

  void OnWritten(const Work::Write& write, const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex) {
    Work work;
    {
      MutexLock lock(&mutex);
      const std::string experiment = ExperimentOf(write.name);
      Account& account = accounts[experiment];
      const auto found = account.budgets.find(write.name);
      if (found != account.budgets.end() && found->second.generation == write.generation) {
        Entry& entry = found->second;
        entry.writing = false;
        if (status.ok() && entry.period_start == write.state.period_start) {
          entry.on_disk = write.state.spent + write.state.held;
        }
        if (!status.ok()) entry.dirty = true;
      }
      if (!status.ok()) {
        for (auto& waiting : account.unknown_to_store) {
          work.answers.emplace_back(std::move(waiting), status);
        }
        account.unknown_to_store.clear();
      }
      Advance(experiment, &work);
      PlanFlush(&work);
    }
    Do(std::move(work));
  }

  // Lets through who may go.
  void Advance(const std::string& experiment, Work* work) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    Account& account = accounts[experiment];
    while (!account.line.empty()) {
      Waiting& first = *account.line.front();
      absl::Status why = first.context.Check(clock.Now());
      Fit fit = Fit::kNo;
      if (why.ok()) fit = Fits(&account, first, &why);
      if (fit == Fit::kLater) break;
      std::unique_ptr<Waiting> waiting = std::move(account.line.front());
      account.line.pop_front();
      if (fit == Fit::kNo) {
        work->answers.emplace_back(std::move(waiting), std::move(why));
        continue;
      }
      Take(&account, experiment, waiting.get());
      account.unknown_to_store.push_back(std::move(waiting));
    }
    if (account.unknown_to_store.empty() || !IsKnown(&account, work)) return;
    for (auto& waiting : account.unknown_to_store) {
      work->answers.emplace_back(std::move(waiting), absl::OkStatus());
    }
    account.unknown_to_store.clear();
  }

  void PlanFlush(Work* work) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    if (flush_planned) return;
    for (const auto& [experiment, account] : accounts) {
      for (const auto& [name, entry] : account.budgets) {
        if (entry.dirty) work->plan_flush = flush_planned = true;
      }
    }
  }

  void Do(Work work) ABSL_LOCKS_EXCLUDED(mutex) {
    for (Work::Write& write : work.writes) {
      const BudgetState state = write.state;
      store.PutState(write.name, state, [self = shared_from_this(), write](absl::Status status) {
        self->OnWritten(write, status);
      });
    }
    for (auto& [waiting, status] : work.answers) {
      if (status.ok()) {
        std::move(waiting->done)(std::move(waiting->reservation));
      } else {
        std::move(waiting->done)(std::move(status));
      }
    }
    if (work.plan_flush) {
      timers.RunAfter(kFlushInterval, [weak = weak_from_this()] {
        if (std::shared_ptr<Core> self = weak.lock()) self->Flush();
      });
    }
  }

  // Tells the store what was really spent.
  void Flush() ABSL_LOCKS_EXCLUDED(mutex) {
    Work work;
    {
      MutexLock lock(&mutex);
      flush_planned = false;
      for (auto& [experiment, account] : accounts) {
        for (auto& [name, entry] : account.budgets) {
          if (!entry.dirty || entry.writing) continue;
          BeginWrite(name, &entry, entry.reserved == 0 ? entry.spent : Target(entry), &work);
        }
      }
    }
    Do(std::move(work));
  }

  void Release(Reservation* reservation, int64_t cost, int64_t tokens) ABSL_LOCKS_EXCLUDED(mutex) {
    Work work;
    {
      MutexLock lock(&mutex);
      Account& account = accounts[reservation->experiment_];
      for (const Reservation::Share& share : reservation->shares_) {
        const auto found = account.budgets.find(share.budget);
        if (found == account.budgets.end()) continue;
        Entry& entry = found->second;
        // A period that is over, or a budget of another kind, is not touched.
        if (entry.generation != share.generation || entry.period_start != share.period_start) {
          continue;
        }
        entry.reserved -= share.amount;
        entry.spent += share.is_money ? cost : tokens;
        entry.dirty = true;
      }
      Advance(reservation->experiment_, &work);
      PlanFlush(&work);
    }
    Do(std::move(work));
  }

  v1::Budget ViewOf(Entry* entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    Roll(entry);
    v1::Budget budget = entry->budget;
    budget.set_spent(InUnit(entry->is_money, entry->spent));
    budget.set_reserved(InUnit(entry->is_money, entry->reserved));
    const BudgetPeriod period = PeriodOf(budget.period(), clock.Now());
    if (period.end != 0) {
      *budget.mutable_period_start() = proto::ToTimestamp(absl::FromUnixSeconds(period.start));
      *budget.mutable_period_end() = proto::ToTimestamp(absl::FromUnixSeconds(period.end));
    }
    return budget;
  }

  UsageStore& store;
  TimerQueue& timers;
  Clock& clock;
  mutable Mutex mutex;
  std::atomic<int64_t> budget_count = 0;
  uint64_t next_generation ABSL_GUARDED_BY(mutex) = 1;
  bool flush_planned ABSL_GUARDED_BY(mutex) = false;
  // By experiment; an account stays, its budgets may go.
  mutable std::map<std::string, Account, std::less<>> accounts ABSL_GUARDED_BY(mutex);
};

Budgets::Reservation::Reservation(Reservation&& other) noexcept { *this = std::move(other); }

Budgets::Reservation& Budgets::Reservation::operator=(Reservation&& other) noexcept {
  if (this == &other) return *this;
  if (core_ != nullptr) Settle(0, 0);
  core_ = std::move(other.core_);
  other.core_ = nullptr;
  experiment_ = std::move(other.experiment_);
  shares_ = std::move(other.shares_);
  return *this;
}

Budgets::Reservation::~Reservation() {
  if (core_ != nullptr) Settle(0, 0);
}

void Budgets::Reservation::Settle(int64_t cost, int64_t tokens) {
  const std::shared_ptr<Core> core = std::exchange(core_, nullptr);
  if (core != nullptr) core->Release(this, cost, tokens);
}

Budgets::Budgets(UsageStore& store, TimerQueue& timers, Clock& clock)
    : core_(std::make_shared<Core>(store, timers, clock)) {}

Budgets::~Budgets() = default;

absl::Status Budgets::Load() {
  absl::StatusOr<std::vector<StoredBudget>> all = core_->store.LoadBudgets();
  if (!all.ok()) return all.status();
  for (const StoredBudget& stored : *all) Install(stored);
  return absl::OkStatus();
}

bool Budgets::Bounds(std::string_view experiment) const {
  if (core_->budget_count.load(std::memory_order_relaxed) == 0 || experiment.empty()) return false;
  MutexLock lock(&core_->mutex);
  const auto found = core_->accounts.find(experiment);
  return found != core_->accounts.end() && !found->second.budgets.empty();
}

void Budgets::Reserve(const std::string& experiment, const CallContext& context, Demand demand,
                      Done<Reservation> done) {
  auto waiting = std::make_unique<Core::Waiting>();
  waiting->context = context;
  waiting->demand = std::move(demand);
  waiting->done = std::move(done);
  Core::Work work;
  {
    MutexLock lock(&core_->mutex);
    core_->accounts[experiment].line.push_back(std::move(waiting));
    core_->Advance(experiment, &work);
  }
  core_->Do(std::move(work));
}

void Budgets::Install(const StoredBudget& stored) {
  const std::string& name = stored.budget.name();
  Core::Work work;
  {
    MutexLock lock(&core_->mutex);
    const std::string experiment = ExperimentOf(name);
    auto [at, is_new] = core_->accounts[experiment].budgets.try_emplace(name);
    Core::Entry& entry = at->second;
    if (is_new) core_->budget_count.fetch_add(1);
    const bool same_kind = !is_new && entry.is_money == IsMoney(stored.budget) &&
                           entry.budget.period() == stored.budget.period();
    entry.budget = stored.budget;
    entry.limit = LimitOf(stored.budget);
    if (!same_kind) {
      const int64_t start = PeriodOf(stored.budget.period(), core_->clock.Now()).start;
      const BudgetState state = stored.state.value_or(BudgetState{});
      entry.is_money = IsMoney(stored.budget);
      entry.generation = core_->next_generation++;
      entry.period_start = start;
      // What a process held when it died may have been spent.
      entry.spent = state.period_start == start ? state.spent + state.held : 0;
      entry.reserved = 0;
      entry.on_disk = entry.spent;
      entry.writing = entry.dirty = false;
    }
    core_->Advance(experiment, &work);
  }
  core_->Do(std::move(work));
}

void Budgets::Remove(const std::string& name) {
  Core::Work work;
  {
    MutexLock lock(&core_->mutex);
    const std::string experiment = ExperimentOf(name);
    const auto account = core_->accounts.find(experiment);
    if (account == core_->accounts.end() || account->second.budgets.erase(name) == 0) return;
    core_->budget_count.fetch_sub(1);
    core_->Advance(experiment, &work);
  }
  core_->Do(std::move(work));
}

std::optional<v1::Budget> Budgets::View(const std::string& name) const {
  MutexLock lock(&core_->mutex);
  const auto account = core_->accounts.find(ExperimentOf(name));
  if (account == core_->accounts.end()) return std::nullopt;
  const auto found = account->second.budgets.find(name);
  if (found == account->second.budgets.end()) return std::nullopt;
  return core_->ViewOf(&found->second);
}

std::vector<v1::Budget> Budgets::ViewAll(const std::string& experiment) const {
  std::vector<v1::Budget> budgets;
  MutexLock lock(&core_->mutex);
  const auto account = core_->accounts.find(experiment);
  if (account == core_->accounts.end()) return budgets;
  for (auto& [name, entry] : account->second.budgets) budgets.push_back(core_->ViewOf(&entry));
  return budgets;
}

void Budgets::FlushAndWait() {
  std::vector<std::pair<std::string, BudgetState>> states;
  {
    MutexLock lock(&core_->mutex);
    for (auto& [experiment, account] : core_->accounts) {
      for (auto& [name, entry] : account.budgets) {
        if (entry.on_disk == entry.spent + entry.reserved && !entry.dirty) continue;
        states.push_back({name, {entry.period_start, entry.spent, entry.reserved}});
      }
    }
  }
  for (const auto& [name, state] : states) {
    auto written = std::make_shared<Notification>();
    core_->store.PutState(name, state, [written](const absl::Status&) { written->Notify(); });
    written->WaitFor(absl::Seconds(10));
  }
}

}  // namespace assay::judge
