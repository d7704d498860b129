// Evaluations with everything around them in memory; for tests.
#ifndef ASSAY_SERVICES_JUDGE_TESTING_EVALUATION_FIXTURE_H_
#define ASSAY_SERVICES_JUDGE_TESTING_EVALUATION_FIXTURE_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock/fake_clock.h"
#include "common/clock/timer.h"
#include "common/exec/await.h"
#include "common/exec/executor.h"
#include "common/json/json_value.h"
#include "common/kv/testing/memory_store.h"
#include "common/status/errors.h"
#include "common/sync/mutex.h"
#include "services/judge/core/calls/judge_resolver.h"
#include "services/judge/core/evaluation/evaluation_jobs.h"
#include "services/judge/core/evaluation/evaluation_reader.h"
#include "services/judge/core/evaluation/evaluation_troubles.h"
#include "services/judge/core/evaluation/evaluation_watch.h"
#include "services/judge/core/evaluation/evaluations.h"
#include "services/judge/core/evaluation/patience.h"
#include "services/judge/core/judge_runner.h"
#include "services/judge/store/kv_evaluation_store.h"
#include "services/judge/testing/fake_model_client.h"
#include "services/judge/testing/fake_ports.h"

namespace assay::judge {

// What survives a crash, and the world outside.
struct EvaluationWorld {
  EvaluationWorld() {
    models.SetResponder([](const ModelRequest&) {
      return FakeModelClient::TextResponse(R"({"rationale":"because","result":"good"})");
    });
  }
  ~EvaluationWorld() { executor.Shutdown(); }

