#include "services/judge/core/evaluation/row_run.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "common/json/canonical.h"
#include "common/json/json_value.h"
#include "common/json/utf8.h"
#include "common/names/resource_name.h"
#include "common/proto/time.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"
#include "common/sync/mutex.h"
#include "services/judge/core/judge_needs.h"
#include "services/judge/core/scorer_answer.h"

namespace assay::judge {
namespace {

using ::assay::storage::v1::JudgementRecord;
using ::assay::storage::v1::PredictionRecord;

constexpr size_t kMaxErrorChars = 4'096;

std::string RowSpanId(std::string_view uid, int64_t row) {
  return json::Sha256Hex(StrCat("span/", uid, "/", row)).substr(0, 16);
}

common::v1::FeedbackError ErrorOf(std::string_view code, std::string_view message) {
  common::v1::FeedbackError error;
  error.set_code(std::string(code));
  error.set_message(json::PreviewOf(message, kMaxErrorChars));
  return error;
}

// The error of a call under its own reason, or `fallback` if it has none.
common::v1::FeedbackError ErrorOf(const absl::Status& status, std::string_view fallback) {
  const std::string reason = ErrorReason(status);
  return ErrorOf(reason.empty() ? fallback : reason, ToStd(status.message()));
}

template <class Message>
absl::StatusOr<Message> ParseStep(const absl::StatusOr<std::string>& bytes) {
  if (!bytes.ok()) return bytes.status();
  Message message;
  if (!message.ParseFromString(*bytes)) {
    return MakeError(absl::StatusCode::kDataLoss, "RECORD_UNREADABLE",
                     "a step of the journal cannot be read");
  }
  return message;
}

std::optional<std::string> TextOf(bool present, const common::v1::JsonValue& value) {
  if (!present) return std::nullopt;
  return value.json_text();
}

class RowRun : public std::enable_shared_from_this<RowRun> {
 public:
  RowRun(const RowEnvironment& environment, std::shared_ptr<const EvaluationPlan> plan,
         StoredRow row, CallContext context, Done<RowOutcome> done)
      : env_(environment),
        plan_(std::move(plan)),
        row_(std::move(row)),
        context_(std::move(context)),
        done_(std::move(done)),
        trace_id_(RowTraceId(uid(), row_.index)),
        span_id_(RowSpanId(uid(), row_.index)),
        inputs_(TextOf(row_.row.has_inputs(), row_.row.inputs())),
        outputs_(TextOf(row_.row.has_outputs(), row_.row.outputs())),
        expectations_(TextOf(row_.row.has_expectations(), row_.row.expectations())) {}

  void Start() {
    if (!row_.row.trace().empty()) return LoadGivenTrace();
    absl::StatusOr<names::ExperimentName> parent = names::ExperimentName::Parse(plan_->experiment);
    if (!parent.ok()) return End(parent.status());
    trace_name_ = names::TraceName{parent->experiment, trace_id_}.ToString();
    if (!spec().has_predictor()) return CompleteTrace();
    plan_->traces->Preregister(plan_->experiment, evaluation_name(), trace_id_, context_,
                               [self = shared_from_this()](absl::Status status) {
                                 if (!status.ok()) return self->OnNoTrace(status);
                                 self->Predict();
                               });
  }

 private:
  const std::string& uid() const { return plan_->record.uid(); }
  const v1::EvaluationSpec& spec() const { return plan_->record.evaluation().spec(); }
  const std::string& evaluation_name() const { return plan_->record.evaluation().name(); }
  std::string Step(std::string_view what) const { return StrCat("row/", row_.index, "/", what); }

  void End(absl::StatusOr<RowOutcome> outcome) { std::move(done_)(std::move(outcome)); }

  void LoadGivenTrace() {
    plan_->traces->Load(row_.row.trace(), plan_->shows_trace, context_,
                        [self = shared_from_this()](absl::StatusOr<TracePtr> trace) {
                          if (!trace.ok()) return self->OnNoTrace(trace.status());
                          self->trace_name_ = self->row_.row.trace();
                          self->TakeTrace(*std::move(trace));
                          self->LoadSpansForMissing();
                        });
  }

  void LoadSpansForMissing() {
    Subject subject;
    subject.inputs = inputs_;
    subject.outputs = outputs_;
    subject.trace = trace_;
    bool needed = false;
    for (const ResolvedJudge& judge : plan_->judges) {
      needed = needed || LooksForMissing(*judge.definition, subject);
    }
    if (plan_->shows_trace || !needed) return JudgeAll();
    plan_->traces->Load(trace_name_, /*full=*/true, context_,
                        [self = shared_from_this()](absl::StatusOr<TracePtr> trace) {
                          if (!trace.ok()) return self->OnNoTrace(trace.status());
                          self->TakeTrace(*std::move(trace));
                          self->JudgeAll();
                        });
  }

