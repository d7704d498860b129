#include "common/jobs/journal.h"

#include <utility>

namespace assay::jobs {

void Once(Journal& journal, std::string step, absl::AnyInvocable<void(Done<std::string>) &&> work,
          Done<std::string> done) {
  absl::StatusOr<std::optional<std::string>> recorded = journal.Find(step);
  if (!recorded.ok()) return std::move(done)(recorded.status());
  if (recorded->has_value()) return std::move(done)(**std::move(recorded));
  std::move(work)([&journal, step = std::move(step),
                   done = std::move(done)](absl::StatusOr<std::string> answer) mutable {
    if (!answer.ok()) return std::move(done)(answer.status());
    std::string copy = *answer;
    journal.Record(
        step, std::move(copy),
        [answer = *std::move(answer), done = std::move(done)](absl::Status recorded) mutable {
          if (!recorded.ok()) return std::move(done)(recorded);
          std::move(done)(std::move(answer));
        });
  });
}

}  // namespace assay::jobs
