#include "services/registry/core/experiments.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/filter/filter.h"
#include "common/filter/page_token.h"
#include "common/json/utf8.h"
#include "common/names/random_id.h"
#include "common/names/resource_name.h"
#include "common/proto/time.h"
#include "common/request/etag.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::registry {
namespace {

constexpr size_t kMaxDisplayNameChars = 250;
constexpr size_t kMaxTagKeyChars = 250;
constexpr size_t kMaxTagValueChars = 4096;
constexpr int kMaxTags = 100;
// A page reads at most this many experiments in search of those that match.
constexpr int kMaxScanned = 10'000;

absl::Status CheckExperiment(const v1::Experiment& experiment) {
  FieldErrors errors;
  if (json::CountChars(experiment.display_name()) > kMaxDisplayNameChars) {
    errors.Add("experiment.display_name",
               StrCat("at most ", kMaxDisplayNameChars, " characters are allowed"));
  }
  if (experiment.tags_size() > kMaxTags) {
    errors.Add("experiment.tags", StrCat("at most ", kMaxTags, " tags are allowed"));
  }
  for (const auto& [key, value] : experiment.tags()) {
    if (key.empty() || json::CountChars(key) > kMaxTagKeyChars) {
      errors.Add("experiment.tags", StrCat("a key has 1 to ", kMaxTagKeyChars,
                                           " characters: ", json::PreviewOf(key, 40)));
    }
    if (json::CountChars(value) > kMaxTagValueChars) {
      errors.Add(StrCat("experiment.tags[", json::PreviewOf(key, 40), "]"),
                 StrCat("a value has at most ", kMaxTagValueChars, " characters"));
    }
  }
  return errors.ToStatus();
}

absl::Status CheckUpdateMask(const google::protobuf::FieldMask& mask) {
  if (mask.paths().empty()) {
    return InvalidField("update_mask", "name at least one of: display_name, tags");
  }
  for (const std::string& path : mask.paths()) {
    if (path != "display_name" && path != "tags") {
      return InvalidField("update_mask",
                          StrCat("\"", json::PreviewOf(path, 60),
                                 "\" cannot be changed; allowed: display_name, tags"),
                          "UNKNOWN_FIELD");
    }
  }
  return absl::OkStatus();
}

const filter::FieldSchema& ExperimentFields() {
  static const auto& schema =
      *new filter::FieldSchema(filter::FieldSchema()
                                   .Field("experiment_id", filter::FieldType::kString)
                                   .Field("display_name", filter::FieldType::kString)
                                   .Field("create_time", filter::FieldType::kTime)
                                   .Map("tags", filter::FieldType::kString));
  return schema;
}

class ExperimentSource final : public filter::FieldSource {
 public:
  ExperimentSource(const v1::Experiment& experiment, std::string id)
      : experiment_(experiment), id_(std::move(id)) {}

  void Lookup(absl::Span<const std::string> field,
              std::vector<filter::Value>* values) const override {
    if (field[0] == "experiment_id") {
      values->emplace_back(id_);
    } else if (field[0] == "display_name") {
      values->emplace_back(experiment_.display_name());
    } else if (field[0] == "create_time") {
      values->emplace_back(proto::FromTimestamp(experiment_.create_time()));
    } else if (field[0] == "tags" && field.size() > 1) {
      auto tag = experiment_.tags().find(field[1]);
      if (tag != experiment_.tags().end()) values->emplace_back(tag->second);
    }
  }

 private:
  const v1::Experiment& experiment_;
  const std::string id_;
};

template <class Response>
Done<v1::Experiment> AnswerWithExperiment(Done<Response> done) {
  return [done = std::move(done)](absl::StatusOr<v1::Experiment> experiment) mutable {
    if (!experiment.ok()) return std::move(done)(experiment.status());
    Response response;
    *response.mutable_experiment() = *std::move(experiment);
    std::move(done)(std::move(response));
  };
}

}  // namespace