  void TakeTrace(TracePtr trace) {
    if (!inputs_.has_value()) inputs_ = TextOf(trace->has_inputs(), trace->inputs());
    if (!outputs_.has_value()) outputs_ = TextOf(trace->has_outputs(), trace->outputs());
    trace_ = std::move(trace);
  }

  // Without a trace there is nothing to log on: the row says so, and is done.
  void OnNoTrace(const absl::Status& status) {
    if (context_.Cancelled()) return End(status);
    trace_name_.clear();
    predict_error_ = status.code() == absl::StatusCode::kNotFound
                         ? ErrorOf("TRACE_NOT_FOUND", ToStd(status.message()))
                         : ErrorOf(status, "TRACE_FAILED");
    SkipAll("NO_TRACE", "the row has no trace");
  }

  void Predict() {
    jobs::Once(
        *plan_->journal, Step("predict"),
        [self = shared_from_this()](Done<std::string> answered) {
          self->AskPredictor(std::move(answered));
        },
        [self = shared_from_this()](absl::StatusOr<std::string> bytes) {
          absl::StatusOr<PredictionRecord> prediction = ParseStep<PredictionRecord>(bytes);
          if (!prediction.ok()) return self->End(prediction.status());
          self->prediction_ = *std::move(prediction);
          if (self->prediction_.has_outputs()) self->outputs_ = self->prediction_.outputs();
          if (self->prediction_.has_error()) self->predict_error_ = self->prediction_.error();
          self->CompleteTrace();
        });
  }

  void AskPredictor(Done<std::string> answered) {
    plan_->slots->Take([self = shared_from_this(), answered = std::move(answered)]() mutable {
      self->Ask([self, answered = std::move(answered)](absl::StatusOr<std::string> bytes) mutable {
        self->plan_->slots->GiveBack();
        std::move(answered)(std::move(bytes));
      });
    });
  }

  void Ask(Done<std::string> answered) {
    v1::PredictRequest request;
    *request.mutable_inputs() = row_.row.inputs();
    if (spec().predictor().has_parameters()) {
      *request.mutable_parameters() = spec().predictor().parameters();
    }
    request.set_trace_id(trace_id_);
    CallContext context = context_;
    context.traceparent = StrCat("00-", trace_id_, "-", span_id_, "-01");
    const absl::Time start = env_.clock.Now();
    env_.predictors.Predict(
        spec().predictor(), std::move(request), std::move(context),
        [self = shared_from_this(), start,
         answered = std::move(answered)](absl::StatusOr<v1::PredictResponse> response) mutable {
          if (!response.ok() && self->context_.Cancelled()) {
            return std::move(answered)(response.status());
          }
          PredictionRecord record;
          *record.mutable_start_time() = proto::ToTimestamp(start);
          *record.mutable_end_time() = proto::ToTimestamp(self->env_.clock.Now());
          absl::StatusOr<std::string> outputs =
              response.ok() ? CheckedPrediction(*response) : response.status();
          if (outputs.ok()) {
            record.set_outputs(*std::move(outputs));
          } else {
            *record.mutable_error() = ErrorOf(outputs.status(), "PREDICTOR_FAILED");
          }
          std::move(answered)(record.SerializeAsString());
        });
  }

  OneSpanTrace Span() const {
    OneSpanTrace span;
    span.experiment = plan_->experiment;
    span.evaluation = evaluation_name();
    span.trace_id = trace_id_;
    span.span_id = span_id_;
    span.inputs = inputs_.value_or("");
    span.outputs = outputs_.value_or("");
    if (predict_error_.has_value()) span.error_message = predict_error_->message();
    if (spec().has_predictor()) {
      span.span_name = "predict";
      span.start_time = proto::FromTimestamp(prediction_.start_time());
      span.end_time = proto::FromTimestamp(prediction_.end_time());
    } else {
      // Nothing ran. A time that is the same on every run, so that writing it again changes
      // nothing.
      span.span_name = "row";
      span.start_time = proto::FromTimestamp(plan_->record.evaluation().create_time());
      span.end_time = span.start_time;
    }
    return span;
  }