  FakeClock clock{absl::FromUnixSeconds(1'800'000'000)};
  ThreadPool executor{"test", 4};
  ThreadTimerQueue timers{&clock};
  kv::MemoryStore kv_store{executor, clock};
  FakeModelClient models{&executor};
  FakeRegistry registry{executor};
  FakeTraces traces{executor};
  FakeFeedback feedback{executor};
  FakeScorers scorers{executor};
  FakePredictors predictors{executor};
};

// One life of the service's process.
class EvaluationProcess {
 public:
  explicit EvaluationProcess(EvaluationWorld& world)
      : store_(world.kv_store, world.executor, world.clock),
        runner_(world.models, world.scorers, world.clock, world.executor,
                {.default_model = "fake:/default"}),
        resolver_(world.registry),
        reader_(store_, troubles_),
        watch_(reader_, world.executor, world.timers, absl::Milliseconds(1)),
        patience_(world.executor, world.timers,
                  {.initial_backoff = absl::Milliseconds(1), .max_backoff = absl::Milliseconds(2)}),
        jobs_({.rows = {.runner = runner_,
                        .traces = world.traces,
                        .feedback = world.feedback,
                        .scorers = world.scorers,
                        .predictors = world.predictors,
                        .models = world.models,
                        .patience = patience_,
                        .executor = world.executor,
                        .clock = world.clock},
               .store = store_,
               .resolver = resolver_,
               .troubles = troubles_,
               .changed = [this](const std::string& uid) { Changed(uid); }},
              world.timers, {.max_running = 4, .restart_delay = absl::Milliseconds(1)}),
        evaluations_(store_, resolver_, reader_, jobs_, world.clock,
                     {.address =
                          [](std::string_view address) {
                            return address.starts_with("127.0.0.1:")
                                       ? absl::OkStatus()
                                       : InvalidField("address", "must be a loopback address");
                          },
                      .model =
                          [](std::string_view uri) {
                            return uri == "openai:/unset"
                                       ? PreconditionFailed("MODEL_NOT_CONFIGURED", "model",
                                                            "no key")
                                       : absl::OkStatus();
                          }}) {}
  ~EvaluationProcess() { jobs_.Stop(); }

  Evaluations& evaluations() { return evaluations_; }
  EvaluationJobs& jobs() { return jobs_; }
  EvaluationWatch& watch() { return watch_; }
  EvaluationStore& store() { return store_; }

  absl::StatusOr<v1::Evaluation> Create(const v1::CreateEvaluationRequest& request) {
    auto response =
        Await<v1::CreateEvaluationResponse>([&](Done<v1::CreateEvaluationResponse> done) {
          evaluations_.Create({}, request, std::move(done));
        });
    if (!response.ok()) return response.status();
    return response->evaluation();
  }
  absl::StatusOr<int64_t> Append(const v1::AppendEvaluationRowsRequest& request) {
    auto response =
        Await<v1::AppendEvaluationRowsResponse>([&](Done<v1::AppendEvaluationRowsResponse> done) {
          evaluations_.AppendRows({}, request, std::move(done));
        });
    if (!response.ok()) return response.status();
    return response->rows_total();
  }
  absl::StatusOr<v1::Evaluation> Cancel(const std::string& name) {
    v1::CancelEvaluationRequest request;
    request.set_name(name);
    auto response =
        Await<v1::CancelEvaluationResponse>([&](Done<v1::CancelEvaluationResponse> done) {
          evaluations_.Cancel({}, request, std::move(done));
        });
    if (!response.ok()) return response.status();
    return response->evaluation();
  }
  v1::Evaluation Get(const std::string& name) {
    v1::GetEvaluationRequest request;
    request.set_name(name);
    return evaluations_.Get(request)->evaluation();
  }
  v1::ListEvaluationRowsResponse Rows(const std::string& name) {
    v1::ListEvaluationRowsRequest request;
    request.set_parent(name);
    request.set_page_size(1000);
    return *evaluations_.ListRows(request);
  }

  // Waits until the evaluation is as wanted; then, or after half a minute, how it is.
  v1::Evaluation WaitUntil(const std::string& name,
                           const std::function<bool(const v1::Evaluation&)>& wanted)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    for (int i = 0; i < 3000; ++i) {
      v1::Evaluation evaluation = Get(name);
      if (wanted(evaluation)) return evaluation;
      MutexLock lock(&mutex_);
      changed_.WaitFor(&mutex_, absl::Milliseconds(10));
    }
    return Get(name);
  }
  v1::Evaluation WaitUntilEnded(const std::string& name) {
    return WaitUntil(name, [](const v1::Evaluation& evaluation) {
      return evaluation.state() != v1::EVALUATION_STATE_RUNNING;
    });
  }

 private:
  void Changed(const std::string& uid) ABSL_LOCKS_EXCLUDED(mutex_) {
    watch_.Changed(uid);
    MutexLock lock(&mutex_);
    changed_.SignalAll();
  }

  Mutex mutex_;
  CondVar changed_;
  KvEvaluationStore store_;
  JudgeRunner runner_;
  JudgeResolver resolver_;
  EvaluationTroubles troubles_;
  EvaluationReader reader_;
  EvaluationWatch watch_;
  Patience patience_;
  EvaluationJobs jobs_;
  Evaluations evaluations_;
};

// Good for `{{ outputs }}`: good, fair, poor; the best first.
inline registry::v1::JudgeDefinition QualityJudge(
    const std::string& instructions = "Rate {{ outputs }}") {
  registry::v1::JudgeDefinition definition;
  definition.mutable_instructions()->set_instructions(instructions);
  auto* type = definition.mutable_value_type()->mutable_category_type();
  for (const char* category : {"good", "fair", "poor"}) type->add_categories(category);
  type->set_ordered(true);
  return definition;
}

inline v1::EvaluationRow RowOf(const std::string& inputs, const std::string& outputs = "") {
  v1::EvaluationRow row;
  *row.mutable_inputs() = json::JsonFromText(inputs);
  if (!outputs.empty()) *row.mutable_outputs() = json::JsonFromText(outputs);
  return row;
}

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_TESTING_EVALUATION_FIXTURE_H_
