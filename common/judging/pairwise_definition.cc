#include "common/judging/pairwise_definition.h"

#include "common/json/utf8.h"
#include "common/judging/judge_path.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judging {

absl::Status ValidatePairwiseJudge(const registry::v1::PairwiseJudge& judge,
                                   std::string_view field) {
  constexpr size_t kMaxInstructionsBytes = 64 * 1024;
  if (judge.instructions().size() > kMaxInstructionsBytes) {
    return InvalidField(StrCat(field, ".instructions"), "must have at most 64 KiB");
  }
  if (judge.second().empty()) return absl::OkStatus();
  return ParseJudgePath(judge.second(), StrCat(field, ".second")).status();
}

common::v1::ValueType PairwiseValueType() {
  common::v1::ValueType type;
  for (const char* category : {"first", "second", "tie"}) {
    type.mutable_category_type()->add_categories(category);
  }
  return type;
}

}  // namespace assay::judging
