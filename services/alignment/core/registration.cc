#include "services/alignment/core/registration.h"

#include <optional>
#include <string>
#include <utility>

#include "common/exec/await.h"
#include "common/json/canonical.h"
#include "common/names/resource_name.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::alignment {
namespace {

using registry::v1::Judge;
using registry::v1::JudgeRevision;

absl::Status CheckRequest(const v1::RegisterAlignmentRequest& request,
                          const v1::Alignment& alignment, const AlignmentResult& result) {
  if (request.alias().empty() || request.force_alias() ||
      result.report.conclusion() == v1::CONCLUSION_GAIN) {
    return absl::OkStatus();
  }
  return MakeError(
      absl::StatusCode::kFailedPrecondition, "NO_EVIDENCE_OF_GAIN",
      StrCat("the report of ", alignment.name(), " says ",
             v1::Conclusion_Name(result.report.conclusion()), ": the alias ", request.alias(),
             " is not set. Register without an alias, collect more labels, or set force_alias"),
      {{"conclusion", v1::Conclusion_Name(result.report.conclusion())},
       {"labels_to_settle", StrCat(result.report.labels_to_settle())}});
}

class Registration {
 public:
  Registration(const CallContext& context, const v1::RegisterAlignmentRequest& request,
               names::AlignmentName name, AlignmentStore& store, RegistryPort& registry)
      : context_(context),
        request_(request),
        name_(std::move(name)),
        store_(store),
        registry_(registry) {}

  absl::StatusOr<v1::RegisterAlignmentResponse> Run() {
    ASSAY_ASSIGN_OR_RETURN(const v1::Alignment alignment, FindFinished());
    ASSAY_ASSIGN_OR_RETURN(const std::optional<AlignmentResult> result, store_.FindResult(name_));
    if (!result.has_value()) return NotFound("report", name_.ToString());
    ASSAY_RETURN_IF_ERROR(CheckRequest(request_, alignment, *result));
    ASSAY_ASSIGN_OR_RETURN(const names::JudgeRevisionName aligned,
                           names::JudgeRevisionName::Parse(alignment.judge_revision()));
    std::optional<std::string> existing;
    if (!alignment.registered_revision().empty()) existing = alignment.registered_revision();
    if (!existing.has_value()) {
      ASSAY_ASSIGN_OR_RETURN(existing, CheckUnchanged(aligned));
    }
    // From here on the request's id stands for this request.
    ASSAY_RETURN_IF_ERROR(Keep(MakeRequestKey(context_, "RegisterAlignment", request_), ""));
    v1::RegisterAlignmentResponse response;
    JudgeRevision& revision = *response.mutable_revision();
    if (existing.has_value()) {
      ASSAY_ASSIGN_OR_RETURN(revision, Await<JudgeRevision>([&](auto done) {
                               registry_.GetRevision(*existing, context_, std::move(done));
                             }));
    } else {
      ASSAY_ASSIGN_OR_RETURN(revision, CreateRevision(aligned, *result));
    }
    if (revision.name() != alignment.registered_revision()) {
      ASSAY_RETURN_IF_ERROR(Keep({}, revision.name()));
    }
    ASSAY_RETURN_IF_ERROR(SetAlias(aligned, revision));
    return response;
  }

 private:
  absl::StatusOr<v1::Alignment> FindFinished() const {
    ASSAY_ASSIGN_OR_RETURN(std::optional<v1::Alignment> alignment, store_.Find(name_));
    if (!alignment.has_value()) return NotFound("alignment", name_.ToString());
    if (alignment->state() != v1::ALIGNMENT_STATE_SUCCEEDED) {
      return PreconditionFailed("ALIGNMENT_NOT_FINISHED", name_.ToString(),
                                StrCat("it has no candidate: its state is ",
                                       v1::AlignmentState_Name(alignment->state())));
    }
    return *std::move(alignment);
  }

  // The revision that an earlier call made and did not live to note down, if there is one.
  absl::StatusOr<std::optional<std::string>> CheckUnchanged(
      const names::JudgeRevisionName& aligned) {
    ASSAY_ASSIGN_OR_RETURN(const Judge judge, Await<Judge>([&](auto done) {
                             registry_.GetJudge(aligned.Judge().ToString(), context_,
                                                std::move(done));
                           }));
    const JudgeRevision& latest = judge.latest_revision();
    if (latest.alignment() == name_.ToString()) return std::optional<std::string>(latest.name());
    if (latest.revision() > aligned.revision && !request_.allow_newer()) {
      return PreconditionFailed(
          "JUDGE_CHANGED", aligned.Judge().ToString(),
          StrCat("revision ", aligned.revision, " was aligned, and the latest is ",
                 latest.revision(), ": align that one, or set allow_newer"));
    }
    return std::nullopt;
  }

  absl::StatusOr<JudgeRevision> CreateRevision(const names::JudgeRevisionName& aligned,
                                               const AlignmentResult& result) {
    // Names are not enough for the id: another store may have had an alignment of the same name.
    ASSAY_ASSIGN_OR_RETURN(const AlignmentInput input, store_.ReadInput(name_));
    registry::v1::CreateJudgeRevisionRequest create;
    create.set_parent(aligned.Judge().ToString());
    *create.mutable_definition() = result.candidate;
    create.set_alignment(name_.ToString());
    create.set_request_id(
        StrCat("alignment-", json::Sha256Hex(StrCat(input.uid, "\nregister")).substr(0, 48)));
    return Await<JudgeRevision>(
        [&](auto done) { registry_.CreateRevision(std::move(create), context_, std::move(done)); });
  }

  absl::Status Keep(RequestKey key, const std::string& revision) {
    return Await<v1::Alignment>([&](auto done) {
             store_.Apply(
                 std::move(key), name_,
                 [revision](const v1::Alignment& current) -> absl::StatusOr<v1::Alignment> {
                   v1::Alignment changed = current;
                   if (!revision.empty()) changed.set_registered_revision(revision);
                   return changed;
                 },
                 std::nullopt, std::move(done));
           })
        .status();
  }

  absl::Status SetAlias(const names::JudgeRevisionName& aligned, const JudgeRevision& revision) {
    if (request_.alias().empty()) return absl::OkStatus();
    registry::v1::SetJudgeAliasRequest set;
    set.set_name(aligned.Judge().ToString());
    set.set_alias(request_.alias());
    set.set_revision(revision.revision());
    return Await<Judge>(
               [&](auto done) { registry_.SetAlias(std::move(set), context_, std::move(done)); })
        .status();
  }

  const CallContext& context_;
  const v1::RegisterAlignmentRequest& request_;
  const names::AlignmentName name_;
  AlignmentStore& store_;
  RegistryPort& registry_;
};

}  // namespace

absl::StatusOr<v1::RegisterAlignmentResponse> RegisterCandidate(
    const CallContext& context, const v1::RegisterAlignmentRequest& request, AlignmentStore& store,
    RegistryPort& registry) {
  ASSAY_ASSIGN_OR_RETURN(names::AlignmentName name, names::AlignmentName::Parse(request.name()));
  if (!request.alias().empty()) ASSAY_RETURN_IF_ERROR(names::CheckAlias(request.alias(), "alias"));
  return Registration(context, request, std::move(name), store, registry).Run();
}

}  // namespace assay::alignment
