// The bodies of export requests: decompressed within a bound, and within the memory for all of them.
#ifndef ASSAY_SERVICES_TRACE_CORE_REQUEST_BODIES_H_
#define ASSAY_SERVICES_TRACE_CORE_REQUEST_BODIES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/compress/encoding.h"
#include "common/exec/admission.h"

namespace assay::trace {

// Thread-safe.
class RequestBodies {
 public:
  // What one request holds of the memory; given back when it is cleared or destroyed.
  using Share = std::vector<Admission>;

  // `memory`: its name in errors. At least three times `max_body_bytes` may be in flight.
  RequestBodies(std::string memory, int64_t max_body_bytes, int64_t max_bytes_in_flight);

  // Decompresses a body in place and takes memory for it, and for the copy that it is cut into, as
  // it grows. Errors: as compress::Decompress; UNAVAILABLE (OVERLOADED, RetryInfo) when others hold
  // too much. Blocks for as long as that takes: on an executor.
  absl::Status Decompress(compress::Encoding encoding, std::string* body, Share* share);

  int64_t bytes_in_flight() const { return gate_.in_use(); }

 private:
  const std::string memory_;
  const int64_t max_body_bytes_;
  AdmissionGate gate_;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_REQUEST_BODIES_H_
