#include "services/trace/store/index_store.h"

#include <algorithm>
#include <numeric>

#include "common/rocks/status.h"
#include "services/trace/store/index_scan.h"
#include "services/trace/store/trace_keys.h"

namespace assay::trace {

absl::Status RocksTraceIndex::Scan(
    const IndexScan& scan, absl::FunctionRef<bool(const TracePosition& entry)> visit) const {
  const std::optional<uint32_t> number = db_.FindNumber(scan.experiment);
  if (!number.has_value() || scan.starts.empty()) return absl::OkStatus();
  return ScanPositions(
      db_,
      {.prefix = scan.term.has_value()
                     ? keys::TermPrefix(*number, scan.term->field, scan.term->value)
                     : keys::TimePrefix(*number),
       .starts = scan.starts,
       .after = scan.after,
       .newest_first = scan.newest_first,
       .horizon_ms = db_.horizons().Of(*number)},
      visit);
}

absl::StatusOr<std::vector<std::string>> RocksTraceIndex::ReadFacts(
    absl::Span<const TraceId> traces) const {
  // In the order of their keys: neighbours share blocks.
  std::vector<size_t> order(traces.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return traces[a] < traces[b]; });
  std::vector<std::string> names;
  names.reserve(traces.size());
  for (const size_t i : order) names.push_back(keys::Facts(traces[i]));
  const std::vector<rocksdb::Slice> slices(names.begin(), names.end());
  std::vector<rocksdb::PinnableSlice> values(names.size());
  std::vector<rocksdb::Status> statuses(names.size());
  db_.db().raw().MultiGet(rocksdb::ReadOptions(), db_.family(keys::kTraces), slices.size(),
                          slices.data(), values.data(), statuses.data(), /*sorted_input=*/true);
  std::vector<std::string> facts(traces.size());
  for (size_t i = 0; i < names.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    if (!statuses[i].ok()) return rocks::FromRocks(statuses[i], "get");
    facts[order[i]].assign(values[i].data(), values[i].size());
  }
  return facts;
}

}  // namespace assay::trace
