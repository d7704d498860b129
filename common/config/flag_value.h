// Text to typed value and back. Private to the flags.
#ifndef ASSAY_COMMON_CONFIG_FLAG_VALUE_H_
#define ASSAY_COMMON_CONFIG_FLAG_VALUE_H_

#include <string>
#include <string_view>

#include "common/config/flags.h"

namespace assay::config {

// Stores the value of `text` if it is of the target's type and within `options`; else returns what
// is wanted
// ("must be a whole number") and changes nothing. "" means stored.
std::string StoreValue(std::string_view text, const FlagOptions& options, FlagSet::Target target);

// As it would be written on a command line.
std::string ValueText(const FlagSet::Target& target);

// "duration", "list", …; for help.
std::string_view TypeName(const FlagSet::Target& target);

}  // namespace assay::config

#endif  // ASSAY_COMMON_CONFIG_FLAG_VALUE_H_