  void CompleteTrace() {
    const absl::Duration wait = spec().has_predictor()
                                    ? proto::FromDuration(spec().predictor().trace_wait())
                                    : absl::ZeroDuration();
    plan_->traces->Complete(Span(), trace_name_, wait, context_,
                            [self = shared_from_this()](absl::Status status) {
                              if (!status.ok()) return self->OnNoTrace(status);
                              self->OnTraceComplete();
                            });
  }

  void OnTraceComplete() {
    if (predict_error_.has_value()) {
      return SkipAll("NO_OUTPUTS", "the application gave no outputs");
    }
    if (!plan_->shows_trace) return JudgeAll();
    plan_->traces->Load(trace_name_, /*full=*/true, context_,
                        [self = shared_from_this()](absl::StatusOr<TracePtr> trace) {
                          if (!trace.ok()) return self->OnNoTrace(trace.status());
                          self->TakeTrace(*std::move(trace));
                          self->JudgeAll();
                        });
  }

  common::v1::Source JudgeSource(size_t judge) const {
    common::v1::Source source;
    source.set_kind(common::v1::SOURCE_KIND_LLM_JUDGE);
    source.set_id(plan_->judges[judge].definition->model());
    return source;
  }
  common::v1::Source ScorerSource(size_t scorer) const {
    common::v1::Source source;
    source.set_kind(common::v1::SOURCE_KIND_CODE);
    source.set_id(spec().scorers(static_cast<int>(scorer)).scorer());
    return source;
  }

  static v1::EvaluationResult Failure(std::string assessment_name, common::v1::Source source,
                                      common::v1::Outcome outcome,
                                      common::v1::FeedbackError error) {
    v1::EvaluationResult result;
    result.set_assessment_name(std::move(assessment_name));
    *result.mutable_source() = std::move(source);
    result.mutable_feedback()->set_outcome(outcome);
    *result.mutable_feedback()->mutable_error() = std::move(error);
    return result;
  }

  void SkipAll(std::string_view code, std::string_view message) {
    std::vector<JudgementRecord> skipped;
    for (size_t i = 0; i < plan_->judges.size(); ++i) {
      *skipped.emplace_back().add_results() =
          Failure(plan_->judges[i].assessment_name, JudgeSource(i), common::v1::OUTCOME_SKIPPED,
                  ErrorOf(code, message));
    }
    for (size_t i = 0; i < plan_->taken_names.size(); ++i) {
      *skipped.emplace_back().add_results() =
          Failure(spec().scorers(static_cast<int>(i)).scorer(), ScorerSource(i),
                  common::v1::OUTCOME_SKIPPED, ErrorOf(code, message));
    }
    Log(std::move(skipped));
  }

  void JudgeAll() {
    const size_t judges = plan_->judges.size();
    const size_t all = judges + plan_->taken_names.size();
    {
      MutexLock lock(&mutex_);
      judgements_.resize(all);
      unanswered_ = all;
      asking_.assign(all, true);
    }
    plan_->slots->Take([self = shared_from_this(), judges, all] {
      for (size_t i = 0; i < all; ++i) self->JudgeOnce(i, judges);
    });
  }

  // By judge number `i`, or by the scorer behind them.
  void JudgeOnce(size_t i, size_t judges) {
    jobs::Once(
        *plan_->journal, Step(i < judges ? StrCat("judge/", i) : StrCat("scorer/", i - judges)),
        [self = shared_from_this(), i, judges](Done<std::string> answered) {
          Done<std::string> told =
              [self, i, answered = std::move(answered)](absl::StatusOr<std::string> bytes) mutable {
                self->EndAsking(i);
                std::move(answered)(std::move(bytes));
              };
          if (i < judges) return self->AskJudge(i, std::move(told));
          self->AskScorer(i - judges, std::move(told));
        },
        [self = shared_from_this(), i](absl::StatusOr<std::string> bytes) {
          self->EndAsking(i);  // Of an answer that stood in the journal.
          self->OnJudgement(i, ParseStep<JudgementRecord>(bytes));
        });
  }

  // The slot is free for another row as soon as all have answered, before that is stored.
  void EndAsking(size_t i) {
    {
      MutexLock lock(&mutex_);
      if (!asking_[i]) return;
      asking_[i] = false;
      if (std::find(asking_.begin(), asking_.end(), true) != asking_.end()) return;
    }
    plan_->slots->GiveBack();
  }

