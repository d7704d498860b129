// Amazon Bedrock's Converse API.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_BEDROCK_WIRE_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_BEDROCK_WIRE_H_

#include <string>
#include <utility>

#include "services/judge/clients/provider_wire.h"

namespace assay::judge {

// An answer by schema is the input of a tool, as with Anthropic. Turns of one role that follow each
// other become one. The HTTP client signs what is sent. Thread-safe.
class BedrockWire final : public ProviderWire {
 public:
  explicit BedrockWire(std::string uri_prefix) : uri_prefix_(std::move(uri_prefix)) {}

  absl::StatusOr<WireRequest> Write(const ModelRequest& request, const std::string& model,
                                    const WireFeatures& features) const override;
  absl::StatusOr<ModelResponse> Read(const ModelRequest& request, const std::string& model,
                                     const std::string& body) const override;
  RefusedFeature RefusedBy(int status, const ProviderError& error) const override;

 private:
  const std::string uri_prefix_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_BEDROCK_WIRE_H_
