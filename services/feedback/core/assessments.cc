#include "services/feedback/core/assessments.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "common/names/random_id.h"
#include "common/names/resource_name.h"
#include "common/proto/time.h"
#include "common/read_token/read_token.h"
#include "common/request/etag.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/feedback/core/assessment_update.h"
#include "services/feedback/core/assessment_validation.h"
#include "services/feedback/core/override_chain.h"
#include "services/feedback/core/problems.h"

namespace assay::feedback {
namespace {

// Names the first assessment whose trace is missing.
absl::Status MissingTrace(const std::vector<std::string>& missing,
                          const std::vector<v1::Assessment>& assessments,
                          const std::vector<std::string>& fields) {
  for (size_t i = 0; i < assessments.size(); ++i) {
    const std::string& trace = assessments[i].target().trace();
    if (std::find(missing.begin(), missing.end(), trace) == missing.end()) continue;
    return AddErrorMetadata(NotFound("trace", trace), "field", StrCat(fields[i], ".target.trace"));
  }
  return NotFound("trace", missing.front());
}

absl::StatusOr<std::vector<v1::Assessment>> KeptBatch(
    const names::ExperimentName& parent, const v1::BatchCreateAssessmentsRequest& request) {
  if (request.assessments().empty() || request.assessments_size() > kMaxBatchAssessments) {
    return InvalidField("assessments", StrCat("has ", request.assessments_size(), " entries; 1 to ",
                                              kMaxBatchAssessments, " are allowed"));
  }
  Problems problems;
  std::vector<v1::Assessment> kept;
  kept.reserve(static_cast<size_t>(request.assessments_size()));
  for (int i = 0; i < request.assessments_size(); ++i) {
    const std::string field = StrCat("assessments[", i, "]");
    absl::StatusOr<v1::Assessment> one = KeptAssessment(parent, request.assessments(i), field);
    problems.Add(field, one.status());
    if (one.ok()) kept.push_back(*std::move(one));
  }
  ASSAY_RETURN_IF_ERROR(problems.ToStatus());
  return kept;
}

absl::Status CheckIds(const v1::BatchCreateAssessmentsRequest& request) {
  const int count = request.assessment_ids_size();
  if (count == 0) {
    if (!request.keep_existing()) return absl::OkStatus();
    return InvalidField("assessment_ids", "are required with keep_existing");
  }
  if (count != request.assessments_size()) {
    return InvalidField("assessment_ids",
                        StrCat("has ", count, " entries; either none or one for each of the ",
                               request.assessments_size(), " assessments is allowed"));
  }
  std::set<std::string_view> seen;
  for (int i = 0; i < count; ++i) {
    const std::string field = StrCat("assessment_ids[", i, "]");
    ASSAY_RETURN_IF_ERROR(names::CheckSlug(request.assessment_ids(i), field));
    if (!seen.insert(request.assessment_ids(i)).second) {
      return InvalidField(field, "is the id of another assessment of the batch");
    }
  }
  return absl::OkStatus();
}

// The feedback that overrides, without what it takes over.
absl::StatusOr<v1::Assessment> KeptSuccessor(const v1::OverrideFeedbackRequest& request) {
  v1::Assessment kept;
  Problems problems;
  absl::StatusOr<common::v1::Source> source = KeptSource(request.source(), "source");
  problems.Add("source", source.status());
  absl::StatusOr<common::v1::Feedback> feedback =
      KeptFeedback(request.feedback(), request.source().kind(), "feedback");
  problems.Add("feedback", feedback.status());
  problems.Add("metadata", CheckMetadata(request.metadata(), "metadata"));
  ASSAY_RETURN_IF_ERROR(problems.ToStatus());
  *kept.mutable_source() = *std::move(source);
  *kept.mutable_feedback() = *std::move(feedback);
  *kept.mutable_metadata() = request.metadata();
  return kept;
}

}  // namespace

std::string Assessments::ReadTokenOf(const Written& written) const {
  if (written.sequence == 0) return "";
  return EncodeReadToken({store_.StoreId(), written.sequence});
}

template <class Response>
Done<Written> Assessments::AnswerWithAssessment(Done<Response> done) const {
  return [this, done = std::move(done)](absl::StatusOr<Written> written) mutable {
    if (!written.ok()) return std::move(done)(written.status());
    Response response;
    *response.mutable_assessment() = std::move(written->assessments.front());
    response.set_read_token(ReadTokenOf(*written));
    std::move(done)(std::move(response));
  };
}

void Assessments::Stamp(const CallContext& context, const std::string& experiment, std::string id,
                        v1::Assessment* assessment) const {
  if (id.empty()) id = names::RandomId("a");
  assessment->set_name(names::AssessmentName{experiment, id}.ToString());
  assessment->set_valid(true);
  assessment->set_create_principal(context.principal);
  *assessment->mutable_create_time() = proto::ToTimestamp(clock_.Now());
  *assessment->mutable_update_time() = assessment->create_time();
  assessment->set_etag(FirstEtag(id));
}

void Assessments::InsertIfTracesExist(const CallContext& context, RequestKey key,
                                      std::vector<v1::Assessment> assessments,
                                      std::vector<std::string> fields,
                                      FeedbackStore::IfTaken if_taken, Done<Written> done) {
  std::set<std::string> traces;
  for (const v1::Assessment& assessment : assessments) traces.insert(assessment.target().trace());
  traces_.FindMissing(
      {traces.begin(), traces.end()}, context,
      [this, key = std::move(key), assessments = std::move(assessments), fields = std::move(fields),
       if_taken, done = std::move(done)](absl::StatusOr<std::vector<std::string>> missing) mutable {
        if (!missing.ok()) return std::move(done)(missing.status());
        if (!missing->empty()) return std::move(done)(MissingTrace(*missing, assessments, fields));
        store_.Insert(std::move(key), std::move(assessments), if_taken, std::move(done));
      });
}

void Assessments::Create(const CallContext& context, const v1::CreateAssessmentRequest& request,
                         Done<v1::CreateAssessmentResponse> done) {
  absl::StatusOr<names::ExperimentName> parent =
      names::ExperimentName::Parse(request.parent(), "parent");
  absl::Status valid = parent.status();
  if (valid.ok() && !request.assessment_id().empty()) {
    valid = names::CheckSlug(request.assessment_id(), "assessment_id");
  }
  if (valid.ok() && !request.has_assessment()) valid = InvalidField("assessment", "is required");
  if (!valid.ok()) return std::move(done)(valid);
  absl::StatusOr<v1::Assessment> kept = KeptAssessment(*parent, request.assessment(), "assessment");
  if (!kept.ok()) return std::move(done)(kept.status());
  Stamp(context, parent->experiment, request.assessment_id(), &*kept);
  InsertIfTracesExist(context, MakeRequestKey(context, "CreateAssessment", request),
                      {*std::move(kept)}, {"assessment"}, FeedbackStore::IfTaken::kRefuse,
                      AnswerWithAssessment(std::move(done)));
}

void Assessments::BatchCreate(const CallContext& context,
                              const v1::BatchCreateAssessmentsRequest& request,
                              Done<v1::BatchCreateAssessmentsResponse> done) {
  absl::StatusOr<names::ExperimentName> parent =
      names::ExperimentName::Parse(request.parent(), "parent");
  if (!parent.ok()) return std::move(done)(parent.status());
  absl::StatusOr<std::vector<v1::Assessment>> kept = KeptBatch(*parent, request);
  if (!kept.ok()) return std::move(done)(kept.status());
  if (absl::Status ids = CheckIds(request); !ids.ok()) return std::move(done)(std::move(ids));
  std::vector<std::string> fields;
  for (size_t i = 0; i < kept->size(); ++i) {
    const bool has_id = !request.assessment_ids().empty();
    Stamp(context, parent->experiment,
          has_id ? request.assessment_ids(static_cast<int>(i)) : std::string(), &(*kept)[i]);
    fields.push_back(StrCat("assessments[", i, "]"));
  }
  InsertIfTracesExist(
      context, MakeRequestKey(context, "BatchCreateAssessments", request), *std::move(kept),
      std::move(fields),
      request.keep_existing() ? FeedbackStore::IfTaken::kKeep : FeedbackStore::IfTaken::kRefuse,
      [this, names_only = request.names_only(),
       done = std::move(done)](absl::StatusOr<Written> written) mutable {
        if (!written.ok()) return std::move(done)(written.status());
        v1::BatchCreateAssessmentsResponse response;
        for (v1::Assessment& assessment : written->assessments) {
          if (names_only) {
            response.add_assessments()->set_name(std::move(*assessment.mutable_name()));
          } else {
            *response.add_assessments() = std::move(assessment);
          }
        }
        response.set_read_token(ReadTokenOf(*written));
        std::move(done)(std::move(response));
      });
}

absl::StatusOr<v1::GetAssessmentResponse> Assessments::Get(
    const v1::GetAssessmentRequest& request) const {
  ASSAY_ASSIGN_OR_RETURN(const names::AssessmentName name,
                         names::AssessmentName::Parse(request.name()));
  ASSAY_ASSIGN_OR_RETURN(std::optional<v1::Assessment> assessment, store_.Find(name));
  if (!assessment.has_value()) return NotFound("assessment", request.name());
  v1::GetAssessmentResponse response;
  *response.mutable_assessment() = *std::move(assessment);
  return response;
}

void Assessments::Update(const CallContext& context, const v1::UpdateAssessmentRequest& request,
                         Done<v1::UpdateAssessmentResponse> done) {
  absl::StatusOr<names::AssessmentName> name = names::AssessmentName::Parse(request.name());
  absl::Status valid = name.status();
  if (valid.ok()) valid = CheckUpdate(request);
  if (!valid.ok()) return std::move(done)(valid);
  store_.ChangeOne(
      MakeRequestKey(context, "UpdateAssessment", request), *std::move(name),
      [request, now = clock_.Now()](const v1::Assessment& current) {
        return UpdatedAssessment(current, request, now);
      },
      AnswerWithAssessment(std::move(done)));
}

void Assessments::Override(const CallContext& context, const v1::OverrideFeedbackRequest& request,
                           Done<v1::OverrideFeedbackResponse> done) {
  absl::StatusOr<names::AssessmentName> name = names::AssessmentName::Parse(request.name());
  if (!name.ok()) return std::move(done)(name.status());
  absl::StatusOr<v1::Assessment> successor = KeptSuccessor(request);
  if (!successor.ok()) return std::move(done)(successor.status());
  Stamp(context, name->experiment, "", &*successor);
  store_.OverrideOne(
      MakeRequestKey(context, "OverrideFeedback", request), *std::move(name),
      [successor = *std::move(successor), now = clock_.Now()](const v1::Assessment& current) {
        return OverrideWith(current, successor, now);
      },
      AnswerWithAssessment(std::move(done)));
}

void Assessments::Delete(const CallContext& context, const v1::DeleteAssessmentRequest& request,
                         Done<v1::DeleteAssessmentResponse> done) {
  absl::StatusOr<names::AssessmentName> name = names::AssessmentName::Parse(request.name());
  if (!name.ok()) return std::move(done)(name.status());
  store_.DeleteOne(
      MakeRequestKey(context, "DeleteAssessment", request), *std::move(name),
      [etag = request.etag(), now = clock_.Now()](
          const v1::Assessment& current, FeedbackStore::Neighbours& neighbours) -> absl::Status {
        ASSAY_RETURN_IF_ERROR(CheckEtag(etag, current.etag(), current.name()));
        UnlinkFromChain(current, now, neighbours);
        return absl::OkStatus();
      },
      [this, done = std::move(done)](absl::StatusOr<Written> written) mutable {
        if (!written.ok()) return std::move(done)(written.status());
        v1::DeleteAssessmentResponse response;
        response.set_read_token(ReadTokenOf(*written));
        std::move(done)(std::move(response));
      });
}

}  // namespace assay::feedback
