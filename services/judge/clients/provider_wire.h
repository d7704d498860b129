// What a provider understands: requests to bytes, bytes to answers.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_WIRE_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_WIRE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/http/http_client.h"
#include "services/judge/clients/attempt_error.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// What is used of a model; all of it at first, less once it is known to refuse something.
struct WireFeatures {
  bool structured = true;             // An answer by schema. Without, the schema is spelled out.
  bool probabilities = true;          // Where they are asked for.
  bool usual_max_tokens_name = true;  // OpenAI's models differ in what they call it.
  bool schema_with_tools = true;      // An answer by schema where tools are offered too.
  bool operator==(const WireFeatures&) const = default;
};

struct WireRequest {
  std::string path;  // Behind the base URL, with its query.
  std::vector<http::HttpHeader> headers;
  std::string body;
};

// Which feature a refusal is about.
enum class RefusedFeature { kNone, kSchema, kStructured, kProbabilities, kMaxTokensName };

// Pure functions, but for the constants that a wire is made with. Thread-safe.
class ProviderWire {
 public:
  virtual ~ProviderWire() = default;

  // INVALID_ARGUMENT for what cannot be said to this provider.
  virtual absl::StatusOr<WireRequest> Write(const ModelRequest& request, const std::string& model,
                                            const WireFeatures& features) const = 0;

  // Reads a 2xx answer. UNAVAILABLE MODEL_UNREACHABLE, marked retriable, if it is not what the
  // contract says; INVALID_ARGUMENT MODEL_REFUSED if the model or a content filter refuses.
  virtual absl::StatusOr<ModelResponse> Read(const ModelRequest& request, const std::string& model,
                                             const std::string& body) const = 0;

  // The header that carries the key.
  virtual http::HttpHeader KeyHeader(const std::string& key) const {
    return {"Authorization", "Bearer " + key};
  }

  // Why a request was refused, if it is a feature that can be left out. kSchema: this one schema,
  // not schemas as such.
  virtual RefusedFeature RefusedBy(int status, const ProviderError& error) const = 0;

  virtual bool HasProbabilities() const { return false; }

  // Whether the header Idempotency-Key means anything.
  virtual bool TakesIdempotencyKey() const { return false; }
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_PROVIDER_WIRE_H_
