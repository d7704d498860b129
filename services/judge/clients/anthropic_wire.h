// Anthropic's messages.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_ANTHROPIC_WIRE_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_ANTHROPIC_WIRE_H_

#include <string>
#include <utility>

#include "services/judge/clients/provider_wire.h"

namespace assay::judge {

inline constexpr int kDefaultMaxTokens = 4096;  // Anthropic wants a limit in each request.

// System messages go into `system`. An answer by schema is the input of a tool that the model must
// call; where other tools are offered too, it must call one of them or that one. Thread-safe.
class AnthropicWire final : public ProviderWire {
 public:
  explicit AnthropicWire(std::string uri_prefix) : uri_prefix_(std::move(uri_prefix)) {}

  absl::StatusOr<WireRequest> Write(const ModelRequest& request, const std::string& model,
                                    const WireFeatures& features) const override;
  absl::StatusOr<ModelResponse> Read(const ModelRequest& request, const std::string& model,
                                     const std::string& body) const override;
  http::HttpHeader KeyHeader(const std::string& key) const override { return {"x-api-key", key}; }
  RefusedFeature RefusedBy(int status, const ProviderError& error) const override;
  bool TakesIdempotencyKey() const override { return true; }

 private:
  const std::string uri_prefix_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_ANTHROPIC_WIRE_H_
