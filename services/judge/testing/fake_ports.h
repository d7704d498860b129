// The judge service's peers, and users' servers, in memory; for tests.
#ifndef ASSAY_SERVICES_JUDGE_TESTING_FAKE_PORTS_H_
#define ASSAY_SERVICES_JUDGE_TESTING_FAKE_PORTS_H_

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/exec/executor.h"
#include "common/json/json_value.h"
#include "common/names/resource_name.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"
#include "common/sync/mutex.h"
#include "services/judge/core/calls/feedback_port.h"
#include "services/judge/core/calls/registry_port.h"
#include "services/judge/core/calls/trace_port.h"
#include "services/judge/core/user_ports.h"

namespace assay::judge {

// An error that the next calls of a fake answer with. Thread-safe.
class Outage {
 public:
  void Set(absl::Status status, int calls = 1'000'000) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    status_ = std::move(status);
    calls_ = calls;
  }
  absl::Status Next() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    if (status_.ok() || calls_ == 0) return absl::OkStatus();
    --calls_;
    return status_;
  }

 private:
  Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  int calls_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Revisions by name; `judges/x@alias` and bare names by `aliases`. Thread-safe.
class FakeRegistry final : public RegistryPort {
 public:
  explicit FakeRegistry(Executor& executor) : executor_(executor) {}

  // Makes the next revision of experiments/e/judges/{judge}, which `latest` means from now on.
  std::string Add(const std::string& judge, registry::v1::JudgeDefinition definition)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    const std::string bare = "experiments/e/judges/" + judge;
    auto revision = std::make_shared<registry::v1::JudgeRevision>();
    revision->set_revision(++numbers_[judge]);
    revision->set_name(StrCat(bare, "/revisions/", revision->revision()));
    *revision->mutable_definition() = std::move(definition);
    revisions_[revision->name()] = revisions_[bare] = revisions_[bare + "@latest"] = revision;
    return revision->name();
  }

  void GetRevision(std::string name, CallContext context,
                   Done<std::shared_ptr<const registry::v1::JudgeRevision>> done) override
      ABSL_LOCKS_EXCLUDED(mutex_) {
    const absl::Status down = outage.Next();
    absl::StatusOr<std::shared_ptr<const registry::v1::JudgeRevision>> answer =
        absl::UnknownError("unset");
    if (!down.ok()) {
      answer = down;
    } else {
      MutexLock lock(&mutex_);
      const auto found = revisions_.find(name);
      if (found == revisions_.end()) {
        answer = NotFound("judge", name);
      } else {
        answer = found->second;
      }
    }
    executor_.Run([answer = std::move(answer), done = std::move(done)]() mutable {
      std::move(done)(std::move(answer));
    });
  }

  Outage outage;

 private:
  Executor& executor_;
  Mutex mutex_;
  std::map<std::string, int64_t> numbers_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::shared_ptr<const registry::v1::JudgeRevision>> revisions_
      ABSL_GUARDED_BY(mutex_);
};

// Thread-safe.
class FakeTraces final : public TracePort {
 public:
  explicit FakeTraces(Executor& executor) : executor_(executor) {}

  void Put(trace::v1::Trace trace) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    traces_[trace.name()] = std::move(trace);
  }
  // Spans written in place of applications, by trace id; writing one again counts.
  std::map<std::string, OneSpanTrace> written() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    return written_;
  }
  std::map<std::string, std::string> preregistered() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    return preregistered_;
  }

  void GetTrace(std::string name, bool full, CallContext context,
                Done<std::shared_ptr<const trace::v1::Trace>> done) override
      ABSL_LOCKS_EXCLUDED(mutex_) {
    const absl::Status down = outage.Next();
    absl::StatusOr<std::shared_ptr<const trace::v1::Trace>> answer = absl::UnknownError("unset");
    if (!down.ok()) {
      answer = down;
    } else {
      MutexLock lock(&mutex_);
      const auto found = traces_.find(name);
      if (found == traces_.end()) {
        answer = NotFound("trace", name);
      } else {
        answer = std::make_shared<const trace::v1::Trace>(found->second);
      }
    }
    executor_.Run([answer = std::move(answer), done = std::move(done)]() mutable {
      std::move(done)(std::move(answer));
    });
  }

  // By name, which the tests choose in the order of time.
  void ListSessionTraces(std::string session, int most, CallContext context,
                         Done<std::vector<std::shared_ptr<const trace::v1::Trace>>> done) override
      ABSL_LOCKS_EXCLUDED(mutex_) {
    const absl::Status down = outage.Next();
    absl::StatusOr<std::vector<std::shared_ptr<const trace::v1::Trace>>> answer =
        absl::UnknownError("unset");
    if (!down.ok()) {
      answer = down;
    } else {
      MutexLock lock(&mutex_);
      answer.emplace();
      for (const auto& [name, trace] : traces_) {
        if (StrCat("experiments/e/sessions/", trace.session()) != session) continue;
        if (answer->size() == static_cast<size_t>(most)) break;
        auto listed = std::make_shared<trace::v1::Trace>(trace);
        listed->clear_spans();
        answer->push_back(std::move(listed));
      }
    }
    executor_.Run([answer = std::move(answer), done = std::move(done)]() mutable {
      std::move(done)(std::move(answer));
    });
  }

  void PreregisterTraces(std::string experiment, std::string evaluation,
                         std::vector<std::string> trace_ids, CallContext context,
                         DoneStatus done) override ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::Status status = outage.Next();
    if (status.ok()) {
      MutexLock lock(&mutex_);
      for (const std::string& id : trace_ids) preregistered_[id] = evaluation;
    }
    Answer(std::move(status), std::move(done));
  }

  void WriteTraces(std::vector<OneSpanTrace> traces, CallContext context,
                   DoneStatus done) override {
    Answer(WriteAll(std::move(traces)), std::move(done));
  }

  // Rejects traces with these inputs.
  void Refuse(std::string inputs) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    refused_.insert(std::move(inputs));
  }

  Outage outage;

 private:
  absl::Status WriteAll(std::vector<OneSpanTrace> traces) ABSL_LOCKS_EXCLUDED(mutex_) {
    if (absl::Status down = outage.Next(); !down.ok()) return down;
    MutexLock lock(&mutex_);
    for (OneSpanTrace& trace : traces) {
      if (refused_.contains(trace.inputs)) {
        return MakeError(absl::StatusCode::kFailedPrecondition, "SPAN_REJECTED", "no");
      }
      trace::v1::Trace stored;
      stored.set_name(StrCat(trace.experiment, "/traces/", trace.trace_id));
      stored.set_state(trace::v1::TRACE_STATE_OK);
      stored.set_root_ended(true);
      if (!trace.inputs.empty()) *stored.mutable_inputs() = json::JsonFromText(trace.inputs);
      if (!trace.outputs.empty()) *stored.mutable_outputs() = json::JsonFromText(trace.outputs);
      stored.add_spans()->set_span_id(trace.span_id);
      traces_[stored.name()] = stored;
      written_[trace.trace_id] = std::move(trace);
    }
    return absl::OkStatus();
  }
  void Answer(absl::Status status, DoneStatus done) {
    executor_.Run([status = std::move(status), done = std::move(done)]() mutable {
      std::move(done)(std::move(status));
    });
  }

  Executor& executor_;
  mutable Mutex mutex_;
  std::map<std::string, trace::v1::Trace> traces_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, OneSpanTrace> written_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> preregistered_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> refused_ ABSL_GUARDED_BY(mutex_);
};

