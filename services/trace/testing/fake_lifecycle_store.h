// A LifecycleStore that knows of experiments only, for tests of what looks after them.
#ifndef ASSAY_SERVICES_TRACE_TESTING_FAKE_LIFECYCLE_STORE_H_
#define ASSAY_SERVICES_TRACE_TESTING_FAKE_LIFECYCLE_STORE_H_

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/exec/executor.h"
#include "services/trace/core/lifecycle/lifecycle_store.h"

namespace assay::trace {

// Not thread-safe: for executors that run inline.
class FakeLifecycleStore final : public LifecycleStore {
 public:
  absl::StatusOr<std::optional<std::string>> FindAnswer(const RequestKey& key) const override {
    const auto found = answers.find(key.request_id);
    if (found == answers.end()) return std::nullopt;
    return found->second;
  }
  void UpdateTags(TraceId, std::string, TagChange change, RequestKey, DoneStatus done) override {
    tag_changes.push_back(std::move(change));
    std::move(done)(absl::OkStatus());
  }
  void DeleteTraces(std::string, std::vector<TraceId> traces, RequestKey key, DeletionAnswer answer,
                    Done<std::string> done) override {
    std::string given = answer({.traces = static_cast<int64_t>(traces.size())});
    if (!key.request_id.empty()) answers[key.request_id] = given;
    deleted.insert(deleted.end(), traces.begin(), traces.end());
    std::move(done)(std::move(given));
  }
  absl::StatusOr<ExperimentState> ReadExperiment(const std::string& experiment) const override {
    const auto found = experiments.find(experiment);
    return found == experiments.end() ? ExperimentState() : found->second;
  }
  void ChangeExperiment(std::string experiment, DecideChange decide, RequestKey,
                        Done<std::string> done) override {
    if (!failure.ok()) return std::move(done)(failure);
    ExperimentState& state = experiments[experiment];
    absl::StatusOr<ExperimentChange> change = decide(state);
    if (!change.ok()) return std::move(done)(change.status());
    ++changes;
    if (change->rule.has_value()) {
      state.rule = change->rule;
      ++state.version;
    }
    state.horizon_ms = std::max(state.horizon_ms, change->horizon_ms);
    std::erase_if(state.usage, [&](const UsageHour& usage) {
      return (usage.hour + 1) * kHourMs <= state.horizon_ms;
    });
    std::move(done)(change->answer);
  }
  std::vector<std::string> Experiments() const override {
    std::vector<std::string> names;
    for (const auto& [name, state] : experiments) names.push_back(name);
    return names;
  }
  absl::StatusOr<StoreSize> Size() const override { return StoreSize{.bytes = 7}; }
  int64_t ReclaimableBytes() const override { return reclaimable; }
  absl::Status ReclaimSpace() override {
    ++reclaimed;
    reclaimable = 0;
    return absl::OkStatus();
  }

  std::map<std::string, ExperimentState> experiments;
  std::map<std::string, std::string> answers;
  std::vector<TagChange> tag_changes;
  std::vector<TraceId> deleted;
  absl::Status failure;
  int changes = 0;
  int64_t reclaimable = 0;
  int reclaimed = 0;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_TESTING_FAKE_LIFECYCLE_STORE_H_
