// The token by which a search reads its caller's own writes: an answer of the feedback service
// carries it, TraceService.SearchTraces takes it. Opaque to clients: base64url of
// "<store>:<sequence>".
#ifndef ASSAY_COMMON_READ_TOKEN_READ_TOKEN_H_
#define ASSAY_COMMON_READ_TOKEN_READ_TOKEN_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace assay {

// A position in a feedback store's outbox.
struct ReadToken {
  std::string store;     // its identity: 1 to 64 letters, digits, `-` and `_`
  int64_t sequence = 0;  // above 0
  bool operator==(const ReadToken&) const = default;
};

// Thread-safe, as DecodeReadToken.
std::string EncodeReadToken(const ReadToken& token);

// INVALID_ARGUMENT, reason INVALID_READ_TOKEN, naming `field`, for anything that EncodeReadToken
// does not write.
absl::StatusOr<ReadToken> DecodeReadToken(std::string_view text,
                                          std::string_view field = "read_token");

}  // namespace assay

#endif  // ASSAY_COMMON_READ_TOKEN_READ_TOKEN_H_
