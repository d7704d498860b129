// Paths of fields in errors about definitions.
#ifndef ASSAY_COMMON_JUDGING_FIELD_PATH_H_
#define ASSAY_COMMON_JUDGING_FIELD_PATH_H_

#include <string>
#include <string_view>

#include "common/strings/strings.h"

namespace assay::judging {

// `child` below `field`, which may be "": a request's definition lies below a field, a registered
// one is all there is. Thread-safe.
inline std::string FieldPath(std::string_view field, std::string_view child) {
  return field.empty() ? std::string(child) : StrCat(field, ".", child);
}

}  // namespace assay::judging

#endif  // ASSAY_COMMON_JUDGING_FIELD_PATH_H_
