#include "services/trace/core/request_bodies.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/compress/decompress.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace assay::trace {
namespace {

constexpr absl::Duration kRetryAfter = absl::Seconds(1);
// A body is held twice for a while: as it came, and cut into chunks.
constexpr int64_t kCopies = 2;

}  // namespace

RequestBodies::RequestBodies(std::string memory, int64_t max_body_bytes,
                             int64_t max_bytes_in_flight)
    : memory_(std::move(memory)),
      max_body_bytes_(max_body_bytes),
      gate_(std::max(max_bytes_in_flight, (kCopies + 1) * max_body_bytes)) {}

absl::Status RequestBodies::Decompress(compress::Encoding encoding, std::string* body,
                                       Share* share) {
  const auto take = [&](int64_t bytes) {
    std::optional<Admission> ticket = gate_.TryEnter(kCopies * bytes);
    if (!ticket.has_value()) return Overloaded(memory_, kRetryAfter);
    share->push_back(*std::move(ticket));
    return absl::OkStatus();
  };
  ASSAY_ASSIGN_OR_RETURN(*body,
                         compress::Decompress(std::move(*body), encoding, max_body_bytes_, take));
  return absl::OkStatus();
}

}  // namespace assay::trace
