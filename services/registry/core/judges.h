// The rules of judges: revisions that never change, aliases that move.
#ifndef ASSAY_SERVICES_REGISTRY_CORE_JUDGES_H_
#define ASSAY_SERVICES_REGISTRY_CORE_JUDGES_H_

#include <string>

#include "absl/status/statusor.h"
#include "assay/registry/v1/judge_registry_service.pb.h"
#include "common/clock/clock.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"
#include "common/exec/executor.h"
#include "services/registry/core/registry_store.h"

namespace assay::registry {

struct JudgesOptions {
  // Pinned into a revision whose definition names no model.
  std::string default_model = "offline:/lexical";
};

// Thread-safe. Reads block on storage; writes answer by `done`. Errors are those of the methods in
// protos/assay/registry/v1/judge_registry_service.proto.
class Judges {
 public:
  // Store and clock outlive this and the `done`s of its writes.
  Judges(RegistryStore& store, Clock& clock, JudgesOptions options)
      : store_(store), clock_(clock), options_(std::move(options)) {}

  void Create(const CallContext& context, const v1::CreateJudgeRequest& request,
              Done<v1::CreateJudgeResponse> done);
  absl::StatusOr<v1::GetJudgeResponse> Get(const v1::GetJudgeRequest& request) const;
  absl::StatusOr<v1::ListJudgesResponse> List(const v1::ListJudgesRequest& request) const;
  void CreateRevision(const CallContext& context, const v1::CreateJudgeRevisionRequest& request,
                      Done<v1::CreateJudgeRevisionResponse> done);
  absl::StatusOr<v1::GetJudgeRevisionResponse> GetRevision(
      const v1::GetJudgeRevisionRequest& request) const;
  absl::StatusOr<v1::ListJudgeRevisionsResponse> ListRevisions(
      const v1::ListJudgeRevisionsRequest& request) const;
  void SetAlias(const CallContext& context, const v1::SetJudgeAliasRequest& request,
                Done<v1::SetJudgeAliasResponse> done);
  void DeleteAlias(const CallContext& context, const v1::DeleteJudgeAliasRequest& request,
                   Done<v1::DeleteJudgeAliasResponse> done);

 private:
  // The definition as a revision keeps it: with the default model pinned.
  v1::JudgeDefinition Pinned(v1::JudgeDefinition definition) const;
  v1::JudgeRevision MakeRevision(const names::JudgeName& name, int64_t number,
                                 v1::JudgeDefinition definition, const CallContext& context) const;
  // Fills in `latest_revision`.
  absl::StatusOr<v1::Judge> WithLatest(v1::Judge judge) const;
  template <class Response>
  Done<v1::Judge> AnswerWithJudge(Done<Response> done) const;

  RegistryStore& store_;
  Clock& clock_;
  const JudgesOptions options_;
};

}  // namespace assay::registry

#endif  // ASSAY_SERVICES_REGISTRY_CORE_JUDGES_H_
