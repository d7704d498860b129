#include "services/trace/store/term_scan.h"

#include <string>
#include <string_view>

#include "services/trace/store/trace_keys.h"

namespace assay::trace {

absl::StatusOr<std::vector<TracePosition>> ScanTerms(const TraceDb& db,
                                                     const rocks::ScanRequest& request) {
  std::vector<TracePosition> positions;
  absl::Status broken;
  auto scanned =
      rocks::Scan(db.db(), keys::kIndex, request, [&](std::string_view key, std::string_view) {
        uint32_t number = 0;
        std::string field;
        std::string value;
        broken = keys::DecodeTerm(key, &number, &field, &value, &positions.emplace_back());
        return broken.ok() ? rocks::ScanStep::Next() : rocks::ScanStep::Stop();
      });
  if (!scanned.ok()) return scanned.status();
  if (!broken.ok()) return broken;
  return positions;
}

}  // namespace assay::trace
