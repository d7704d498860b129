#include "services/feedback/store/record_reader.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>

#include "assay/storage/v1/feedback_records.pb.h"
#include "common/kv/keys.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "services/feedback/store/feedback_keys.h"
#include "services/feedback/store/record_draft.h"

namespace assay::feedback {
namespace {

// Records are read in steps of this many, so that large ones do not pile up.
constexpr int kStep = 32;
// One call looks at most this often for the next trace of a kind.
constexpr int kMaxSeeks = 20'000;
constexpr int kLastKind = static_cast<int>(common::v1::SOURCE_KIND_CODE);

// Finds the traces that carry a label of every kind: always asks the next kind for the greatest
// trace seen so far, so that the work follows the rarest kind.
class LabelWalk {
 public:
  LabelWalk(const kv::Reader& reader, const LabelledRange& range)
      : reader_(reader), range_(range), decided_(range.after_trace) {}

  // The next trace that all kinds label; nullopt at the end, or when the seeks are used up.
  absl::StatusOr<std::optional<std::string>> Next() {
    if (seeks_ >= kMaxSeeks) return std::nullopt;
    ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> candidate,
                           First(range_.kinds[0], decided_, true));
    size_t agreeing = 1;
    size_t kind = 0;
    while (candidate.has_value() && agreeing < range_.kinds.size()) {
      if (seeks_ >= kMaxSeeks) return std::nullopt;
      kind = (kind + 1) % range_.kinds.size();
      ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> found,
                             First(range_.kinds[kind], *candidate, false));
      if (found == candidate) {
        ++agreeing;
        continue;
      }
      decided_ = *candidate;
      candidate = std::move(found);
      agreeing = 1;
    }
    if (candidate.has_value()) {
      decided_ = *candidate;
    } else {
      ended_ = true;
    }
    return candidate;
  }

  bool ended() const { return ended_; }
  // All traces up to this one have been looked at.
  const std::string& decided() const { return decided_; }

 private:
  // The first trace of a kind from `trace` on, or after it.
  absl::StatusOr<std::optional<std::string>> First(common::v1::SourceKind kind,
                                                   const std::string& trace, bool after) {
    ++seeks_;
    const auto number = static_cast<uint8_t>(kind);
    const std::string all = LabelKeyPrefix(range_.experiment, range_.assessment_name, number);
    kv::ScanRange scan;
    scan.begin = all;
    scan.end = kv::PrefixEnd(all);
    scan.limit = 1;
    if (!trace.empty()) {
      scan.begin = LabelKeyPrefix(range_.experiment, range_.assessment_name, number, trace);
      if (after) scan.begin = kv::PrefixEnd(scan.begin);
    }
    ASSAY_ASSIGN_OR_RETURN(const std::vector<kv::Entry> entries, reader_.Scan(scan));
    if (entries.empty()) return std::nullopt;
    ASSAY_ASSIGN_OR_RETURN(LabelPlace place, DecodeLabelKey(entries[0].key));
    return std::optional<std::string>(std::move(place.trace));
  }

  const kv::Reader& reader_;
  const LabelledRange& range_;
  std::string decided_;
  int seeks_ = 0;
  bool ended_ = false;
};

absl::StatusOr<LabelledTrace> ReadLabels(const kv::Reader& reader, const LabelledRange& range,
                                         std::string trace) {
  std::vector<std::string> ids;
  for (int kind = 1; kind <= kLastKind; ++kind) {
    kv::ScanRange scan;
    scan.begin =
        LabelKeyPrefix(range.experiment, range.assessment_name, static_cast<uint8_t>(kind), trace);
    scan.end = kv::PrefixEnd(scan.begin);
    scan.limit = kMaxLabelsOfOneKind;
    ASSAY_ASSIGN_OR_RETURN(std::vector<kv::Entry> entries, reader.Scan(scan));
    for (kv::Entry& entry : entries) ids.push_back(std::move(entry.value));
  }
  LabelledTrace labelled;
  labelled.trace = std::move(trace);
  ASSAY_ASSIGN_OR_RETURN(labelled.assessments, ReadRecords(reader, range.experiment, ids));
  std::sort(labelled.assessments.begin(), labelled.assessments.end(),
            [](const Placed& a, const Placed& b) { return a.sequence < b.sequence; });
  return labelled;
}

