// Collects what is wrong with one request.
#ifndef ASSAY_SERVICES_FEEDBACK_CORE_PROBLEMS_H_
#define ASSAY_SERVICES_FEEDBACK_CORE_PROBLEMS_H_

#include <string_view>

#include "absl/status/status.h"
#include "common/status/errors.h"

namespace assay::feedback {

// FieldErrors that keeps the reason of a problem that comes alone (INVALID_JSON, INVALID_NAME);
// several together are INVALID_FIELD. Not thread-safe.
class Problems {
 public:
  void Add(std::string_view field, std::string_view description) {
    Add(field, InvalidField(field, description));
  }
  // Ignores OK.
  void Add(std::string_view field, const absl::Status& status) {
    if (status.ok()) return;
    if (only_.ok()) only_ = status;
    errors_.Add(field, status);
    ++count_;
  }

  absl::Status ToStatus() const { return count_ > 1 ? errors_.ToStatus() : only_; }

 private:
  FieldErrors errors_;
  absl::Status only_;
  int count_ = 0;
};

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_CORE_PROBLEMS_H_
