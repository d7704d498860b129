// What makes a mutating request the same request: retries with the same key get the first answer
// and have no second effect. The record lies in the same commit as the effect; see
// common/kv/mutate.h.
#ifndef ASSAY_COMMON_REQUEST_REQUEST_KEY_H_
#define ASSAY_COMMON_REQUEST_REQUEST_KEY_H_

#include <string>
#include <string_view>

#include "common/exec/call_context.h"

namespace google::protobuf {
class MessageLite;
}  // namespace google::protobuf

namespace assay {

// An empty request_id: nothing is recorded or looked up.
struct RequestKey {
  std::string principal;
  std::string method;
  std::string request_id;
  std::string body_sha256;  // 32 bytes: of the request without its request_id
};

// SHA-256 over the deterministic serialization, 32 raw bytes. Thread-safe.
std::string MessageSha256(const google::protobuf::MessageLite& message);

// For any request message with a string field request_id. Thread-safe.
template <class Request>
RequestKey MakeRequestKey(const CallContext& context, std::string_view method,
                          const Request& request) {
  RequestKey key{context.principal, std::string(method), request.request_id(), ""};
  if (key.request_id.empty()) return key;
  Request body = request;
  body.clear_request_id();
  key.body_sha256 = MessageSha256(body);
  return key;
}

}  // namespace assay

#endif  // ASSAY_COMMON_REQUEST_REQUEST_KEY_H_
