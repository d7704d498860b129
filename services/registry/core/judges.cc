#include "services/registry/core/judges.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "common/filter/page_token.h"
#include "common/judging/judge_definition.h"
#include "common/names/random_id.h"
#include "common/names/resource_name.h"
#include "common/proto/time.h"
#include "common/request/etag.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::registry {
namespace {

constexpr std::string_view kLatest = "latest";
constexpr size_t kMaxAliases = 100;
// A page of definitions stays under the size of a message.
constexpr size_t kMaxPageBytes = 3 << 20;

int64_t LatestNumber(const v1::Judge& judge) { return judge.aliases().at(std::string(kLatest)); }

absl::StatusOr<int64_t> ResolveRevision(const v1::Judge& judge, const names::JudgeRef& ref) {
  if (ref.revision.has_value()) return *ref.revision;
  auto alias = judge.aliases().find(ref.alias);
  if (alias == judge.aliases().end()) return NotFound("alias", ref.ToString(), "UNKNOWN_ALIAS");
  return alias->second;
}

}  // namespace

v1::JudgeDefinition Judges::Pinned(v1::JudgeDefinition definition) const {
  if (definition.model().empty()) definition.set_model(options_.default_model);
  return definition;
}

v1::JudgeRevision Judges::MakeRevision(const names::JudgeName& name, int64_t number,
                                       v1::JudgeDefinition definition,
                                       const CallContext& context) const {
  v1::JudgeRevision revision;
  revision.set_name(names::JudgeRevisionName{name.experiment, name.judge, number}.ToString());
  revision.set_revision(number);
  *revision.mutable_definition() = std::move(definition);
  revision.set_create_principal(context.principal);
  *revision.mutable_create_time() = proto::ToTimestamp(clock_.Now());
  return revision;
}

absl::StatusOr<v1::Judge> Judges::WithLatest(v1::Judge judge) const {
  ASSAY_ASSIGN_OR_RETURN(names::JudgeName name, names::JudgeName::Parse(judge.name()));
  ASSAY_ASSIGN_OR_RETURN(std::optional<v1::JudgeRevision> latest,
                         store_.FindRevision(name, LatestNumber(judge)));
  if (!latest.has_value()) return NotFound("revision", judge.name(), "UNKNOWN_REVISION");
  *judge.mutable_latest_revision() = *std::move(latest);
  return judge;
}

template <class Response>
Done<v1::Judge> Judges::AnswerWithJudge(Done<Response> done) const {
  return [this, done = std::move(done)](absl::StatusOr<v1::Judge> judge) mutable {
    if (judge.ok()) judge = WithLatest(*std::move(judge));
    if (!judge.ok()) return std::move(done)(judge.status());
    Response response;
    *response.mutable_judge() = *std::move(judge);
    std::move(done)(std::move(response));
  };
}

void Judges::Create(const CallContext& context, const v1::CreateJudgeRequest& request,
                    Done<v1::CreateJudgeResponse> done) {
  absl::StatusOr<names::ExperimentName> experiment =
      names::ExperimentName::Parse(request.parent(), "parent");
  absl::Status valid = experiment.status();
  if (valid.ok()) valid = names::CheckSlug(request.judge_id(), "judge_id");
  if (valid.ok()) valid = judging::ValidateJudgeDefinition(request.definition(), "definition");
  if (!valid.ok()) return std::move(done)(valid);
  const names::JudgeName name{experiment->experiment, request.judge_id()};
  v1::JudgeRevision first = MakeRevision(name, 1, Pinned(request.definition()), context);
  v1::Judge judge;
  judge.set_name(name.ToString());
  judge.set_uid(names::RandomId());
  (*judge.mutable_aliases())[std::string(kLatest)] = 1;
  judge.set_create_principal(context.principal);
  *judge.mutable_create_time() = first.create_time();
  *judge.mutable_update_time() = first.create_time();
  judge.set_etag(FirstEtag(judge.uid()));
  store_.InsertJudge(MakeRequestKey(context, "CreateJudge", request), std::move(judge),
                     std::move(first), AnswerWithJudge(std::move(done)));
}

absl::StatusOr<v1::GetJudgeResponse> Judges::Get(const v1::GetJudgeRequest& request) const {
  ASSAY_ASSIGN_OR_RETURN(names::JudgeName name, names::JudgeName::Parse(request.name()));
  ASSAY_ASSIGN_OR_RETURN(std::optional<v1::Judge> judge, store_.FindJudge(name));
  if (!judge.has_value()) return NotFound("judge", request.name());
  v1::GetJudgeResponse response;
  ASSAY_ASSIGN_OR_RETURN(*response.mutable_judge(), WithLatest(*std::move(judge)));
  return response;
}