// An id that is taken is logged once. Thread-safe.
class FakeFeedback final : public FeedbackPort {
 public:
  using Rule = std::function<absl::Status(const std::vector<feedback::v1::Assessment>&)>;

  explicit FakeFeedback(Executor& executor) : executor_(executor) {}

  // What the service refuses; set before the first call.
  Rule rule = [](const std::vector<feedback::v1::Assessment>&) { return absl::OkStatus(); };
  Outage outage;

  std::vector<feedback::v1::Assessment> logged() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    return logged_;
  }
  // That logged something.
  int calls() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    return calls_;
  }

  void LogAssessments(std::string experiment, std::vector<feedback::v1::Assessment> assessments,
                      std::vector<std::string> ids, CallContext context,
                      Done<std::vector<std::string>> done) override {
    absl::StatusOr<std::vector<std::string>> answer = Log(experiment, std::move(assessments), ids);
    executor_.Run([answer = std::move(answer), done = std::move(done)]() mutable {
      std::move(done)(std::move(answer));
    });
  }

 private:
  absl::StatusOr<std::vector<std::string>> Log(const std::string& experiment,
                                               std::vector<feedback::v1::Assessment> assessments,
                                               const std::vector<std::string>& ids)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    if (absl::Status down = outage.Next(); !down.ok()) return down;
    if (absl::Status refused = rule(assessments); !refused.ok()) return refused;
    MutexLock lock(&mutex_);
    ++calls_;
    std::vector<std::string> names;
    for (size_t i = 0; i < assessments.size(); ++i) {
      feedback::v1::Assessment& one = assessments[i];
      one.set_name(StrCat(experiment, "/assessments/", ids[i]));
      names.push_back(one.name());
      if (known_.insert(ids[i]).second) logged_.push_back(std::move(one));
    }
    return names;
  }

  Executor& executor_;
  mutable Mutex mutex_;
  std::vector<feedback::v1::Assessment> logged_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> known_ ABSL_GUARDED_BY(mutex_);
  int calls_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Answers by a function. Thread-safe.
class FakeScorers final : public ScorerPort {
 public:
  using Responder = std::function<absl::StatusOr<v1::ScoreResponse>(const v1::ScoreRequest&)>;
  explicit FakeScorers(Executor& executor) : executor_(executor) {}

  Responder responder;         // Set before the first call.
  std::atomic<int> depth = 0;  // Of the last call.

  void Score(const v1::Scorer& scorer, v1::ScoreRequest request, CallContext context,
             Done<v1::ScoreResponse> done) override {
    depth = context.depth;
    executor_.Run([this, request = std::move(request), done = std::move(done)]() mutable {
      std::move(done)(responder(request));
    });
  }

 private:
  Executor& executor_;
};

// Answers by a function, which hears the traceparent too. Thread-safe.
class FakePredictors final : public PredictorPort {
 public:
  using Responder = std::function<absl::StatusOr<v1::PredictResponse>(
      const v1::PredictRequest&, const std::string& traceparent)>;
  explicit FakePredictors(Executor& executor) : executor_(executor) {}

  Responder responder;  // Set before the first call.

  void Predict(const v1::Predictor& predictor, v1::PredictRequest request, CallContext context,
               Done<v1::PredictResponse> done) override {
    executor_.Run(
        [this, request = std::move(request), traceparent = context.traceparent,
         done = std::move(done)]() mutable { std::move(done)(responder(request, traceparent)); });
  }

 private:
  Executor& executor_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_TESTING_FAKE_PORTS_H_
