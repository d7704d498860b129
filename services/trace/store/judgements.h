// The traces of judgements, from the side of what was judged.
#ifndef ASSAY_SERVICES_TRACE_STORE_JUDGEMENTS_H_
#define ASSAY_SERVICES_TRACE_STORE_JUDGEMENTS_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "services/trace/core/trace_facts.h"
#include "services/trace/core/trace_store.h"
#include "services/trace/store/trace_db.h"
#include "services/trace/store/trace_write.h"

namespace assay::trace {

// The next trace behind `after`, the latest first, that the index has as a judgement of `judged`, a
// resource name, in an experiment. A hint: JudgedBy(its facts) says. Blocks. Thread-safe.
absl::StatusOr<std::optional<TracePosition>> NextJudgement(
    const TraceDb& db, uint32_t experiment_number, std::string_view judged,
    const std::optional<TracePosition>& after);

// Whether facts that arrive are those of a judgement of a trace that was deleted lately. If that is
// there still, `write` collides with its deletion. Blocks. Thread-safe.
absl::StatusOr<bool> JudgesDeletedTrace(const TraceDb& db, const TraceFacts& facts,
                                        TraceWrite& write);

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_STORE_JUDGEMENTS_H_
