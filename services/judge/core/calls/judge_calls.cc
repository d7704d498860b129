#include "services/judge/core/calls/judge_calls.h"

#include <optional>
#include <utility>
#include <vector>

#include "common/json/canonical.h"
#include "common/json/json_value.h"
#include "common/json/utf8.h"
#include "common/names/random_id.h"
#include "common/names/resource_name.h"
#include "common/request/request_key.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/core/calls/outer_call.h"
#include "services/judge/core/calls/session_loader.h"
#include "services/judge/core/judge_needs.h"

namespace assay::judge {
namespace {

constexpr size_t kMaxContextEntries = 50;
// As the feedback service has them; checked before a model is paid.
constexpr size_t kMaxAssessmentNameChars = 250;
constexpr size_t kMaxMetadataEntries = 100;
constexpr size_t kMaxMetadataKeyChars = 250;
constexpr size_t kMaxMetadataValueChars = 4'096;
// Metadata of a verdict on a session: the session as the application said it, and its first trace.
constexpr std::string_view kSessionKey = "assay.session";
constexpr std::string_view kSessionTraceKey = "assay.session_trace";

absl::Status CheckLogging(const v1::JudgeRequest& request) {
  if (json::CountChars(request.assessment_name()) > kMaxAssessmentNameChars) {
    return InvalidField("assessment_name",
                        StrCat("at most ", kMaxAssessmentNameChars, " characters are allowed"));
  }
  if (static_cast<size_t>(request.metadata_size()) > kMaxMetadataEntries) {
    return InvalidField("metadata",
                        StrCat("at most ", kMaxMetadataEntries, " entries are allowed"));
  }
  for (const auto& [key, value] : request.metadata()) {
    if (key.empty() || json::CountChars(key) > kMaxMetadataKeyChars) {
      return InvalidField("metadata",
                          StrCat("keys have 1 to ", kMaxMetadataKeyChars, " characters"));
    }
    if (json::CountChars(value) > kMaxMetadataValueChars) {
      return InvalidField(StrCat("metadata[", key, "]"),
                          StrCat("at most ", kMaxMetadataValueChars, " characters are allowed"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckTrace(const v1::JudgeRequest& request, const names::ExperimentName& parent) {
  if (request.trace().empty()) return absl::OkStatus();
  ASSAY_ASSIGN_OR_RETURN(names::TraceName trace, names::TraceName::Parse(request.trace(), "trace"));
  if (trace.experiment != parent.experiment) {
    return InvalidField("trace", StrCat("it must be a trace of ", request.parent()));
  }
  return absl::OkStatus();
}

// A session brings all that its judges look at, but expectations.
absl::Status CheckSession(const v1::JudgeRequest& request, const names::ExperimentName& parent) {
  if (request.session().empty()) return absl::OkStatus();
  ASSAY_ASSIGN_OR_RETURN(names::SessionName session,
                         names::SessionName::Parse(request.session(), "session"));
  if (session.experiment != parent.experiment) {
    return InvalidField("session", StrCat("it must be a session of ", request.parent()));
  }
  const std::pair<bool, std::string_view> others[] = {
      {!request.trace().empty(), "trace"},
      {request.has_inputs(), "inputs"},
      {request.has_outputs(), "outputs"},
      {request.has_compared_outputs(), "compared_outputs"},
      {request.context_size() > 0, "context"}};
  for (const auto& [given, field] : others) {
    if (given) return InvalidField(field, "must be empty when `session` is given");
  }
  return absl::OkStatus();
}

absl::Status CheckSubject(const v1::JudgeRequest& request) {
  ASSAY_ASSIGN_OR_RETURN(const names::ExperimentName parent,
                         names::ExperimentName::Parse(request.parent(), "parent"));
  ASSAY_RETURN_IF_ERROR(CheckTrace(request, parent));
  ASSAY_RETURN_IF_ERROR(CheckSession(request, parent));
  if (!request.log_assessment() || !request.trace().empty() || !request.session().empty()) {
    return absl::OkStatus();
  }
  return InvalidField("trace",
                      "it is required with log_assessment (or a session): the assessment is the "
                      "trace's");
}

absl::Status CheckRequest(const v1::JudgeRequest& request) {
  ASSAY_RETURN_IF_ERROR(names::ExperimentName::Parse(request.parent(), "parent").status());
  if (request.judge_case() == v1::JudgeRequest::JUDGE_NOT_SET) {
    return InvalidField("judge", "set one of: registered, definition");
  }
  if (request.judge_case() == v1::JudgeRequest::kRegistered) {
    ASSAY_RETURN_IF_ERROR(names::JudgeRef::Parse(request.registered(), "registered").status());
  }
  if (static_cast<size_t>(request.context_size()) > kMaxContextEntries) {
    return InvalidField("context", StrCat("at most ", kMaxContextEntries, " entries are allowed"));
  }
  ASSAY_RETURN_IF_ERROR(CheckLogging(request));
  return CheckSubject(request);
}

absl::Status ReadJson(bool present, const common::v1::JsonValue& value, std::string_view field,
                      std::optional<std::string>* text) {
  if (!present) return absl::OkStatus();
  ASSAY_ASSIGN_OR_RETURN(*text, json::JsonText(value, field));
  return absl::OkStatus();
}

absl::StatusOr<Subject> SubjectOf(const v1::JudgeRequest& request) {
  Subject subject;
  ASSAY_RETURN_IF_ERROR(
      ReadJson(request.has_inputs(), request.inputs(), "inputs", &subject.inputs));
  ASSAY_RETURN_IF_ERROR(
      ReadJson(request.has_outputs(), request.outputs(), "outputs", &subject.outputs));
  ASSAY_RETURN_IF_ERROR(ReadJson(request.has_expectations(), request.expectations(), "expectations",
                                 &subject.expectations));
  ASSAY_RETURN_IF_ERROR(ReadJson(request.has_compared_outputs(), request.compared_outputs(),
                                 "compared_outputs", &subject.compared_outputs));
  for (const auto& [name, value] : request.context()) {
    ASSAY_ASSIGN_OR_RETURN(subject.context[name],
                           json::JsonText(value, StrCat("context[", name, "]")));
  }
  subject.trace_name = request.trace();
  subject.session_name = request.session();
  return subject;
}

// An id within every bound for what belongs to both together.
std::string ShortHash(std::string_view first, std::string_view second) {
  return json::Sha256Hex(StrCat(first, "\n", second)).substr(0, 32);
}

v1::JudgeResponse ResponseOf(const std::string& assessment_name, JudgeVerdict verdict) {
  v1::JudgeResponse response;
  response.set_assessment_name(assessment_name);
  *response.mutable_feedback() = std::move(verdict.feedback);
  *response.mutable_source() = std::move(verdict.source);
  response.mutable_metadata()->insert(verdict.metadata.begin(), verdict.metadata.end());
  for (AdditionalFeedback& additional : verdict.additional) {
    v1::JudgeResult& result = *response.add_additional_results();
    result.set_assessment_name(std::move(additional.assessment_name));
    *result.mutable_feedback() = std::move(additional.feedback);
    *result.mutable_source() = std::move(additional.source);
    result.set_span_id(std::move(additional.span_id));
    result.mutable_metadata()->insert(additional.metadata.begin(), additional.metadata.end());
  }
  return response;
}

// Of a response or one of its additional results. What the judge says of its verdict comes before
// what the request says of it.
template <class Result>
feedback::v1::Assessment AssessmentOf(const v1::JudgeRequest& request, const std::string& trace,
                                      const Result& result) {
  feedback::v1::Assessment assessment;
  assessment.set_assessment_name(result.assessment_name());
  assessment.mutable_target()->set_trace(trace);
  *assessment.mutable_source() = result.source();
  *assessment.mutable_feedback() = result.feedback();
  *assessment.mutable_metadata() = result.metadata();
  assessment.mutable_metadata()->insert(request.metadata().begin(), request.metadata().end());
  return assessment;
}

// The trace that carries what is logged: of a session the first one, as SayWhichSession noted.
std::string TargetOf(const v1::JudgeRequest& request, const v1::JudgeResponse& response) {
  const auto noted = response.metadata().find(kSessionTraceKey);
  return noted == response.metadata().end() || request.session().empty() ? request.trace()
                                                                         : noted->second;
}

// The answer is what is recorded, so it also says where it is to be logged.
void SayWhichSession(const Subject& subject, JudgeVerdict* verdict) {
  if (subject.session.empty()) return;
  const absl::StatusOr<names::SessionName> session =
      names::SessionName::Parse(subject.session_name, "session");
  if (!session.ok()) return;
  verdict->metadata[std::string(kSessionKey)] = session->session;
  verdict->metadata[std::string(kSessionTraceKey)] = subject.session.front()->name();
  for (AdditionalFeedback& additional : verdict->additional) {
    additional.metadata[std::string(kSessionKey)] = session->session;
  }
}

std::vector<feedback::v1::Assessment> AssessmentsOf(const v1::JudgeRequest& request,
                                                    const v1::JudgeResponse& response) {
  const std::string target = TargetOf(request, response);
  std::vector<feedback::v1::Assessment> assessments;
  assessments.push_back(AssessmentOf(request, target, response));
  for (const v1::JudgeResult& result : response.additional_results()) {
    assessments.push_back(AssessmentOf(request, target, result));
    assessments.back().mutable_target()->set_span_id(result.span_id());
  }
  return assessments;
}

}  // namespace

bool IsTransient(const common::v1::Feedback& feedback) {
  const std::string& code = feedback.error().code();
  return code == "MODEL_UNREACHABLE" || code == "MODEL_TIMEOUT" ||
         code == "MODEL_QUOTA_EXHAUSTED" || code == "MODEL_FAILED" || code == "BUDGET_EXHAUSTED" ||
         code == "SCORER_UNREACHABLE" || code == "SCORER_TIMEOUT" || code == "SCORER_FAILED";
}

// A judgement that was made, and whether it is worth keeping under its request id.
struct JudgeCalls::Judged {
  v1::JudgeResponse response;
  bool record = true;
};

struct JudgeCalls::Call {
  CallContext context;
  std::shared_ptr<const v1::JudgeRequest> request;
  ResolvedJudge judge;
  Subject subject;
  bool on_cpu = false;  // Nothing was waited for yet: this thread is the caller's.
  Done<Judged> done;
};

void JudgeCalls::Judge(CallContext context, v1::JudgeRequest request,
                       Done<v1::JudgeResponse> done) {
  {
    MutexLock lock(&mutex_);
    ++in_flight_;
  }
  Begin(std::move(context), std::move(request),
        [this, done = std::move(done)](absl::StatusOr<v1::JudgeResponse> response) mutable {
          std::move(done)(std::move(response));
          MutexLock lock(&mutex_);
          if (--in_flight_ == 0) idle_.SignalAll();
        });
}

void JudgeCalls::WaitUntilIdle() {
  MutexLock lock(&mutex_);
  while (in_flight_ > 0) idle_.Wait(&mutex_);
}

void JudgeCalls::Begin(CallContext context, v1::JudgeRequest request,
                       Done<v1::JudgeResponse> done) {
  absl::Status valid = CheckRequest(request);
  valid.Update(CheckOuterCall(context, request.parent(), "parent"));
  if (!valid.ok()) return std::move(done)(valid);
  absl::StatusOr<Subject> subject = SubjectOf(request);
  if (!subject.ok()) return std::move(done)(subject.status());
  auto call = std::make_shared<Call>();
  call->context = std::move(context);
  call->request = std::make_shared<const v1::JudgeRequest>(std::move(request));
  call->subject = *std::move(subject);
  Done<v1::JudgeResponse> finish =
      [this, context = call->context, request = call->request,
       done = std::move(done)](absl::StatusOr<v1::JudgeResponse> response) mutable {
        if (!response.ok()) return std::move(done)(response.status());
        Log(std::move(context), *request, *std::move(response), std::move(done));
      };
  if (!call->request->request_id().empty()) {
    storage_.Run([this, call, finish = std::move(finish)]() mutable {
      BeginRecorded(std::move(call), std::move(finish));
    });
    return;
  }
  call->on_cpu = true;
  call->done = [finish = std::move(finish)](absl::StatusOr<Judged> judged) mutable {
    if (!judged.ok()) return std::move(finish)(judged.status());
    std::move(finish)(std::move(judged->response));
  };
  Resolve(std::move(call));
}

void JudgeCalls::BeginRecorded(std::shared_ptr<Call> call, Done<v1::JudgeResponse> finish) {
  RequestKey key = MakeRequestKey(call->context, "JudgeService/Judge", *call->request);
  recorded_.Do(
      std::move(key),
      [this, call](Done<CallAnswer> answered) {
        // What is logged afterwards is logged for the caller: `finish` has the call's own context.
        RecordedCalls::Outliving work = recorded_.Outlive(call->context);
        call->context = std::move(work.context);
        call->done = [answered = std::move(answered),
                      hold = std::move(work.hold)](absl::StatusOr<Judged> judged) mutable {
          if (!judged.ok()) return std::move(answered)(judged.status());
          std::move(answered)(CallAnswer{judged->response.SerializeAsString(), judged->record});
        };
        Resolve(call);
      },
      [finish = std::move(finish)](absl::StatusOr<std::string> bytes) mutable {
        if (!bytes.ok()) return std::move(finish)(bytes.status());
        v1::JudgeResponse response;
        if (!response.ParseFromString(*bytes)) {
          return std::move(finish)(MakeError(absl::StatusCode::kDataLoss, "RECORD_UNREADABLE",
                                             "a recorded answer cannot be read"));
        }
        std::move(finish)(std::move(response));
      });
}

void JudgeCalls::Resolve(std::shared_ptr<Call> call) {
  const v1::JudgeRequest& request = *call->request;
  if (request.has_definition()) {
    absl::StatusOr<ResolvedJudge> judge =
        JudgeResolver::Inline(request.definition(), request.assessment_name(), "definition");
    if (!judge.ok()) return std::move(call->done)(judge.status());
    call->judge = *std::move(judge);
    return LoadTrace(std::move(call));
  }
  resolver_.Registered(request.registered(), request.assessment_name(), call->context,
                       [this, call](absl::StatusOr<ResolvedJudge> judge) {
                         if (!judge.ok()) return std::move(call->done)(judge.status());
                         call->judge = *std::move(judge);
                         call->on_cpu = false;
                         LoadTrace(call);
                       });
}

void JudgeCalls::LoadTrace(std::shared_ptr<Call> call) {
  const bool shows_trace = NeedsSpans(*call->judge.definition);
  if (!call->request->session().empty()) {
    return LoadSession(traces_, call->request->session(), shows_trace, call->context,
                       [this, call](absl::StatusOr<SessionTraces> session) {
                         if (!session.ok()) return std::move(call->done)(session.status());
                         call->subject.session = *std::move(session);
                         call->on_cpu = false;
                         Run(call);
                       });
  }
  // Also where it is not shown: an unknown trace is refused before a model is paid.
  if (call->request->trace().empty()) return Run(std::move(call));
  traces_.GetTrace(
      call->request->trace(), shows_trace, call->context,
      [this, call, shows_trace](absl::StatusOr<std::shared_ptr<const trace::v1::Trace>> trace) {
        if (!trace.ok()) return std::move(call->done)(trace.status());
        call->subject.trace = *std::move(trace);
        call->on_cpu = false;
        LoadSpansForMissing(call, shows_trace);
      });
}

void JudgeCalls::LoadSpansForMissing(std::shared_ptr<Call> call, bool has_spans) {
  if (has_spans || !LooksForMissing(*call->judge.definition, call->subject)) return Run(call);
  traces_.GetTrace(call->request->trace(), /*full=*/true, call->context,
                   [this, call](absl::StatusOr<std::shared_ptr<const trace::v1::Trace>> trace) {
                     if (!trace.ok()) return std::move(call->done)(trace.status());
                     call->subject.trace = *std::move(trace);
                     Run(call);
                   });
}

void JudgeCalls::Run(std::shared_ptr<Call> call) {
  const std::string key = call->request->request_id().empty()
                              ? names::RandomId("judge")
                              : ShortHash(call->context.principal, call->request->request_id());
  JudgeRunSettings settings = {.idempotency_key = key,
                               .experiment = call->request->parent(),
                               .bypass_cache = call->request->bypass_cache()};
  Done<JudgeVerdict> done = [call](absl::StatusOr<JudgeVerdict> verdict) {
    if (!verdict.ok()) return std::move(call->done)(verdict.status());
    SayWhichSession(call->subject, &*verdict);
    Judged judged;
    judged.record = !IsTransient(verdict->feedback);
    judged.response = ResponseOf(call->judge.assessment_name, *std::move(verdict));
    std::move(call->done)(std::move(judged));
  };
  // What is told of the session afterwards is read from the call's own subject.
  Subject subject =
      call->subject.session.empty() ? std::move(call->subject) : Subject(call->subject);
  if (call->on_cpu) {
    runner_.RunHere(call->judge, std::move(subject), call->context, std::move(settings),
                    std::move(done));
  } else {
    runner_.Run(call->judge, std::move(subject), call->context, std::move(settings),
                std::move(done));
  }
}

void JudgeCalls::Log(CallContext context, const v1::JudgeRequest& request,
                     v1::JudgeResponse response, Done<v1::JudgeResponse> done) {
  if (!request.log_assessment()) return std::move(done)(std::move(response));
  // The same ids on every repetition with this verdict: it is recorded before it is logged, so that
  // a crash in between neither pays nor logs twice. A failure that is not recorded has ids of its
  // own, for the next try may come to another verdict.
  const std::string key =
      request.request_id().empty()
          ? names::RandomId("judge")
          : StrCat("judge-", ShortHash(StrCat(context.principal, "\n", request.request_id()),
                                       MessageSha256(response)));
  // Before the call: the order in which its arguments are made is not fixed, and one moves the
  // response.
  std::vector<feedback::v1::Assessment> assessments = AssessmentsOf(request, response);
  std::vector<std::string> ids;
  for (size_t i = 0; i < assessments.size(); ++i) {
    ids.push_back(StrCat("j", json::Sha256Hex(StrCat(key, "/", i)).substr(0, 32)));
  }
  feedback_.LogAssessments(
      request.parent(), std::move(assessments), std::move(ids), std::move(context),
      [response = std::move(response),
       done = std::move(done)](absl::StatusOr<std::vector<std::string>> names) mutable {
        if (!names.ok()) return std::move(done)(names.status());
        response.set_assessment(names->front());
        for (int i = 0;
             i < response.additional_results_size() && static_cast<size_t>(i) + 1 < names->size();
             ++i) {
          response.mutable_additional_results(i)->set_assessment(
              (*names)[static_cast<size_t>(i) + 1]);
        }
        std::move(done)(std::move(response));
      });
}

}  // namespace assay::judge
