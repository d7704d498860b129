// What a job has already paid for or done, so that running it again after a crash repeats nothing
// that is recorded.
//
// A job is plain sequential code that derives its steps deterministically from its recorded inputs.
// Each step that must not be repeated (a model's answer, a write elsewhere) goes through Once()
// under a key that is the same on every run.
#ifndef ASSAY_COMMON_JOBS_JOURNAL_H_
#define ASSAY_COMMON_JOBS_JOURNAL_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "common/exec/done.h"

namespace assay::jobs {

// The record of one job's steps. Thread-safe. KvJournal (common/kv/kv_journal.h) keeps it on disk,
// InMemoryJournal below in memory.
class Journal {
 public:
  virtual ~Journal() = default;

  // The recorded answer of a step, or nullopt. Blocks on storage.
  virtual absl::StatusOr<std::optional<std::string>> Find(std::string_view step) const = 0;

  // `done` is called exactly once, never inline, when the answer is durable. Recording a step again
  // keeps the first answer and is OK.
  virtual void Record(std::string_view step, std::string answer, DoneStatus done) = 0;

  // Records several at once, which costs less. `done` says whether all of them are durable; if not,
  // some may be.
  struct Step {
    std::string step;
    std::string answer;
  };
  virtual void RecordAll(std::vector<Step> steps, DoneStatus done) = 0;
};

// Calls `work` unless the journal has an answer for `step`; records what it answers before passing
// it on. An error of `work` is passed on and not recorded. Looks the step up on the calling thread
// (blocking); `done` is called exactly once, perhaps inline when the answer was recorded. The
// journal outlives the call of `done`.
void Once(Journal& journal, std::string step, absl::AnyInvocable<void(Done<std::string>) &&> work,
          Done<std::string> done);

}  // namespace assay::jobs

#endif  // ASSAY_COMMON_JOBS_JOURNAL_H_
