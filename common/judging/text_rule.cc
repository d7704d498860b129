#include "common/judging/text_rule.h"

#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judging {

absl::Status ValidateText(std::string_view text, std::string_view field, std::string_view reason) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return InvalidField(field, "must not be empty", reason);
  }
  if (text.size() > kMaxTextBytes) {
    return InvalidField(field, StrCat("has ", text.size(), " bytes; at most 64 KiB are allowed"),
                        reason);
  }
  return absl::OkStatus();
}

}  // namespace assay::judging