void Experiments::Create(const CallContext& context, const v1::CreateExperimentRequest& request,
                         Done<v1::CreateExperimentResponse> done) {
  absl::Status valid = names::CheckSlug(request.experiment_id(), "experiment_id");
  if (valid.ok()) valid = CheckExperiment(request.experiment());
  if (!valid.ok()) return std::move(done)(valid);
  v1::Experiment experiment;
  experiment.set_name(names::ExperimentName{request.experiment_id()}.ToString());
  experiment.set_uid(names::RandomId());
  experiment.set_display_name(request.experiment().display_name());
  *experiment.mutable_tags() = request.experiment().tags();
  experiment.set_create_principal(context.principal);
  *experiment.mutable_create_time() = proto::ToTimestamp(clock_.Now());
  *experiment.mutable_update_time() = experiment.create_time();
  experiment.set_etag(FirstEtag(experiment.uid()));
  store_.InsertExperiment(MakeRequestKey(context, "CreateExperiment", request),
                          std::move(experiment),
                          AnswerWithExperiment<v1::CreateExperimentResponse>(std::move(done)));
}

absl::StatusOr<v1::GetExperimentResponse> Experiments::Get(
    const v1::GetExperimentRequest& request) const {
  ASSAY_ASSIGN_OR_RETURN(names::ExperimentName name, names::ExperimentName::Parse(request.name()));
  ASSAY_ASSIGN_OR_RETURN(std::optional<v1::Experiment> experiment,
                         store_.FindExperiment(name.experiment));
  if (!experiment.has_value()) return NotFound("experiment", request.name());
  v1::GetExperimentResponse response;
  *response.mutable_experiment() = *std::move(experiment);
  return response;
}

absl::StatusOr<v1::ListExperimentsResponse> Experiments::List(
    const v1::ListExperimentsRequest& request) const {
  ASSAY_ASSIGN_OR_RETURN(const int page_size, filter::EffectivePageSize(request.page_size()));
  ASSAY_ASSIGN_OR_RETURN(filter::Filter filter,
                         filter::ParseFilter(request.filter(), ExperimentFields()));
  const filter::PageScope scope{"ListExperiments", "", request.filter(), ""};
  ASSAY_ASSIGN_OR_RETURN(std::string cursor, filter::DecodePageToken(scope, request.page_token()));
  v1::ListExperimentsResponse response;
  for (int scanned = 0; scanned < kMaxScanned;) {
    ASSAY_ASSIGN_OR_RETURN(std::vector<v1::Experiment> batch,
                           store_.ListExperiments(cursor, filter::kMaxPageSize));
    for (v1::Experiment& experiment : batch) {
      if (response.experiments_size() == page_size) {
        response.set_next_page_token(filter::EncodePageToken(scope, cursor));
        return response;
      }
      ASSAY_ASSIGN_OR_RETURN(names::ExperimentName name,
                             names::ExperimentName::Parse(experiment.name()));
      cursor = name.experiment;
      if (filter::Matches(filter, ExperimentSource(experiment, name.experiment))) {
        *response.add_experiments() = std::move(experiment);
      }
    }
    scanned += static_cast<int>(batch.size());
    if (batch.size() < static_cast<size_t>(filter::kMaxPageSize)) return response;
  }
  response.set_next_page_token(filter::EncodePageToken(scope, cursor));
  return response;
}

void Experiments::Update(const CallContext& context, const v1::UpdateExperimentRequest& request,
                         Done<v1::UpdateExperimentResponse> done) {
  absl::StatusOr<names::ExperimentName> name = names::ExperimentName::Parse(request.name());
  absl::Status valid = name.status();
  if (valid.ok()) valid = CheckUpdateMask(request.update_mask());
  if (valid.ok()) valid = CheckExperiment(request.experiment());
  if (!valid.ok()) return std::move(done)(valid);
  auto change = [request, now = clock_.Now()](
                    const v1::Experiment& current) -> absl::StatusOr<v1::Experiment> {
    ASSAY_RETURN_IF_ERROR(CheckEtag(request.etag(), current.etag(), current.name()));
    v1::Experiment changed = current;
    for (const std::string& path : request.update_mask().paths()) {
      if (path == "display_name") changed.set_display_name(request.experiment().display_name());
      if (path == "tags") *changed.mutable_tags() = request.experiment().tags();
    }
    *changed.mutable_update_time() = proto::ToTimestamp(now);
    changed.set_etag(NextEtag(current.etag()));
    return changed;
  };
  store_.ChangeExperiment(MakeRequestKey(context, "UpdateExperiment", request), *std::move(name),
                          std::move(change),
                          AnswerWithExperiment<v1::UpdateExperimentResponse>(std::move(done)));
}

}  // namespace assay::registry
