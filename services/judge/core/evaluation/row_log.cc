#include "services/judge/core/evaluation/row_log.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "common/json/utf8.h"
#include "common/log/log.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judge {
namespace {

// Assessments in one call.
constexpr size_t kBatch = 500;
constexpr size_t kMaxErrorChars = 4'096;

// 3 for "assessments[3].feedback.label".
std::optional<size_t> RefusedIndex(const absl::Status& status) {
  constexpr std::string_view kPrefix = "assessments[";
  for (const FieldViolation& violation : FieldViolations(status)) {
    std::string_view field = violation.field;
    if (!field.starts_with(kPrefix)) continue;
    field.remove_prefix(kPrefix.size());
    size_t index = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), index);
    if (error == std::errc() && end != field.data() + field.size() && *end == ']') return index;
  }
  return std::nullopt;
}

void Refuse(v1::EvaluationResult* result, const absl::Status& why) {
  common::v1::Feedback feedback;
  feedback.set_outcome(common::v1::OUTCOME_ERROR);
  feedback.mutable_error()->set_code("ASSESSMENT_REFUSED");
  feedback.mutable_error()->set_message(json::PreviewOf(ToStd(why.message()), kMaxErrorChars));
  *feedback.mutable_provenance() = result->feedback().provenance();
  *result->mutable_feedback() = std::move(feedback);
}

// The batches of one row, one after another.
class Logging : public std::enable_shared_from_this<Logging> {
 public:
  Logging(FeedbackPort& feedback, const Patience& patience, const TroubleReport& report, RowLog log,
          CallContext context, Done<std::vector<v1::EvaluationResult>> done)
      : feedback_(feedback),
        patience_(patience),
        report_(report),
        log_(std::move(log)),
        context_(std::move(context)),
        done_(std::move(done)) {}

  void Next() {
    if (from_ >= log_.results.size()) return std::move(done_)(std::move(log_.results));
    using Names = std::vector<std::string>;
    patience_.Persist<Names>(
        context_.cancel, report_,
        [self = shared_from_this()](Done<Names> answered) {
          self->feedback_.LogAssessments(self->log_.experiment, self->Batch(), self->RequestId(),
                                         self->context_, std::move(answered));
        },
        [self = shared_from_this()](absl::StatusOr<Names> names) {
          self->OnAnswer(std::move(names));
        });
  }

 private:
  size_t end() const { return std::min(from_ + kBatch, log_.results.size()); }

  // Another id when something of the batch was refused: it is another request then.
  std::string RequestId() const {
    std::string id = StrCat(log_.request_id, "-", from_);
    if (!refused_.empty()) StrAppend(&id, "-", refused_.size());
    return id;
  }

  std::vector<feedback::v1::Assessment> Batch() const {
    std::vector<feedback::v1::Assessment> assessments;
    for (size_t i = from_; i < end(); ++i) {
      const v1::EvaluationResult& result = log_.results[i];
      feedback::v1::Assessment& assessment = assessments.emplace_back();
      assessment.set_assessment_name(result.assessment_name());
      assessment.mutable_target()->set_trace(log_.trace);
      assessment.mutable_target()->set_span_id(result.span_id());
      *assessment.mutable_metadata() = result.metadata();
      *assessment.mutable_source() = result.source();
      *assessment.mutable_feedback() = result.feedback();
      assessment.set_evaluation(log_.evaluation);
    }
    return assessments;
  }

  void OnAnswer(absl::StatusOr<std::vector<std::string>> names) {
    if (names.ok()) {
      for (size_t i = from_; i < end() && i - from_ < names->size(); ++i) {
        log_.results[i].set_assessment((*names)[i - from_]);
      }
    } else if (context_.Cancelled()) {
      return std::move(done_)(names.status());
    } else if (TryWithoutRefused(names.status())) {
      return Next();
    } else {
      log::Warning("a row's results cannot be logged",
                   {{"trace", log_.trace}, {"status", names.status()}});
    }
    from_ = end();
    refused_.clear();
    Next();
  }

  bool TryWithoutRefused(const absl::Status& status) {
    if (status.code() != absl::StatusCode::kInvalidArgument) return false;
    const std::optional<size_t> index = RefusedIndex(status);
    if (!index.has_value() || from_ + *index >= end()) return false;
    if (!refused_.insert(from_ + *index).second) return false;
    Refuse(&log_.results[from_ + *index], status);
    return true;
  }

  FeedbackPort& feedback_;
  const Patience& patience_;
  const TroubleReport report_;
  RowLog log_;
  const CallContext context_;
  Done<std::vector<v1::EvaluationResult>> done_;
  size_t from_ = 0;
  std::set<size_t> refused_;
};

}  // namespace

void LogRow(FeedbackPort& feedback, const Patience& patience, const TroubleReport& report,
            RowLog log, CallContext context, Done<std::vector<v1::EvaluationResult>> done) {
  std::make_shared<Logging>(feedback, patience, report, std::move(log), std::move(context),
                            std::move(done))
      ->Next();
}

}  // namespace assay::judge
