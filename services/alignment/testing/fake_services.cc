#include "services/alignment/testing/fake_services.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "common/json/json_value.h"
#include "common/names/resource_name.h"
#include "common/status/errors.h"

namespace assay::alignment {
namespace {

template <class T>
void AnswerOn(Executor& executor, Done<T> done, absl::StatusOr<T> answer) {
  executor.Run([done = std::move(done), answer = std::move(answer)]() mutable {
    std::move(done)(std::move(answer));
  });
}

bool HasKind(const feedback::v1::AssessedTrace& trace, int kind) {
  return std::any_of(trace.assessments().begin(), trace.assessments().end(),
                     [&](const auto& assessment) { return assessment.source().kind() == kind; });
}

}  // namespace

void FakeFeedback::Add(const std::string& trace, common::v1::SourceKind kind,
                       const std::string& annotator, const std::string& value,
                       const std::string& rationale) {
  feedback::v1::Assessment assessment;
  assessment.mutable_source()->set_kind(kind);
  assessment.mutable_source()->set_id(annotator);
  assessment.set_valid(true);
  *assessment.mutable_feedback()->mutable_value() = json::JsonFromText(value);
  assessment.mutable_feedback()->set_rationale(rationale);
  AddAssessment(trace, std::move(assessment));
}

void FakeFeedback::AddAssessment(const std::string& trace, feedback::v1::Assessment assessment) {
  traces_[trace].set_trace(trace);
  assessment.mutable_target()->set_trace(trace);
  *traces_[trace].add_assessments() = std::move(assessment);
}

void FakeFeedback::ListAssessedTraces(feedback::v1::ListAssessedTracesRequest request,
                                      const CallContext&,
                                      Done<feedback::v1::ListAssessedTracesResponse> done) {
  feedback::v1::ListAssessedTracesResponse response;
  // Small pages, so that every test pages.
  const int page_size = std::min(request.page_size(), 7);
  for (auto it = traces_.upper_bound(request.page_token()); it != traces_.end(); ++it) {
    const bool all = std::all_of(request.source_kinds().begin(), request.source_kinds().end(),
                                 [&](int kind) { return HasKind(it->second, kind); });
    if (!all) continue;
    if (response.traces_size() == page_size) {
      response.set_next_page_token(response.traces(page_size - 1).trace());
      break;
    }
    *response.add_traces() = it->second;
  }
  AnswerOn<feedback::v1::ListAssessedTracesResponse>(executor_, std::move(done),
                                                     std::move(response));
}

void FakeTraces::Add(const std::string& name, const std::string& inputs,
                     const std::string& outputs) {
  trace::v1::Trace& trace = traces_[name];
  trace.set_name(name);
  if (!inputs.empty()) *trace.mutable_inputs() = json::JsonFromText(inputs);
  if (!outputs.empty()) *trace.mutable_outputs() = json::JsonFromText(outputs);
}

void FakeTraces::GetTrace(std::string name, const CallContext&, Done<trace::v1::Trace> done) {
  const auto found = traces_.find(name);
  AnswerOn<trace::v1::Trace>(executor_, std::move(done),
                             found == traces_.end()
                                 ? absl::StatusOr<trace::v1::Trace>(NotFound("trace", name))
                                 : found->second);
}

bool FakeModels::Count() {
  if (left_ < 0) return false;
  if (left_ == 0) return true;
  --left_;
  return false;
}

void FakeModels::HangAfter(int calls) {
  MutexLock lock(&mutex_);
  left_ = calls;
}

void FakeModels::Judge(judge::v1::JudgeRequest request, const CallContext& context,
                       Done<judge::v1::JudgeResponse> done) {
  bool hangs = false;
  {
    MutexLock lock(&mutex_);
    hangs = Count();
    if (!hangs) judged_.push_back(request);
  }
  if (hangs) {
    auto kept = std::make_shared<Done<judge::v1::JudgeResponse>>(std::move(done));
    CancellationToken::Registration registration = context.cancel->OnCancel([this, kept] {
      AnswerOn<judge::v1::JudgeResponse>(executor_, std::move(*kept),
                                         absl::CancelledError("stopped"));
    });
    MutexLock lock(&mutex_);
    hanging_.push_back(std::move(registration));
    return;
  }
  absl::StatusOr<std::string> verdict = verdict_(request);
  if (!verdict.ok()) {
    return AnswerOn<judge::v1::JudgeResponse>(executor_, std::move(done), verdict.status());
  }
  judge::v1::JudgeResponse response;
  if (verdict->starts_with("!")) {
    response.mutable_feedback()->set_outcome(common::v1::OUTCOME_ERROR);
    response.mutable_feedback()->mutable_error()->set_code(verdict->substr(1));
  } else {
    *response.mutable_feedback()->mutable_value() = json::JsonFromText(*verdict);
  }
  common::v1::Provenance& provenance = *response.mutable_feedback()->mutable_provenance();
  provenance.set_answered_by("fake");
  provenance.mutable_usage()->set_model_calls(1);
  provenance.mutable_usage()->set_input_tokens(10);
  AnswerOn<judge::v1::JudgeResponse>(executor_, std::move(done), std::move(response));
}

void FakeModels::Complete(judge::v1::CompleteRequest request, const CallContext&,
                          Done<judge::v1::CompleteResponse> done) {
  {
    MutexLock lock(&mutex_);
    completed_.push_back(request);
  }
  absl::StatusOr<std::string> answer = answer_(request);
  if (!answer.ok()) {
    return AnswerOn<judge::v1::CompleteResponse>(executor_, std::move(done), answer.status());
  }
  judge::v1::CompleteResponse response;
  response.set_text(*std::move(answer));
  response.mutable_usage()->set_model_calls(1);
  AnswerOn<judge::v1::CompleteResponse>(executor_, std::move(done), std::move(response));
}

std::vector<judge::v1::JudgeRequest> FakeModels::judge_requests() const {
  MutexLock lock(&mutex_);
  return judged_;
}

std::vector<judge::v1::CompleteRequest> FakeModels::complete_requests() const {
  MutexLock lock(&mutex_);
  return completed_;
}

registry::v1::JudgeRevision FakeRegistry::Append(const std::string& judge,
                                                 const registry::v1::JudgeDefinition& definition,
                                                 const std::string& alignment) {
  State& state = judges_[judge];
  state.judge.set_name(judge);
  registry::v1::JudgeRevision revision;
  revision.set_revision(static_cast<int64_t>(state.revisions.size()) + 1);
  revision.set_name(judge + "/revisions/" + std::to_string(revision.revision()));
  *revision.mutable_definition() = definition;
  revision.set_alignment(alignment);
  state.revisions.push_back(revision);
  *state.judge.mutable_latest_revision() = revision;
  (*state.judge.mutable_aliases())["latest"] = revision.revision();
  return revision;
}

void FakeRegistry::AddRevision(const std::string& judge,
                               const registry::v1::JudgeDefinition& definition) {
  MutexLock lock(&mutex_);
  Append(judge, definition, "");
}

size_t FakeRegistry::RevisionCount(const std::string& judge) const {
  MutexLock lock(&mutex_);
  const auto found = judges_.find(judge);
  return found == judges_.end() ? 0 : found->second.revisions.size();
}

int64_t FakeRegistry::Alias(const std::string& judge, const std::string& alias) const {
  MutexLock lock(&mutex_);
  const auto found = judges_.find(judge);
  if (found == judges_.end()) return 0;
  const auto& aliases = found->second.judge.aliases();
  const auto set = aliases.find(alias);
  return set == aliases.end() ? 0 : set->second;
}

void FakeRegistry::GetJudge(std::string name, const CallContext&, Done<registry::v1::Judge> done) {
  absl::StatusOr<registry::v1::Judge> answer = NotFound("judge", name);
  {
    MutexLock lock(&mutex_);
    const auto found = judges_.find(name);
    if (found != judges_.end()) answer = found->second.judge;
  }
  AnswerOn<registry::v1::Judge>(executor_, std::move(done), std::move(answer));
}

void FakeRegistry::GetRevision(std::string name, const CallContext&,
                               Done<registry::v1::JudgeRevision> done) {
  absl::StatusOr<registry::v1::JudgeRevision> answer = NotFound("judge", name);
  const absl::StatusOr<names::JudgeRef> ref = names::JudgeRef::Parse(name, "name");
  if (ref.ok()) {
    MutexLock lock(&mutex_);
    const auto found = judges_.find(ref->Judge().ToString());
    if (found != judges_.end()) {
      const size_t count = found->second.revisions.size();
      const size_t number =
          static_cast<size_t>(ref->revision.value_or(static_cast<int64_t>(count)));
      if (number >= 1 && number <= count) answer = found->second.revisions[number - 1];
    }
  }
  AnswerOn<registry::v1::JudgeRevision>(executor_, std::move(done), std::move(answer));
}

void FakeRegistry::CreateRevision(registry::v1::CreateJudgeRevisionRequest request,
                                  const CallContext&, Done<registry::v1::JudgeRevision> done) {
  registry::v1::JudgeRevision revision;
  {
    MutexLock lock(&mutex_);
    const auto known = answered_.find(request.request_id());
    if (known != answered_.end()) {
      revision = known->second;
    } else {
      revision = Append(request.parent(), request.definition(), request.alignment());
      answered_[request.request_id()] = revision;
    }
  }
  AnswerOn<registry::v1::JudgeRevision>(executor_, std::move(done), std::move(revision));
}

void FakeRegistry::SetAlias(registry::v1::SetJudgeAliasRequest request, const CallContext&,
                            Done<registry::v1::Judge> done) {
  registry::v1::Judge judge;
  {
    MutexLock lock(&mutex_);
    State& state = judges_[request.name()];
    (*state.judge.mutable_aliases())[request.alias()] = request.revision();
    judge = state.judge;
  }
  AnswerOn<registry::v1::Judge>(executor_, std::move(done), std::move(judge));
}

}  // namespace assay::alignment
