// One verdict of a judge on a labelled case.
#ifndef ASSAY_SERVICES_ALIGNMENT_CORE_JUDGEMENT_H_
#define ASSAY_SERVICES_ALIGNMENT_CORE_JUDGEMENT_H_

#include <string>

#include "assay/judge/v1/judge_service.pb.h"

namespace assay::alignment {

struct Judgement {
  bool has_value = false;
  std::string value;       // JSON text.
  std::string key;         // The value in its one spelling.
  std::string error_code;  // Without a value: why.
  std::string error_message;
  std::string answered_by;  // The model, by its own name.

  // Whether the judge says what people say. Without a value it does not.
  bool Says(const std::string& other_key) const { return has_value && key == other_key; }
  // Whether the model, and not the item, was at fault.
  bool ModelWasAway() const { return !has_value && error_code.starts_with("MODEL_"); }
};

// Thread-safe.
Judgement ToJudgement(const judge::v1::JudgeResponse& response);

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_CORE_JUDGEMENT_H_
