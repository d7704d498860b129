// Where a trace stands in the index, by time and by term: by itself, or in a group.
#ifndef ASSAY_SERVICES_TRACE_STORE_INDEX_ENTRIES_H_
#define ASSAY_SERVICES_TRACE_STORE_INDEX_ENTRIES_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/rocks/committer.h"
#include "services/trace/core/trace_facts.h"
#include "services/trace/store/request_groups.h"
#include "services/trace/store/trace_db.h"
#include "services/trace/store/trace_keys.h"

namespace assay::trace {

struct IndexPlace {
  keys::Lifetime lifetime;
  TracePosition position;
  std::optional<RequestGroups::Place> group;
};

// The place of a trace with these facts, which have spans.
IndexPlace PlaceOf(const TraceId& trace, const keys::Lifetime& lifetime, const TraceFacts& facts);

// One entry of a trace that is in the index.
void PutTerm(const TraceDb& db, const IndexPlace& place, std::string_view field,
             std::string_view value, rocks::WriteBatch& batch);
void DeleteTerm(const TraceDb& db, const IndexPlace& place, std::string_view field,
                std::string_view value, rocks::WriteBatch& batch);
// All that a trace with these facts has there; `evaluation` is that of its binding.
void EraseFromIndex(const TraceDb& db, const IndexPlace& place, const TraceFacts& facts,
                    std::string_view evaluation, rocks::WriteBatch& batch);

// The entries that spans bring: `before` is what is stored (without spans: nothing is in the index
// yet), `added` the facts of the spans, in which the group is set that a new trace gets. Moves the
// entries along if the start moves back. The answer: whether the trace got a new place, so that
// `before` must still hold when this is written.
bool AddToIndex(const TraceDb& db, const TraceId& trace, const keys::Lifetime& lifetime,
                std::string_view evaluation, const TraceFacts& before, TraceFacts& added,
                RequestGroups& groups, rocks::WriteBatch& batch);

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_STORE_INDEX_ENTRIES_H_