  void OnJudgement(size_t slot, absl::StatusOr<JudgementRecord> judgement) {
    absl::Status failure;
    std::vector<JudgementRecord> judgements;
    {
      MutexLock lock(&mutex_);
      if (judgement.ok()) {
        judgements_[slot] = *std::move(judgement);
      } else {
        failure_.Update(judgement.status());
      }
      if (--unanswered_ > 0) return;
      failure = failure_;
      judgements = std::move(judgements_);
    }
    if (!failure.ok()) return End(failure);
    Log(std::move(judgements));
  }

  void AskJudge(size_t judge, Done<std::string> answered) {
    Subject subject;
    subject.inputs = inputs_;
    subject.outputs = outputs_;
    subject.expectations = expectations_;
    // A trace that the row names is at hand in any case, and brings what people expect of it.
    if (plan_->shows_trace || !row_.row.trace().empty()) subject.trace = trace_;
    subject.trace_name = trace_name_;
    const std::string key = StrCat("eval-", uid(), "-", row_.index, "-", judge);
    // A queue that is full is waited for; a model that is away by `models`; other temporary errors
    // are verdicts already.
    env_.patience.Persist<JudgeVerdict>(
        context_.cancel, [](const absl::Status&) {},
        [self = shared_from_this(), judge, subject = std::move(subject),
         key](Done<JudgeVerdict> done) {
          self->env_.runner.Run(self->plan_->judges[judge], subject, self->context_,
                                {.idempotency_key = key,
                                 .experiment = self->plan_->experiment,
                                 .models = self->plan_->models.get()},
                                std::move(done));
        },
        [self = shared_from_this(), judge,
         answered = std::move(answered)](absl::StatusOr<JudgeVerdict> verdict) mutable {
          if (!verdict.ok() && self->context_.Cancelled()) {
            return std::move(answered)(verdict.status());
          }
          std::move(answered)(self->JudgementOf(judge, std::move(verdict)).SerializeAsString());
        });
  }

  JudgementRecord JudgementOf(size_t judge, absl::StatusOr<JudgeVerdict> verdict) const {
    JudgementRecord record;
    v1::EvaluationResult& result = *record.add_results();
    const std::string& name = plan_->judges[judge].assessment_name;
    if (!verdict.ok()) {
      result = Failure(name, JudgeSource(judge), common::v1::OUTCOME_ERROR,
                       ErrorOf(verdict.status(), "JUDGE_FAILED"));
      return record;
    }
    result.set_assessment_name(name);
    *result.mutable_feedback() = std::move(verdict->feedback);
    *result.mutable_source() = std::move(verdict->source);
    result.mutable_metadata()->insert(verdict->metadata.begin(), verdict->metadata.end());
    for (AdditionalFeedback& additional : verdict->additional) {
      v1::EvaluationResult& further = *record.add_results();
      further.set_assessment_name(std::move(additional.assessment_name));
      *further.mutable_feedback() = std::move(additional.feedback);
      *further.mutable_source() = std::move(additional.source);
      further.set_span_id(std::move(additional.span_id));
      further.mutable_metadata()->insert(additional.metadata.begin(), additional.metadata.end());
    }
    return record;
  }

  void AskScorer(size_t scorer, Done<std::string> answered) {
    const v1::Scorer& asked = spec().scorers(static_cast<int>(scorer));
    v1::ScoreRequest request;
    request.set_scorer(asked.scorer());
    request.set_parent(plan_->experiment);
    if (inputs_.has_value()) *request.mutable_inputs() = json::JsonFromText(*inputs_);
    if (outputs_.has_value()) *request.mutable_outputs() = json::JsonFromText(*outputs_);
    if (expectations_.has_value()) {
      *request.mutable_expectations() = json::JsonFromText(*expectations_);
    }
    request.set_trace(trace_name_);
    env_.scorers.Score(
        asked, std::move(request), context_,
        [self = shared_from_this(), scorer, start = env_.clock.Now(),
         answered = std::move(answered)](absl::StatusOr<v1::ScoreResponse> response) mutable {
          if (!response.ok() && self->context_.Cancelled()) {
            return std::move(answered)(response.status());
          }
          JudgementRecord record = self->ScoringOf(scorer, std::move(response));
          const absl::Duration latency = self->env_.clock.Now() - start;
          for (v1::EvaluationResult& result : *record.mutable_results()) {
            result.mutable_feedback()->mutable_provenance()->set_latency_ms(
                std::max<int64_t>(absl::ToInt64Milliseconds(latency), 0));
          }
          std::move(answered)(record.SerializeAsString());
        });
  }