absl::StatusOr<v1::ListJudgesResponse> Judges::List(const v1::ListJudgesRequest& request) const {
  ASSAY_ASSIGN_OR_RETURN(names::ExperimentName parent,
                         names::ExperimentName::Parse(request.parent(), "parent"));
  ASSAY_ASSIGN_OR_RETURN(const int page_size, filter::EffectivePageSize(request.page_size()));
  const filter::PageScope scope{"ListJudges", request.parent(), "", ""};
  ASSAY_ASSIGN_OR_RETURN(std::string cursor, filter::DecodePageToken(scope, request.page_token()));
  ASSAY_ASSIGN_OR_RETURN(std::vector<v1::Judge> judges,
                         store_.ListJudges(parent.experiment, cursor, page_size + 1));
  v1::ListJudgesResponse response;
  size_t bytes = 0;
  for (v1::Judge& judge : judges) {
    if (response.judges_size() == page_size || bytes > kMaxPageBytes) {
      response.set_next_page_token(filter::EncodePageToken(scope, cursor));
      break;
    }
    ASSAY_ASSIGN_OR_RETURN(names::JudgeName name, names::JudgeName::Parse(judge.name()));
    cursor = name.judge;
    ASSAY_ASSIGN_OR_RETURN(v1::Judge whole, WithLatest(std::move(judge)));
    whole.mutable_latest_revision()->mutable_definition()->clear_memory();
    bytes += whole.ByteSizeLong();
    *response.add_judges() = std::move(whole);
  }
  return response;
}

void Judges::CreateRevision(const CallContext& context,
                            const v1::CreateJudgeRevisionRequest& request,
                            Done<v1::CreateJudgeRevisionResponse> done) {
  absl::StatusOr<names::JudgeName> name = names::JudgeName::Parse(request.parent(), "parent");
  absl::Status valid = name.status();
  if (valid.ok()) valid = judging::ValidateJudgeDefinition(request.definition(), "definition");
  if (valid.ok() && !request.alignment().empty()) {
    valid = names::AlignmentName::Parse(request.alignment(), "alignment").status();
  }
  if (!valid.ok()) return std::move(done)(valid);
  auto next = [this, context, request, name = *name](
                  const v1::Judge& judge, int64_t number) -> absl::StatusOr<v1::JudgeRevision> {
    ASSAY_RETURN_IF_ERROR(CheckEtag(request.etag(), judge.etag(), judge.name()));
    v1::JudgeRevision revision = MakeRevision(name, number, Pinned(request.definition()), context);
    revision.set_alignment(request.alignment());
    return revision;
  };
  store_.AppendRevision(
      MakeRequestKey(context, "CreateJudgeRevision", request), *std::move(name), std::move(next),
      [done = std::move(done)](absl::StatusOr<v1::JudgeRevision> revision) mutable {
        if (!revision.ok()) return std::move(done)(revision.status());
        v1::CreateJudgeRevisionResponse response;
        *response.mutable_revision() = *std::move(revision);
        std::move(done)(std::move(response));
      });
}

absl::StatusOr<v1::GetJudgeRevisionResponse> Judges::GetRevision(
    const v1::GetJudgeRevisionRequest& request) const {
  ASSAY_ASSIGN_OR_RETURN(names::JudgeRef ref, names::JudgeRef::Parse(request.name(), "name"));
  ASSAY_ASSIGN_OR_RETURN(std::optional<v1::Judge> judge, store_.FindJudge(ref.Judge()));
  if (!judge.has_value()) return NotFound("judge", ref.Judge().ToString());
  ASSAY_ASSIGN_OR_RETURN(const int64_t number, ResolveRevision(*judge, ref));
  ASSAY_ASSIGN_OR_RETURN(std::optional<v1::JudgeRevision> revision,
                         store_.FindRevision(ref.Judge(), number));
  if (!revision.has_value()) return NotFound("revision", ref.ToString(), "UNKNOWN_REVISION");
  v1::GetJudgeRevisionResponse response;
  *response.mutable_revision() = *std::move(revision);
  return response;
}

