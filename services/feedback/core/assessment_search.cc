#include "services/feedback/core/assessment_search.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "common/filter/page_token.h"
#include "common/names/resource_name.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/feedback/core/assessment_filter.h"
#include "services/feedback/core/assessment_validation.h"

namespace assay::feedback {
namespace {

// A page reads at most this many assessments in search of those that match.
constexpr size_t kMaxScanned = 10'000;
constexpr int kScanStep = 500;
// A page stays under the size of a message.
constexpr size_t kMaxPageBytes = 3 << 20;

absl::StatusOr<int64_t> SequenceOf(const std::string& cursor) {
  int64_t sequence = 0;
  if (cursor.empty() || (absl::SimpleAtoi(cursor, &sequence) && sequence >= 0)) return sequence;
  return InvalidField("page_token", "it is damaged", "INVALID_PAGE_TOKEN");
}

absl::Status CheckKinds(const v1::ListAssessedTracesRequest& request) {
  if (request.source_kinds().empty()) {
    return InvalidField("source_kinds", "name at least one of HUMAN, LLM_JUDGE, CODE");
  }
  std::vector<int> seen;
  for (int i = 0; i < request.source_kinds_size(); ++i) {
    const common::v1::SourceKind kind = request.source_kinds(i);
    const std::string field = StrCat("source_kinds[", i, "]");
    if (kind < common::v1::SOURCE_KIND_HUMAN || kind > common::v1::SOURCE_KIND_CODE) {
      return InvalidField(field, "is one of HUMAN, LLM_JUDGE, CODE");
    }
    if (std::find(seen.begin(), seen.end(), kind) != seen.end()) {
      return InvalidField(field, "is named twice");
    }
    seen.push_back(kind);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::SearchAssessmentsResponse> AssessmentSearch::Search(
    const v1::SearchAssessmentsRequest& request) const {
  ASSAY_ASSIGN_OR_RETURN(const names::ExperimentName parent,
                         names::ExperimentName::Parse(request.parent(), "parent"));
  ASSAY_ASSIGN_OR_RETURN(const int page_size, filter::EffectivePageSize(request.page_size()));
  ASSAY_ASSIGN_OR_RETURN(const filter::Filter filter, ParseAssessmentFilter(request.filter()));
  const filter::PageScope scope{
      "SearchAssessments", request.parent(),
      StrCat(request.include_invalid() ? "all:" : "valid:", request.filter()), ""};
  ASSAY_ASSIGN_OR_RETURN(std::string cursor, filter::DecodePageToken(scope, request.page_token()));
  ASSAY_ASSIGN_OR_RETURN(int64_t after, SequenceOf(cursor));
  const auto next_page = [&] { return filter::EncodePageToken(scope, StrCat(after)); };

  v1::SearchAssessmentsResponse response;
  size_t bytes = 0;
  const std::string trace = DemandedTrace(filter);
  for (size_t scanned = 0; scanned < kMaxScanned;) {
    ASSAY_ASSIGN_OR_RETURN(AssessmentPage step,
                           store_.List({parent.experiment, trace, after, kScanStep}));
    for (Placed& placed : step.assessments) {
      const bool counts = placed.assessment.valid() || request.include_invalid();
      if (counts && MatchesAssessment(filter, placed.assessment)) {
        bytes += placed.assessment.ByteSizeLong();
        const bool full = response.assessments_size() == page_size || bytes > kMaxPageBytes;
        if (full && !response.assessments().empty()) {
          response.set_next_page_token(next_page());
          return response;
        }
        *response.add_assessments() = std::move(placed.assessment);
      }
      after = placed.sequence;
    }
    if (!step.more) return response;
    scanned += step.assessments.size();
  }
  response.set_next_page_token(next_page());
  return response;
}

absl::StatusOr<v1::ListAssessedTracesResponse> AssessmentSearch::ListAssessedTraces(
    const v1::ListAssessedTracesRequest& request) const {
  ASSAY_ASSIGN_OR_RETURN(const names::ExperimentName parent,
                         names::ExperimentName::Parse(request.parent(), "parent"));
  ASSAY_RETURN_IF_ERROR(CheckAssessmentName(request.assessment_name(), "assessment_name"));
  ASSAY_RETURN_IF_ERROR(CheckKinds(request));
  ASSAY_ASSIGN_OR_RETURN(const int page_size, filter::EffectivePageSize(request.page_size()));
  LabelledRange range{parent.experiment, request.assessment_name(), {}, "", page_size};
  for (const int kind : request.source_kinds()) {
    range.kinds.push_back(static_cast<common::v1::SourceKind>(kind));
  }
  std::sort(range.kinds.begin(), range.kinds.end());
  const filter::PageScope scope{"ListAssessedTraces", request.parent(),
                                StrCat(absl::StrJoin(range.kinds, ","), ":", range.assessment_name),
                                ""};
  ASSAY_ASSIGN_OR_RETURN(range.after_trace, filter::DecodePageToken(scope, request.page_token()));
  ASSAY_ASSIGN_OR_RETURN(LabelledPage page, store_.ListLabelled(range));

  v1::ListAssessedTracesResponse response;
  std::string next = page.next_after_trace;
  std::string last;
  size_t bytes = 0;
  for (LabelledTrace& labelled : page.traces) {
    v1::AssessedTrace trace;
    trace.set_trace(names::TraceName{parent.experiment, labelled.trace}.ToString());
    for (Placed& placed : labelled.assessments) {
      *trace.add_assessments() = std::move(placed.assessment);
    }
    bytes += trace.ByteSizeLong();
    if (bytes > kMaxPageBytes && !last.empty()) {
      next = last;
      break;
    }
    last = labelled.trace;
    *response.add_traces() = std::move(trace);
  }
  if (!next.empty()) response.set_next_page_token(filter::EncodePageToken(scope, next));
  return response;
}

}  // namespace assay::feedback
