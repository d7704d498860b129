// OpenAI's chat completions, as OpenAI, Azure, Databricks and many servers speak them.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_OPENAI_WIRE_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_OPENAI_WIRE_H_

#include <string>
#include <utility>

#include "services/judge/clients/provider_wire.h"

namespace assay::judge {

// Thread-safe.
class OpenAiWire final : public ProviderWire {
 public:
  // kPlain: the model stands in the body. kAzure: a deployment stands in the path, the key in
  // api-key. kDatabricks: an endpoint stands in the path.
  enum class Place { kPlain, kAzure, kDatabricks };
  struct Options {
    std::string uri_prefix;  // Names the provider in errors.
    Place place = Place::kPlain;
    std::string api_version;  // Of kAzure.
    // OpenAI's own models refuse max_tokens; other servers know nothing else.
    bool max_completion_tokens = false;
  };

  explicit OpenAiWire(Options options) : options_(std::move(options)) {}

  absl::StatusOr<WireRequest> Write(const ModelRequest& request, const std::string& model,
                                    const WireFeatures& features) const override;
  absl::StatusOr<ModelResponse> Read(const ModelRequest& request, const std::string& model,
                                     const std::string& body) const override;
  http::HttpHeader KeyHeader(const std::string& key) const override;
  RefusedFeature RefusedBy(int status, const ProviderError& error) const override;
  bool HasProbabilities() const override { return true; }
  bool TakesIdempotencyKey() const override { return true; }

 private:
  absl::StatusOr<std::string> PathFor(const std::string& model) const;

  const Options options_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_OPENAI_WIRE_H_
