#include "services/judge/core/evaluation/result_log.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "common/json/canonical.h"
#include "common/json/utf8.h"
#include "common/log/log.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judge {
namespace {

// Assessments, and their bytes, in one call.
constexpr size_t kBatch = 500;
constexpr size_t kBatchBytes = size_t{2} << 20;
constexpr size_t kMaxErrorChars = 4'096;

// 3 for "assessments[3].feedback.label".
std::optional<size_t> IndexIn(std::string_view field) {
  constexpr std::string_view kPrefix = "assessments[";
  if (!field.starts_with(kPrefix)) return std::nullopt;
  field.remove_prefix(kPrefix.size());
  size_t index = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), index);
  if (error != std::errc() || end == field.data() + field.size() || *end != ']') {
    return std::nullopt;
  }
  return index;
}

void Refuse(std::string_view why, v1::EvaluationResult* result) {
  common::v1::Feedback feedback;
  feedback.set_outcome(common::v1::OUTCOME_ERROR);
  feedback.mutable_error()->set_code("ASSESSMENT_REFUSED");
  feedback.mutable_error()->set_message(json::PreviewOf(why, kMaxErrorChars));
  *feedback.mutable_provenance() = result->feedback().provenance();
  *result->mutable_feedback() = std::move(feedback);
}

// The same on every run, and nowhere else.
std::string AssessmentId(std::string_view uid, int64_t row, size_t place) {
  return StrCat("e",
                json::Sha256Hex(StrCat("assessment/", uid, "/", row, "/", place)).substr(0, 32));
}

size_t BytesOf(const RowResults& row) {
  size_t bytes = 0;
  for (const v1::EvaluationResult& result : row.results) bytes += result.ByteSizeLong();
  return bytes;
}

}  // namespace

// Some rows, whose assessments are logged in as few calls as they fit in, one after another.
class ResultLog::Group : public std::enable_shared_from_this<Group> {
 public:
  Group(ResultLog& log, std::vector<Entry> entries, Task ended)
      : log_(log), entries_(std::move(entries)), ended_(std::move(ended)) {
    for (size_t i = 0; i < entries_.size(); ++i) {
      for (size_t k = 0; k < entries_[i].row.results.size(); ++k) places_.push_back({i, k});
    }
  }

  void Next() {
    if (from_ == places_.size()) return Finish();
    end_ = EndOfBatch();
    using Names = std::vector<std::string>;
    log_.patience_.Persist<Names>(
        context().cancel, log_.report_,
        [self = shared_from_this()](Done<Names> answered) {
          self->log_.feedback_.LogAssessments(self->log_.evaluation_.experiment, self->Batch(),
                                              self->Ids(), self->context(), std::move(answered));
        },
        [self = shared_from_this()](absl::StatusOr<Names> names) {
          self->OnAnswer(std::move(names));
        });
  }

 private:
  struct Place {
    size_t entry = 0;
    size_t result = 0;
  };

  // All rows of an evaluation have the same.
  const CallContext& context() const { return entries_.front().context; }
  v1::EvaluationResult& ResultAt(const Place& place) {
    return entries_[place.entry].row.results[place.result];
  }

  size_t EndOfBatch() {
    size_t end = from_;
    size_t bytes = 0;
    while (end < places_.size() && end - from_ < kBatch) {
      // Rows that were refused together are tried one by one.
      if (end < apart_until_ && places_[end].entry != places_[from_].entry) break;
      bytes += ResultAt(places_[end]).ByteSizeLong();
      if (end > from_ && bytes > kBatchBytes) break;
      ++end;
    }
    return end;
  }

