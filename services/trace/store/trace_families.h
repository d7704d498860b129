// How the column families of the trace store are set up.
#ifndef ASSAY_SERVICES_TRACE_STORE_TRACE_FAMILIES_H_
#define ASSAY_SERVICES_TRACE_STORE_TRACE_FAMILIES_H_

#include <cstdint>
#include <memory>
#include <string>

#include "common/clock/clock.h"
#include "common/rocks/db.h"
#include "services/trace/store/horizons.h"

namespace assay::trace {

// What the database may use of memory when it is busy: five eighths for what is written and not yet
// in files, the rest for what is read.
inline constexpr int64_t kDefaultMemoryBytes = int64_t{192} << 20;

// In the order of keys::Family. `clock` outlives the database. Stores of schema version 1 are
// accepted: see migrate.h.
rocks::DbOptions DbOptionsFor(const std::string& path, int64_t memory_bytes, Clock& clock,
                              std::shared_ptr<Horizons> horizons);

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_STORE_TRACE_FAMILIES_H_
