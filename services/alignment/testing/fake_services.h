// The other services as an alignment sees them, in memory, with a judge whose behaviour a test
// plants.
#ifndef ASSAY_SERVICES_ALIGNMENT_TESTING_FAKE_SERVICES_H_
#define ASSAY_SERVICES_ALIGNMENT_TESTING_FAKE_SERVICES_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "common/exec/executor.h"
#include "common/sync/mutex.h"
#include "services/alignment/core/ports.h"

namespace assay::alignment {

// Keeps assessed traces by name. Thread-safe once filled.
class FakeFeedback final : public FeedbackPort {
 public:
  explicit FakeFeedback(Executor& executor) : executor_(executor) {}

  // A person's, or a judge's, verdict `value` (JSON text).
  void Add(const std::string& trace, common::v1::SourceKind kind, const std::string& annotator,
           const std::string& value, const std::string& rationale = "");
  void AddAssessment(const std::string& trace, feedback::v1::Assessment assessment);

  void ListAssessedTraces(feedback::v1::ListAssessedTracesRequest request,
                          const CallContext& context,
                          Done<feedback::v1::ListAssessedTracesResponse> done) override;

 private:
  Executor& executor_;
  std::map<std::string, feedback::v1::AssessedTrace> traces_;
};

// Thread-safe once filled.
class FakeTraces final : public TracePort {
 public:
  explicit FakeTraces(Executor& executor) : executor_(executor) {}
  // Empty text: the trace has none.
  void Add(const std::string& name, const std::string& inputs, const std::string& outputs);
  void GetTrace(std::string name, const CallContext& context, Done<trace::v1::Trace> done) override;

 private:
  Executor& executor_;
  std::map<std::string, trace::v1::Trace> traces_;
};

// A judge and a model that answer by functions, and remember what they were asked. Thread-safe.
class FakeModels final : public JudgePort, public ModelPort {
 public:
  // The JSON text of the verdict, or the error of the call.
  using Verdict = std::function<absl::StatusOr<std::string>(const judge::v1::JudgeRequest&)>;
  using Answer = std::function<absl::StatusOr<std::string>(const judge::v1::CompleteRequest&)>;

  FakeModels(Executor& executor, Verdict verdict, Answer answer)
      : executor_(executor), verdict_(std::move(verdict)), answer_(std::move(answer)) {}

  void Judge(judge::v1::JudgeRequest request, const CallContext& context,
             Done<judge::v1::JudgeResponse> done) override ABSL_LOCKS_EXCLUDED(mutex_);
  void Complete(judge::v1::CompleteRequest request, const CallContext& context,
                Done<judge::v1::CompleteResponse> done) override ABSL_LOCKS_EXCLUDED(mutex_);

  std::vector<judge::v1::JudgeRequest> judge_requests() const ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<judge::v1::CompleteRequest> complete_requests() const ABSL_LOCKS_EXCLUDED(mutex_);
  // After so many calls, the next ones never come to an answer but that of their cancellation.
  // Negative: no limit.
  void HangAfter(int calls) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // Whether this call hangs.
  bool Count() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Executor& executor_;
  const Verdict verdict_;
  const Answer answer_;
  mutable Mutex mutex_;
  int left_ ABSL_GUARDED_BY(mutex_) = -1;
  std::vector<judge::v1::JudgeRequest> judged_ ABSL_GUARDED_BY(mutex_);
  std::vector<judge::v1::CompleteRequest> completed_ ABSL_GUARDED_BY(mutex_);
  std::vector<CancellationToken::Registration> hanging_ ABSL_GUARDED_BY(mutex_);
};

// One experiment's judges. Thread-safe.
class FakeRegistry final : public RegistryPort {
 public:
  explicit FakeRegistry(Executor& executor) : executor_(executor) {}
  // Adds a revision; the first one makes the judge.
  void AddRevision(const std::string& judge, const registry::v1::JudgeDefinition& definition)
      ABSL_LOCKS_EXCLUDED(mutex_);
  size_t RevisionCount(const std::string& judge) const ABSL_LOCKS_EXCLUDED(mutex_);
  // 0 if it is not set.
  int64_t Alias(const std::string& judge, const std::string& alias) const
      ABSL_LOCKS_EXCLUDED(mutex_);

  void GetJudge(std::string name, const CallContext& context,
                Done<registry::v1::Judge> done) override ABSL_LOCKS_EXCLUDED(mutex_);
  void GetRevision(std::string name, const CallContext& context,
                   Done<registry::v1::JudgeRevision> done) override ABSL_LOCKS_EXCLUDED(mutex_);
  void CreateRevision(registry::v1::CreateJudgeRevisionRequest request, const CallContext& context,
                      Done<registry::v1::JudgeRevision> done) override ABSL_LOCKS_EXCLUDED(mutex_);
  void SetAlias(registry::v1::SetJudgeAliasRequest request, const CallContext& context,
                Done<registry::v1::Judge> done) override ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct State {
    registry::v1::Judge judge;
    std::vector<registry::v1::JudgeRevision> revisions;
  };
  registry::v1::JudgeRevision Append(const std::string& judge,
                                     const registry::v1::JudgeDefinition& definition,
                                     const std::string& alignment)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Executor& executor_;
  mutable Mutex mutex_;
  std::map<std::string, State> judges_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, registry::v1::JudgeRevision> answered_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_TESTING_FAKE_SERVICES_H_