  std::vector<feedback::v1::Assessment> Batch() {
    std::vector<feedback::v1::Assessment> assessments(end_ - from_);
    for (size_t i = from_; i < end_; ++i) {
      const v1::EvaluationResult& result = ResultAt(places_[i]);
      feedback::v1::Assessment& assessment = assessments[i - from_];
      assessment.set_assessment_name(result.assessment_name());
      assessment.mutable_target()->set_trace(entries_[places_[i].entry].row.trace);
      assessment.mutable_target()->set_span_id(result.span_id());
      *assessment.mutable_metadata() = result.metadata();
      *assessment.mutable_source() = result.source();
      *assessment.mutable_feedback() = result.feedback();
      assessment.set_evaluation(log_.evaluation_.name);
    }
    return assessments;
  }

  std::vector<std::string> Ids() const {
    std::vector<std::string> ids;
    for (size_t i = from_; i < end_; ++i) {
      const int64_t row = entries_[places_[i].entry].row.row;
      ids.push_back(AssessmentId(log_.evaluation_.uid, row, places_[i].result));
    }
    return ids;
  }

  void OnAnswer(absl::StatusOr<std::vector<std::string>> names) {
    if (names.ok()) {
      for (size_t i = from_; i < end_ && i - from_ < names->size(); ++i) {
        ResultAt(places_[i]).set_assessment(std::move((*names)[i - from_]));
      }
    } else if (context().Cancelled()) {
      return Fail(names.status());
    } else if (WithoutRefused(names.status()) || Apart()) {
      return Next();
    } else {
      log::Warning(
          "a row's results cannot be logged",
          {{"trace", entries_[places_[from_].entry].row.trace}, {"status", names.status()}});
    }
    from_ = end_;
    refused_.clear();
    Next();
  }

  // Makes errors of what was refused. False if that is nothing new.
  bool WithoutRefused(const absl::Status& status) {
    if (status.code() != absl::StatusCode::kInvalidArgument) return false;
    bool some = false;
    for (const FieldViolation& violation : FieldViolations(status)) {
      const std::optional<size_t> index = IndexIn(violation.field);
      if (!index.has_value() || from_ + *index >= end_) continue;
      if (!refused_.insert(from_ + *index).second) continue;
      const std::string_view field = violation.field;
      Refuse(StrCat(field.substr(std::min(field.find(']') + 2, field.size())), ": ",
                    violation.description),
             &ResultAt(places_[from_ + *index]));
      some = true;
    }
    return some;
  }

  // One row's trouble is not to be the others'. False if only one is concerned.
  bool Apart() {
    if (places_[from_].entry == places_[end_ - 1].entry) return false;
    apart_until_ = end_;
    return true;
  }

  void Finish() {
    std::move(ended_)();
    for (Entry& entry : entries_) std::move(entry.done)(std::move(entry.row.results));
  }
  void Fail(const absl::Status& status) {
    std::move(ended_)();
    for (Entry& entry : entries_) std::move(entry.done)(status);
  }

  ResultLog& log_;
  std::vector<Entry> entries_;
  Task ended_;
  std::vector<Place> places_;
  size_t from_ = 0;  // The batch under way.
  size_t end_ = 0;
  size_t apart_until_ = 0;
  std::set<size_t> refused_;  // Of the batch.
};

ResultLog::ResultLog(FeedbackPort& feedback, const Patience& patience, TroubleReport report,
                     Evaluation evaluation, const GatheringOptions& groups)
    : feedback_(feedback),
      patience_(patience),
      report_(std::move(report)),
      evaluation_(std::move(evaluation)),
      gathering_({patience.executor(), patience.timers()}, groups,
                 [this](std::vector<Entry> entries, Task ended) {
                   std::make_shared<Group>(*this, std::move(entries), std::move(ended))->Next();
                 }) {}

void ResultLog::Log(RowResults row, CallContext context,
                    Done<std::vector<v1::EvaluationResult>> done) {
  if (row.results.empty()) return std::move(done)(std::move(row.results));
  const size_t bytes = BytesOf(row);
  gathering_.Add({std::move(row), std::move(context), std::move(done)}, bytes);
}

}  // namespace assay::judge
