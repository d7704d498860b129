// Decompression of request bodies with a bound of our own: gRPC's own comes after decompression,
// when the memory is spent.
#ifndef ASSAY_SERVICES_TRACE_CORE_INFLATE_H_
#define ASSAY_SERVICES_TRACE_CORE_INFLATE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace assay::trace {

enum class Encoding { kIdentity, kGzip, kDeflate };

// Called before the output grows, with the bytes it grows by; an error ends the work with that
// error.
using GrowCheck = absl::FunctionRef<absl::Status(int64_t bytes)>;

// The decompressed body. Memory stays within `max_bytes` and one step of 64 KiB, whatever the
// ratio. Members of a gzip file may follow each other; other trailing bytes are refused. kDeflate
// is zlib's format (RFC 1950), as HTTP and gRPC mean it. Errors: RESOURCE_EXHAUSTED, reason
// MESSAGE_TOO_LARGE, above `max_bytes`; INVALID_ARGUMENT, reason MALFORMED_COMPRESSION, for broken
// data; what `grow` says. kIdentity is refused as INTERNAL: nothing to do. Thread-safe.
absl::StatusOr<std::string> Inflate(std::string_view compressed, Encoding encoding,
                                    int64_t max_bytes, GrowCheck grow);

// The error for a body above the bound.
absl::Status MessageTooLarge(int64_t max_bytes);

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_INFLATE_H_
