// The judge service, put together.
#ifndef ASSAY_SERVICES_JUDGE_SERVER_H_
#define ASSAY_SERVICES_JUDGE_SERVER_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock/timer.h"
#include "common/config/flags.h"
#include "common/exec/executor.h"
#include "common/http/curl_http_client.h"
#include "common/kv/store.h"
#include "common/rpc/process.h"
#include "common/rpc/runtime.h"
#include "common/rpc/server.h"
#include "services/judge/clients/feedback_client.h"
#include "services/judge/clients/judgement_trace_exporter.h"
#include "services/judge/clients/model_config.h"
#include "services/judge/clients/predictor_client.h"
#include "services/judge/clients/registry_client.h"
#include "services/judge/clients/scorer_client.h"
#include "services/judge/clients/trace_client.h"
#include "services/judge/clients/user_channels.h"
#include "services/judge/core/calls/judge_calls.h"
#include "services/judge/core/calls/judge_resolver.h"
#include "services/judge/core/calls/model_calls.h"
#include "services/judge/core/calls/recorded_calls.h"
#include "services/judge/core/evaluation/evaluation_jobs.h"
#include "services/judge/core/evaluation/evaluation_reader.h"
#include "services/judge/core/evaluation/evaluation_troubles.h"
#include "services/judge/core/evaluation/evaluation_watch.h"
#include "services/judge/core/evaluation/evaluations.h"
#include "services/judge/core/evaluation/patience.h"
#include "services/judge/core/judge_runner.h"
#include "services/judge/core/scorer_lines.h"
#include "services/judge/model_stack.h"
#include "services/judge/rpc/evaluation_service.h"
#include "services/judge/rpc/judge_service.h"
#include "services/judge/rpc/model_service.h"
#include "services/judge/rpc/usage_service.h"
#include "services/judge/store/kv_answer_store.h"
#include "services/judge/store/kv_evaluation_store.h"

namespace assay::judge {

inline constexpr std::string_view kDefaultListenAddress = "127.0.0.1:7403";

struct Options {
  rpc::ServiceFlags serving;
  ModelFlags models;
  ModelStackFlags model_stack;
  std::string registry_address = "127.0.0.1:7401";
  std::string trace_address = "127.0.0.1:7402";
  std::string otlp_address = "127.0.0.1:4317";
  std::string feedback_address = "127.0.0.1:7404";
  bool allow_remote_scorers = false;
  std::string scorer_ca_file;  // PEM; "" for the system's authorities.
  int64_t max_trace_bytes = int64_t{64} << 20;
  bool record_judgements = true;
  int storage_threads = 4;
  int cpu_threads = 2;
  int max_running_evaluations = 16;
  absl::Duration evaluation_model_wait = absl::Minutes(10);
};

// `options` outlives the set.
void AddFlags(Options* options, config::FlagSet& flags);

class JudgeServer final : public rpc::RunningService {
 public:
  // Opens the store, listens, and takes up the evaluations that were running. `metrics` outlives
  // the server.
  static absl::StatusOr<std::unique_ptr<JudgeServer>> Start(const Options& options,
                                                            rpc::Metrics* metrics);
  ~JudgeServer() override;

  std::vector<std::pair<std::string, std::string>> Endpoints() const override;
  void Drain() override;
  const std::string& address() const { return server_->address(); }

 private:
  // What may fail to start.
  struct Ground {
    std::unique_ptr<ThreadPool> storage;
    std::unique_ptr<ThreadPool> cpu;
    std::unique_ptr<kv::Store> kv_store;
    std::unique_ptr<ThreadTimerQueue> timers;
    std::unique_ptr<http::CurlHttpClient> http;
    std::unique_ptr<ModelStack> models;
    std::string scorer_authorities;
  };
  JudgeServer(const Options& options, rpc::Metrics* metrics, Ground ground);
  JobEnvironment MakeJobEnvironment(const Options& options);

  // In order of lifetime: what stands below uses what stands above.
  std::unique_ptr<ThreadPool> storage_;
  std::unique_ptr<ThreadPool> cpu_;
  std::unique_ptr<kv::Store> kv_store_;
  std::unique_ptr<ThreadTimerQueue> timers_;
  std::unique_ptr<http::CurlHttpClient> http_;
  UserChannels user_channels_;
  std::unique_ptr<ModelStack> models_;
  RegistryClient registry_;
  TraceClient traces_;
  FeedbackClient feedback_;
  ScorerClient scorer_client_;
  ScorerLines scorers_;
  PredictorClient predictors_;
  KvAnswerStore answers_;
  KvEvaluationStore evaluation_store_;
  JudgementTraceExporter judgement_traces_;
  JudgeResolver resolver_;
  JudgeRunner runner_;
  RecordedCalls recorded_;
  JudgeCalls judgements_;
  ModelCalls model_calls_;
  EvaluationTroubles troubles_;
  EvaluationReader reader_;
  EvaluationWatch watch_;
  Patience patience_;
  EvaluationJobs jobs_;
  Evaluations evaluations_;
  rpc::Runtime runtime_;
  JudgeService judge_service_;
  ModelService model_service_;
  EvaluationService evaluation_service_;
  UsageService usage_service_;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_SERVER_H_
