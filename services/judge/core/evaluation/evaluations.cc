#include "services/judge/core/evaluation/evaluations.h"

#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/filter/page_token.h"
#include "common/judging/judge_definition.h"
#include "common/names/random_id.h"
#include "common/names/resource_name.h"
#include "common/proto/time.h"
#include "common/request/request_key.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/core/calls/outer_call.h"

namespace assay::judge {
namespace {

using ::assay::storage::v1::EvaluationRecord;

// A page ends early above this, so that answers stay below gRPC's limit.
constexpr size_t kMaxPageBytes = 2 << 20;

std::string ModelField(const v1::EvaluationJudge& judge, int index) {
  return StrCat("spec.judges[", index, "]",
                judge.has_definition() ? ".definition.model" : ".registered");
}

// A scorer that appended rows to the evaluation that asks it would never come to an end.
absl::Status CheckAppending(const CallContext& context, const names::EvaluationName& name,
                            const EvaluationRecord& record) {
  ASSAY_RETURN_IF_ERROR(
      CheckOuterCall(context, names::ExperimentName{name.experiment}.ToString(), "name"));
  if (context.depth <= record.depth()) return absl::OkStatus();
  return InvalidField("name",
                      "must be an evaluation that was created at this depth: a scorer appends no "
                      "rows to those that it is a part of",
                      "NESTED_EVALUATION_MISMATCH");
}

v1::EvaluationRowResult AnsweredRow(StoredRow row) {
  v1::EvaluationRowResult answered;
  if (row.result.has_value()) answered = *std::move(row.result);
  answered.set_row(row.index);
  if (row.row.has_inputs()) *answered.mutable_inputs() = std::move(*row.row.mutable_inputs());
  if (row.row.has_outputs()) *answered.mutable_outputs() = std::move(*row.row.mutable_outputs());
  if (answered.trace().empty()) answered.set_trace(row.row.trace());
  return answered;
}

}  // namespace

struct Evaluations::Creation {
  CallContext context;
  v1::CreateEvaluationRequest request;
  EvaluationRecord record;
  std::vector<v1::EvaluationRow> rows;
  Done<v1::CreateEvaluationResponse> done;
};

void Evaluations::Create(const CallContext& context, const v1::CreateEvaluationRequest& request,
                         Done<v1::CreateEvaluationResponse> done) {
  auto creation = std::make_shared<Creation>();
  absl::StatusOr<names::ExperimentName> parent =
      names::ExperimentName::Parse(request.parent(), "parent");
  if (!parent.ok()) return std::move(done)(parent.status());
  absl::Status outer = CheckOuterCall(context, request.parent(), "parent");
  if (!outer.ok()) return std::move(done)(outer);
  if (!request.evaluation_id().empty()) {
    absl::Status slug = names::CheckSlug(request.evaluation_id(), "evaluation_id");
    if (!slug.ok()) return std::move(done)(slug);
  }
  absl::StatusOr<v1::EvaluationSpec> spec = CheckedSpec(request.spec(), rules_.address);
  if (!spec.ok()) return std::move(done)(spec.status());
  absl::StatusOr<std::vector<v1::EvaluationRow>> rows =
      CheckedRows(request.rows(), *parent, spec->has_predictor());
  if (!rows.ok()) return std::move(done)(rows.status());
  if (rows->empty() && !request.rows_open()) {
    return std::move(done)(InvalidField("rows", "at least one is required, or rows_open"));
  }
  const std::string id =
      request.evaluation_id().empty() ? names::RandomId("eval") : request.evaluation_id();
  EvaluationRecord& record = creation->record;
  record.set_schema_version(1);
  record.set_uid(names::RandomId());
  record.set_principal(context.principal);
  record.set_depth(context.depth);
  record.set_rows_total(static_cast<int64_t>(rows->size()));
  record.set_rows_closed(!request.rows_open());
  v1::Evaluation& evaluation = *record.mutable_evaluation();
  evaluation.set_name(names::EvaluationName{parent->experiment, id}.ToString());
  evaluation.set_state(v1::EVALUATION_STATE_RUNNING);
  *evaluation.mutable_create_time() = proto::ToTimestamp(clock_.Now());
  *evaluation.mutable_spec() = *std::move(spec);
  creation->context = context;
  creation->request = request;
  creation->rows = *std::move(rows);
  creation->done = std::move(done);
  ResolveNext(std::move(creation), 0);
}

void Evaluations::ResolveNext(std::shared_ptr<Creation> creation, int index) {
  const v1::EvaluationSpec& spec = creation->record.evaluation().spec();
  if (index == spec.judges_size()) return Insert(std::move(creation));
  const v1::EvaluationJudge& judge = spec.judges(index);
  if (judge.has_definition()) {
    absl::StatusOr<ResolvedJudge> resolved = JudgeResolver::Inline(
        judge.definition(), judge.assessment_name(), StrCat("spec.judges[", index, "].definition"));
    return TakeJudge(creation, index, std::move(resolved));
  }
  resolver_.Registered(judge.registered(), judge.assessment_name(), creation->context,
                       [this, creation, index](absl::StatusOr<ResolvedJudge> resolved) {
                         TakeJudge(creation, index, std::move(resolved));
                       });
}

void Evaluations::TakeJudge(const std::shared_ptr<Creation>& creation, int index,
                            absl::StatusOr<ResolvedJudge> resolved) {
  if (!resolved.ok()) return std::move(creation->done)(resolved.status());
  EvaluationRecord& record = creation->record;
  v1::EvaluationJudge& judge = *record.mutable_evaluation()->mutable_spec()->mutable_judges(index);
  absl::Status callable = rules_.model(resolved->definition->model());
  if (!callable.ok()) {
    return std::move(creation->done)(PrefixError(ModelField(judge, index), callable));
  }
  // From here on the revision is what is evaluated, wherever an alias moves to.
  if (!resolved->revision.empty()) judge.set_registered(resolved->revision);
  (*record.mutable_value_types())[judge.assessment_name()] =
      judging::EffectiveValueType(*resolved->definition);
  ResolveNext(creation, index + 1);
}

void Evaluations::Insert(std::shared_ptr<Creation> creation) {
  RequestKey key = MakeRequestKey(creation->context, "CreateEvaluation", creation->request);
  store_.Insert(
      std::move(key), std::move(creation->record), std::move(creation->rows),
      [this, done = std::move(creation->done)](absl::StatusOr<EvaluationRecord> record) mutable {
        if (!record.ok()) return std::move(done)(record.status());
        absl::StatusOr<names::EvaluationName> name =
            names::EvaluationName::Parse(record->evaluation().name());
        absl::StatusOr<v1::Evaluation> evaluation = reader_.Complete(*record);
        if (!name.ok() || !evaluation.ok()) {
          return std::move(done)(name.ok() ? evaluation.status() : name.status());
        }
        jobs_.Kick(*name);
        v1::CreateEvaluationResponse response;
        *response.mutable_evaluation() = *std::move(evaluation);
        std::move(done)(std::move(response));
      });
}

void Evaluations::AppendRows(const CallContext& context,
                             const v1::AppendEvaluationRowsRequest& request,
                             Done<v1::AppendEvaluationRowsResponse> done) {
  absl::StatusOr<names::EvaluationName> name = names::EvaluationName::Parse(request.name());
  if (!name.ok()) return std::move(done)(name.status());
  absl::StatusOr<EvaluationRecord> record = reader_.Require(*name);
  if (!record.ok()) return std::move(done)(record.status());
  absl::Status outer = CheckAppending(context, *name, *record);
  if (!outer.ok()) return std::move(done)(outer);
  absl::StatusOr<std::vector<v1::EvaluationRow>> rows =
      CheckedRows(request.rows(), names::ExperimentName{name->experiment},
                  record->evaluation().spec().has_predictor());
  if (!rows.ok()) return std::move(done)(rows.status());
  RequestKey key = MakeRequestKey(context, "AppendEvaluationRows", request);
  store_.AppendRows(
      std::move(key), *name, *std::move(rows), request.last(),
      [this, name = *name, done = std::move(done)](absl::StatusOr<int64_t> rows_total) mutable {
        if (!rows_total.ok()) return std::move(done)(rows_total.status());
        jobs_.Kick(name);
        v1::AppendEvaluationRowsResponse response;
        response.set_rows_total(*rows_total);
        std::move(done)(std::move(response));
      });
}

absl::StatusOr<v1::GetEvaluationResponse> Evaluations::Get(
    const v1::GetEvaluationRequest& request) const {
  ASSAY_ASSIGN_OR_RETURN(names::EvaluationName name, names::EvaluationName::Parse(request.name()));
  v1::GetEvaluationResponse response;
  ASSAY_ASSIGN_OR_RETURN(*response.mutable_evaluation(), reader_.Read(name));
  return response;
}

absl::StatusOr<v1::ListEvaluationsResponse> Evaluations::List(
    const v1::ListEvaluationsRequest& request) const {
  ASSAY_ASSIGN_OR_RETURN(names::ExperimentName parent,
                         names::ExperimentName::Parse(request.parent(), "parent"));
  ASSAY_ASSIGN_OR_RETURN(const int page_size, filter::EffectivePageSize(request.page_size()));
  const filter::PageScope scope{"ListEvaluations", request.parent(), "", ""};
  ASSAY_ASSIGN_OR_RETURN(std::string cursor, filter::DecodePageToken(scope, request.page_token()));
  v1::ListEvaluationsResponse response;
  size_t bytes = 0;
  // A scan may give fewer than it was asked for: only an empty one is the end.
  while (true) {
    ASSAY_ASSIGN_OR_RETURN(
        std::vector<EvaluationRecord> records,
        store_.List(parent.experiment, cursor, page_size + 1 - response.evaluations_size()));
    if (records.empty()) return response;
    for (const EvaluationRecord& record : records) {
      if (response.evaluations_size() == page_size || bytes > kMaxPageBytes) {
        response.set_next_page_token(filter::EncodePageToken(scope, cursor));
        return response;
      }
      ASSAY_ASSIGN_OR_RETURN(names::EvaluationName name,
                             names::EvaluationName::Parse(record.evaluation().name()));
      cursor = name.evaluation;
      ASSAY_ASSIGN_OR_RETURN(*response.add_evaluations(), reader_.Complete(record));
      bytes += response.evaluations(response.evaluations_size() - 1).ByteSizeLong();
    }
  }
}

absl::StatusOr<v1::ListEvaluationRowsResponse> Evaluations::ListRows(
    const v1::ListEvaluationRowsRequest& request) const {
  ASSAY_ASSIGN_OR_RETURN(names::EvaluationName parent,
                         names::EvaluationName::Parse(request.parent(), "parent"));
  ASSAY_ASSIGN_OR_RETURN(const int page_size, filter::EffectivePageSize(request.page_size()));
  const filter::PageScope scope{"ListEvaluationRows", request.parent(), "", ""};
  ASSAY_ASSIGN_OR_RETURN(std::string cursor, filter::DecodePageToken(scope, request.page_token()));
  int64_t next = 0;
  const auto [end, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), next);
  if (!cursor.empty() && (error != std::errc() || end != cursor.data() + cursor.size())) {
    return InvalidField("page_token", "it is damaged", "INVALID_PAGE_TOKEN");
  }
  ASSAY_ASSIGN_OR_RETURN(EvaluationRecord record, reader_.Require(parent));
  v1::ListEvaluationRowsResponse response;
  size_t bytes = 0;
  while (true) {
    ASSAY_ASSIGN_OR_RETURN(
        std::vector<StoredRow> rows,
        store_.ReadRows(record.uid(), next, page_size + 1 - response.rows_size()));
    if (rows.empty()) return response;
    for (StoredRow& row : rows) {
      if (response.rows_size() == page_size || bytes > kMaxPageBytes) {
        response.set_next_page_token(filter::EncodePageToken(scope, StrCat(next)));
        return response;
      }
      next = row.index + 1;
      *response.add_rows() = AnsweredRow(std::move(row));
      bytes += response.rows(response.rows_size() - 1).ByteSizeLong();
    }
  }
}

void Evaluations::Cancel(const CallContext& context, const v1::CancelEvaluationRequest& request,
                         Done<v1::CancelEvaluationResponse> done) {
  absl::StatusOr<names::EvaluationName> name = names::EvaluationName::Parse(request.name());
  if (!name.ok()) return std::move(done)(name.status());
  EvaluationEnd end;
  end.state = v1::EVALUATION_STATE_CANCELLED;
  end.time = clock_.Now();
  store_.End(*name, std::move(end),
             [this, name = *name,
              done = std::move(done)](absl::StatusOr<EvaluationRecord> record) mutable {
               if (!record.ok()) return std::move(done)(record.status());
               jobs_.Interrupt(name);
               jobs_.Kick(name);  // It removes the journal.
               jobs_.Ended(record->uid());
               absl::StatusOr<v1::Evaluation> evaluation = reader_.Complete(*record);
               if (!evaluation.ok()) return std::move(done)(evaluation.status());
               v1::CancelEvaluationResponse response;
               *response.mutable_evaluation() = *std::move(evaluation);
               std::move(done)(std::move(response));
             });
}

}  // namespace assay::judge
