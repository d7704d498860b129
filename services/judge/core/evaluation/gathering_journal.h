// A journal that records the steps of many rows in one commit.
#ifndef ASSAY_SERVICES_JUDGE_CORE_EVALUATION_GATHERING_JOURNAL_H_
#define ASSAY_SERVICES_JUDGE_CORE_EVALUATION_GATHERING_JOURNAL_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/jobs/journal.h"
#include "services/judge/core/evaluation/gathering.h"

namespace assay::judge {

// Thread-safe. Outlives the `done`s of its calls.
class GatheringJournal final : public jobs::Journal {
 public:
  GatheringJournal(std::unique_ptr<jobs::Journal> journal, const GatheringPlace& place,
                   const GatheringOptions& groups)
      : journal_(std::move(journal)),
        gathering_(place, groups, [this](std::vector<Entry> group, Task ended) {
          RecordGroup(std::move(group), std::move(ended));
        }) {}

  absl::StatusOr<std::optional<std::string>> Find(std::string_view step) const override {
    return journal_->Find(step);
  }
  void Record(std::string_view step, std::string answer, DoneStatus done) override {
    const size_t bytes = step.size() + answer.size();
    gathering_.Add({{std::string(step), std::move(answer)}, std::move(done)}, bytes);
  }
  void RecordAll(std::vector<Step> steps, DoneStatus done) override {
    journal_->RecordAll(std::move(steps), std::move(done));
  }

 private:
  struct Entry {
    Step step;
    DoneStatus done;
  };

  void RecordGroup(std::vector<Entry> group, Task ended) {
    std::vector<Step> steps;
    steps.reserve(group.size());
    for (Entry& entry : group) steps.push_back(std::move(entry.step));
    journal_->RecordAll(std::move(steps), [group = std::move(group), ended = std::move(ended)](
                                              const absl::Status& status) mutable {
      std::move(ended)();
      for (Entry& entry : group) std::move(entry.done)(status);
    });
  }

  const std::unique_ptr<jobs::Journal> journal_;
  Gathering<Entry> gathering_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_EVALUATION_GATHERING_JOURNAL_H_
