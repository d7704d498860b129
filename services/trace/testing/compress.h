// Compressed bodies for tests.
#ifndef ASSAY_SERVICES_TRACE_TESTING_COMPRESS_H_
#define ASSAY_SERVICES_TRACE_TESTING_COMPRESS_H_

#include <string>
#include <string_view>

#include "services/trace/core/inflate.h"

namespace assay::trace {

std::string Compress(std::string_view text, Encoding encoding);

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_TESTING_COMPRESS_H_
