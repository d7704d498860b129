#include "services/alignment/core/labelled_case.h"

namespace assay::alignment {

std::string TraceIdOf(const std::string& trace) { return trace.substr(trace.rfind('/') + 1); }

}  // namespace assay::alignment