absl::StatusOr<v1::ListJudgeRevisionsResponse> Judges::ListRevisions(
    const v1::ListJudgeRevisionsRequest& request) const {
  ASSAY_ASSIGN_OR_RETURN(names::JudgeName name,
                         names::JudgeName::Parse(request.parent(), "parent"));
  ASSAY_ASSIGN_OR_RETURN(const int page_size, filter::EffectivePageSize(request.page_size()));
  const filter::PageScope scope{"ListJudgeRevisions", request.parent(), "", ""};
  ASSAY_ASSIGN_OR_RETURN(std::string cursor, filter::DecodePageToken(scope, request.page_token()));
  int64_t before = 0;
  if (!cursor.empty() && !absl::SimpleAtoi(cursor, &before)) {
    return InvalidField("page_token", "it is damaged", "INVALID_PAGE_TOKEN");
  }
  ASSAY_ASSIGN_OR_RETURN(std::optional<v1::Judge> judge, store_.FindJudge(name));
  if (!judge.has_value()) return NotFound("judge", request.parent());
  ASSAY_ASSIGN_OR_RETURN(std::vector<v1::JudgeRevision> revisions,
                         store_.ListRevisions(name, before, page_size + 1));
  v1::ListJudgeRevisionsResponse response;
  size_t bytes = 0;
  for (v1::JudgeRevision& revision : revisions) {
    if (response.revisions_size() == page_size || bytes > kMaxPageBytes) {
      response.set_next_page_token(filter::EncodePageToken(scope, StrCat(before)));
      break;
    }
    before = revision.revision();
    bytes += revision.ByteSizeLong();
    *response.add_revisions() = std::move(revision);
  }
  return response;
}

void Judges::SetAlias(const CallContext& context, const v1::SetJudgeAliasRequest& request,
                      Done<v1::SetJudgeAliasResponse> done) {
  absl::StatusOr<names::JudgeName> name = names::JudgeName::Parse(request.name());
  absl::Status valid = name.status();
  if (valid.ok()) valid = names::CheckAlias(request.alias(), "alias");
  if (!valid.ok()) return std::move(done)(valid);
  auto change = [request,
                 now = clock_.Now()](const v1::Judge& current) -> absl::StatusOr<v1::Judge> {
    ASSAY_RETURN_IF_ERROR(CheckEtag(request.etag(), current.etag(), current.name()));
    if (request.revision() < 1 || request.revision() > LatestNumber(current)) {
      return NotFound("revision", StrCat(current.name(), "/revisions/", request.revision()),
                      "UNKNOWN_REVISION");
    }
    v1::Judge changed = current;
    (*changed.mutable_aliases())[request.alias()] = request.revision();
    if (static_cast<size_t>(changed.aliases_size()) > kMaxAliases) {
      return InvalidField("alias", StrCat("a judge has at most ", kMaxAliases, " aliases"));
    }
    *changed.mutable_update_time() = proto::ToTimestamp(now);
    changed.set_etag(NextEtag(current.etag()));
    return changed;
  };
  store_.ChangeJudge(MakeRequestKey(context, "SetJudgeAlias", request), *std::move(name),
                     std::move(change), AnswerWithJudge(std::move(done)));
}

void Judges::DeleteAlias(const CallContext& context, const v1::DeleteJudgeAliasRequest& request,
                         Done<v1::DeleteJudgeAliasResponse> done) {
  absl::StatusOr<names::JudgeName> name = names::JudgeName::Parse(request.name());
  absl::Status valid = name.status();
  if (valid.ok()) valid = names::CheckAlias(request.alias(), "alias");
  if (!valid.ok()) return std::move(done)(valid);
  auto change = [request,
                 now = clock_.Now()](const v1::Judge& current) -> absl::StatusOr<v1::Judge> {
    ASSAY_RETURN_IF_ERROR(CheckEtag(request.etag(), current.etag(), current.name()));
    v1::Judge changed = current;
    if (changed.mutable_aliases()->erase(request.alias()) == 0) {
      return NotFound("alias", StrCat(current.name(), "@", request.alias()), "UNKNOWN_ALIAS");
    }
    *changed.mutable_update_time() = proto::ToTimestamp(now);
    changed.set_etag(NextEtag(current.etag()));
    return changed;
  };
  store_.ChangeJudge(MakeRequestKey(context, "DeleteJudgeAlias", request), *std::move(name),
                     std::move(change), AnswerWithJudge(std::move(done)));
}

}  // namespace assay::registry