  JudgementRecord ScoringOf(size_t scorer, absl::StatusOr<v1::ScoreResponse> response) const {
    const std::string& name = spec().scorers(static_cast<int>(scorer)).scorer();
    JudgementRecord record;
    absl::StatusOr<std::vector<v1::EvaluationResult>> results;
    if (response.ok()) {
      results = CheckedScorerAnswer(*std::move(response), name, plan_->taken_names[scorer]);
    } else {
      results = response.status();
    }
    if (!results.ok()) {
      *record.add_results() = Failure(name, ScorerSource(scorer), common::v1::OUTCOME_ERROR,
                                      ErrorOf(results.status(), "SCORER_FAILED"));
      return record;
    }
    for (v1::EvaluationResult& result : *results) *record.add_results() = std::move(result);
    return record;
  }

  void Log(std::vector<JudgementRecord> judgements) {
    RowResults log;
    log.row = row_.index;
    log.trace = trace_name_;
    std::vector<size_t> counts;
    for (JudgementRecord& judgement : judgements) {
      counts.push_back(static_cast<size_t>(judgement.results_size()));
      for (v1::EvaluationResult& result : *judgement.mutable_results()) {
        log.results.push_back(std::move(result));
      }
    }
    if (trace_name_.empty()) return Finish(counts, std::move(log.results));
    plan_->log->Log(std::move(log), context_,
                    [self = shared_from_this(), counts = std::move(counts)](
                        absl::StatusOr<std::vector<v1::EvaluationResult>> results) mutable {
                      if (!results.ok()) return self->End(results.status());
                      self->Finish(counts, *std::move(results));
                    });
  }

  // `counts`: how many of the results belong to each judge and scorer.
  void Finish(const std::vector<size_t>& counts, std::vector<v1::EvaluationResult> results) {
    RowOutcome outcome;
    auto next = results.begin();
    for (size_t i = 0; i < counts.size(); ++i) {
      const std::vector<v1::EvaluationResult> own(next, next + static_cast<ptrdiff_t>(counts[i]));
      next += static_cast<ptrdiff_t>(counts[i]);
      outcome.judgements.push_back(JudgementOutcome(own));
      // A judge's first result counts all of its calls; the additional ones repeat parts of it.
      if (i < plan_->judges.size() && !own.empty()) AddUsage(own.front(), &outcome.usage);
    }
    v1::EvaluationRowResult& result = outcome.result;
    result.set_row(row_.index);
    result.set_trace(trace_name_);
    if (!row_.row.has_inputs() && inputs_.has_value()) {
      *result.mutable_inputs() = json::JsonFromText(*inputs_);
    }
    if (!row_.row.has_outputs() && outputs_.has_value()) {
      *result.mutable_outputs() = json::JsonFromText(*outputs_);
    }
    if (predict_error_.has_value()) *result.mutable_predict_error() = *predict_error_;
    for (v1::EvaluationResult& one : results) *result.add_results() = std::move(one);
    result.set_done(true);
    End(std::move(outcome));
  }

  static void AddUsage(const v1::EvaluationResult& result, common::v1::Usage* usage) {
    const common::v1::Usage& one = result.feedback().provenance().usage();
    usage->set_input_tokens(usage->input_tokens() + one.input_tokens());
    usage->set_output_tokens(usage->output_tokens() + one.output_tokens());
    usage->set_model_calls(usage->model_calls() + one.model_calls());
  }

  const RowEnvironment& env_;
  const std::shared_ptr<const EvaluationPlan> plan_;
  const StoredRow row_;
  const CallContext context_;
  Done<RowOutcome> done_;
  const std::string trace_id_;
  const std::string span_id_;
  // Written by one step, read by the later ones.
  std::string trace_name_;
  std::optional<std::string> inputs_;
  std::optional<std::string> outputs_;
  const std::optional<std::string> expectations_;
  PredictionRecord prediction_;
  std::optional<common::v1::FeedbackError> predict_error_;
  TracePtr trace_;

  Mutex mutex_;
  size_t unanswered_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<bool> asking_ ABSL_GUARDED_BY(mutex_);  // By judge or scorer.
  std::vector<JudgementRecord> judgements_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::string RowTraceId(std::string_view uid, int64_t row) {
  return json::Sha256Hex(StrCat("trace/", uid, "/", row)).substr(0, 32);
}

void RunRow(const RowEnvironment& environment, std::shared_ptr<const EvaluationPlan> plan,
            StoredRow row, CallContext context, Done<RowOutcome> done) {
  std::make_shared<RowRun>(environment, std::move(plan), std::move(row), std::move(context),
                           std::move(done))
      ->Start();
}

}  // namespace assay::judge
