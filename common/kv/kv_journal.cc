#include "common/kv/kv_journal.h"

#include <utility>
#include <vector>

#include "common/kv/keys.h"
#include "common/status/status_macros.h"

namespace assay::kv {
namespace {

// Entries removed in one commit.
constexpr int64_t kForgetChunk = 256;

}  // namespace

KvJournal::KvJournal(Store& store, std::string job_id)
    : store_(store), job_id_(std::move(job_id)) {}

// 0xF1, the job's id, the step: the answer, as it came.
std::string KvJournal::StepKey(std::string_view step) const {
  return KeyBuilder().Kind(kJournalKind).String(job_id_).String(step).Build();
}

absl::StatusOr<std::optional<std::string>> KvJournal::Find(std::string_view step) const {
  return store_.Get(StepKey(step));
}

void KvJournal::Record(std::string_view step, std::string answer, DoneStatus done) {
  Batch batch;
  std::string key = StepKey(step);
  batch.CheckAbsent(key);
  batch.Put(std::move(key), std::move(answer));
  store_.Commit(std::move(batch), [done = std::move(done)](absl::Status committed) mutable {
    // The step is there already: the first answer stays.
    if (IsCheckFailed(committed)) committed = absl::OkStatus();
    std::move(done)(std::move(committed));
  });
}

void KvJournal::RecordAll(std::vector<Step> steps, DoneStatus done) {
  Batch batch;
  for (const Step& step : steps) {
    std::string key = StepKey(step.step);
    batch.CheckAbsent(key);
    batch.Put(std::move(key), step.answer);
  }
  auto all = std::make_shared<const std::vector<Step>>(std::move(steps));
  store_.Commit(std::move(batch), [this, all, done = std::move(done)](absl::Status status) mutable {
    // One is there already: the others are still to be recorded.
    if (IsCheckFailed(status)) return RecordRest(std::move(all), 0, std::move(done));
    std::move(done)(std::move(status));
  });
}

void KvJournal::RecordRest(std::shared_ptr<const std::vector<Step>> steps, size_t next,
                           DoneStatus done) {
  if (next == steps->size()) return std::move(done)(absl::OkStatus());
  const Step& step = (*steps)[next];
  Record(step.step, step.answer,
         [this, steps, next, done = std::move(done)](absl::Status status) mutable {
           if (!status.ok()) return std::move(done)(std::move(status));
           RecordRest(std::move(steps), next + 1, std::move(done));
         });
}

absl::Status KvJournal::Forget() {
  const std::string prefix = KeyBuilder().Kind(kJournalKind).String(job_id_).Build();
  std::string begin = prefix;
  while (true) {
    ASSAY_ASSIGN_OR_RETURN(
        std::vector<Entry> entries,
        store_.Scan({.begin = begin, .end = PrefixEnd(prefix), .limit = kForgetChunk}));
    if (entries.empty()) return absl::OkStatus();
    begin = entries.back().key + '\0';  // Not over what was removed just now.
    Batch batch;
    for (Entry& entry : entries) batch.Delete(std::move(entry.key));
    ASSAY_RETURN_IF_ERROR(store_.CommitAndWait(std::move(batch)));
  }
}

}  // namespace assay::kv
