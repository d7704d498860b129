#include "services/trace/store/judgements.h"

#include <string>
#include <utility>

#include "assay/storage/v1/trace_records.pb.h"
#include "common/names/resource_name.h"
#include "common/status/status_macros.h"
#include "services/trace/core/index_terms.h"
#include "services/trace/store/index_scan.h"
#include "services/trace/store/trace_keys.h"
#include "services/trace/store/trace_state.h"

namespace assay::trace {

absl::StatusOr<std::optional<TracePosition>> NextJudgement(
    const TraceDb& db, uint32_t experiment_number, std::string_view judged,
    const std::optional<TracePosition>& after) {
  ASSAY_ASSIGN_OR_RETURN(
      const std::vector<TracePosition> found,
      ReadPositions(
          db, {.prefix = keys::TermPrefix(experiment_number, kTermJudged, judged), .after = after},
          1));
  return found.empty() ? std::nullopt : std::optional(found.front());
}

absl::StatusOr<bool> JudgesDeletedTrace(const TraceDb& db, const TraceFacts& facts,
                                        TraceWrite& write) {
  const std::string_view judged = JudgedBy(facts);
  if (judged.empty()) return false;
  const absl::StatusOr<names::TraceName> name = names::TraceName::Parse(judged);
  const std::optional<TraceId> trace =
      name.ok() ? TraceId::FromHex(name->trace) : std::optional<TraceId>();
  if (!trace.has_value()) return false;
  std::string key = keys::Binding(*trace);
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> stored, db.db().Get(keys::kTraces, key));
  if (!stored.has_value()) return false;
  storage::v1::TraceBindingRecord binding;
  if (!binding.ParseFromString(*stored)) {
    return absl::DataLossError("a stored binding cannot be read");
  }
  const TraceState state = StateOfBinding(binding, db.horizons(), db.NowMs());
  if (state == TraceState::kDeleted) return true;
  if (state == TraceState::kLive) {
    write.checks.push_back(StillHolds(keys::kTraces, std::move(key), std::move(stored)));
  }
  return false;
}

}  // namespace assay::trace
