// Names of models: `provider:/model`.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_MODEL_URI_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_MODEL_URI_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace assay::judge {

struct ModelUri {
  std::string provider;  // "openai" and others (provider_presets.h), "endpoints", "offline".
  std::string endpoint;  // Of endpoints: its name.
  std::string model;     // Empty only where an endpoint's own model is meant.
};

// Reads `<provider>:/m`, `endpoints:/name`, `endpoints:/name/m`, `offline:/m`; slashes
// before the name are dropped. Errors: INVALID_ARGUMENT INVALID_MODEL_URI, which lists the forms.
// Thread-safe.
absl::StatusOr<ModelUri> ParseModelUri(std::string_view uri);

// The error for a URI that means nothing here: `why`, then the forms.
absl::Status InvalidModelUri(std::string_view uri, std::string_view why);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_MODEL_URI_H_
