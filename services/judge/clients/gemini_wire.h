// Google's generateContent.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_GEMINI_WIRE_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_GEMINI_WIRE_H_

#include <string>
#include <utility>

#include "services/judge/clients/provider_wire.h"

namespace assay::judge {

// Gemini takes no schema together with tools: it is spelled out then. Its calls of tools have no
// ids: they are made up, and hold the signature of the thought that the provider wants back.
// Thread-safe.
class GeminiWire final : public ProviderWire {
 public:
  explicit GeminiWire(std::string uri_prefix) : uri_prefix_(std::move(uri_prefix)) {}

  absl::StatusOr<WireRequest> Write(const ModelRequest& request, const std::string& model,
                                    const WireFeatures& features) const override;
  absl::StatusOr<ModelResponse> Read(const ModelRequest& request, const std::string& model,
                                     const std::string& body) const override;
  http::HttpHeader KeyHeader(const std::string& key) const override {
    return {"x-goog-api-key", key};
  }
  RefusedFeature RefusedBy(int status, const ProviderError& error) const override;
  bool HasProbabilities() const override { return true; }

 private:
  const std::string uri_prefix_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_GEMINI_WIRE_H_
