// assay.common.v1.JsonValue: what users put in, and the text that is stored of it.
#ifndef ASSAY_COMMON_JSON_JSON_VALUE_H_
#define ASSAY_COMMON_JSON_JSON_VALUE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "assay/common/v1/value.pb.h"
#include "common/json/json_reader.h"

namespace assay::json {

// The JSON text of `value`. `json_text` comes back as it is, once it is found valid (ReadJson's
// rules); `value` is printed compactly, with sorted keys and the shortest numbers that read back
// the same. Errors: INVALID_ARGUMENT naming `field`, reason INVALID_JSON; also if neither is set.
// Thread-safe, as all here.
absl::StatusOr<std::string> JsonText(const common::v1::JsonValue& value, std::string_view field,
                                     const ParseLimits& limits = {});

// For what is answered: `json_text` must be valid JSON already.
common::v1::JsonValue JsonFromText(std::string json_text);

// A JSON string of plain text, for what is answered.
common::v1::JsonValue JsonFromString(std::string_view plain);

}  // namespace assay::json

#endif  // ASSAY_COMMON_JSON_JSON_VALUE_H_