size_t BytesOf(const std::vector<Placed>& assessments) {
  size_t bytes = 0;
  for (const Placed& placed : assessments) bytes += placed.assessment.ByteSizeLong();
  return bytes;
}

}  // namespace

absl::StatusOr<std::vector<Placed>> ReadRecords(const kv::Reader& reader,
                                                std::string_view experiment,
                                                const std::vector<std::string>& ids) {
  std::vector<std::string> keys;
  keys.reserve(ids.size());
  for (const std::string& id : ids) keys.push_back(AssessmentKey({std::string(experiment), id}));
  ASSAY_ASSIGN_OR_RETURN(const std::vector<std::optional<std::string>> values,
                         reader.MultiGet(keys));
  std::vector<Placed> placed;
  placed.reserve(values.size());
  for (const std::optional<std::string>& value : values) {
    if (!value.has_value()) {
      return MakeError(absl::StatusCode::kDataLoss, "RECORD_MISSING",
                       "an index names an assessment that is not there");
    }
    ASSAY_ASSIGN_OR_RETURN(storage::v1::AssessmentRecord record, ParseAssessmentRecord(*value));
    placed.push_back({record.create_sequence(), std::move(*record.mutable_assessment())});
  }
  return placed;
}

absl::StatusOr<AssessmentPage> ReadRange(const kv::Reader& reader, const AssessmentRange& range) {
  const bool all = range.trace.empty();
  const std::string prefix =
      all ? OrderKeyPrefix(range.experiment) : TraceKeyPrefix(range.experiment, range.trace);
  kv::ScanRange scan;
  scan.begin = all ? OrderKey({range.experiment, range.after_sequence + 1})
                   : TraceKey({range.experiment, range.trace, range.after_sequence + 1});
  scan.end = kv::PrefixEnd(prefix);
  scan.limit = range.limit;
  ASSAY_ASSIGN_OR_RETURN(const std::vector<kv::Entry> entries, reader.Scan(scan));
  AssessmentPage page;
  page.more = entries.size() == static_cast<size_t>(range.limit);
  size_t bytes = 0;
  for (size_t begin = 0; begin < entries.size(); begin += kStep) {
    if (bytes >= kMaxReadBytes) {
      page.more = true;
      break;
    }
    const size_t end = std::min(entries.size(), begin + kStep);
    std::vector<std::string> ids;
    for (size_t i = begin; i < end; ++i) ids.push_back(entries[i].value);
    ASSAY_ASSIGN_OR_RETURN(std::vector<Placed> step, ReadRecords(reader, range.experiment, ids));
    bytes += BytesOf(step);
    std::move(step.begin(), step.end(), std::back_inserter(page.assessments));
  }
  return page;
}

absl::StatusOr<LabelledPage> ReadLabelled(const kv::Reader& reader, const LabelledRange& range) {
  LabelledPage page;
  LabelWalk walk(reader, range);
  size_t bytes = 0;
  while (page.traces.size() < static_cast<size_t>(range.limit) && bytes < kMaxReadBytes) {
    ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> trace, walk.Next());
    if (!trace.has_value()) break;
    ASSAY_ASSIGN_OR_RETURN(LabelledTrace labelled, ReadLabels(reader, range, *std::move(trace)));
    bytes += BytesOf(labelled.assessments);
    page.traces.push_back(std::move(labelled));
  }
  const std::string decided = walk.decided();
  // So that the last page says that it is the last.
  if (!walk.ended()) ASSAY_RETURN_IF_ERROR(walk.Next().status());
  if (!walk.ended()) page.next_after_trace = decided;
  return page;
}

}  // namespace assay::feedback
