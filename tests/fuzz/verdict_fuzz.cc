// A model's answer gives a verdict of the declared type, or a reason why not. The first byte is the
// type, the rest the answer.
#include <string>
#include <variant>
#include <vector>

#include "assay/common/v1/feedback.pb.h"
#include "assay/common/v1/value.pb.h"
#include "common/json/json_reader.h"
#include "services/judge/core/guideline_verdicts.h"
#include "services/judge/core/verdict.h"
#include "tests/fuzz/check.h"

namespace assay::judge {
namespace {

common::v1::ValueType TypeOf(uint8_t kind) {
  common::v1::ValueType type;
  switch (kind % 5) {
    case 0:
      type.mutable_bool_type();
      break;
    case 1:
      type.mutable_integer_type();
      break;
    case 2:
      type.mutable_number_type();
      break;
    case 3:
      type.mutable_string_type();
      break;
    default:
      type.mutable_category_type()->add_categories("yes");
      type.mutable_category_type()->add_categories("no");
  }
  return type;
}

}  // namespace
}  // namespace assay::judge

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace assay::judge;
  assay::fuzz::Input input(data, size);
  const uint8_t kind = input.Byte();
  const std::string answer(input.Rest());
  const auto outcome = ReadVerdict(TypeOf(kind), kind % 5 == 4, answer, (kind & 0x80) != 0);
  if (const Verdict* verdict = std::get_if<Verdict>(&outcome)) {
    FUZZ_CHECK(assay::json::ValidateJson(verdict->result).ok());
  } else {
    FUZZ_CHECK(!std::get<AnswerViolation>(outcome).code.empty());
  }
  constexpr int kGuidelines = 2;
  const auto each = ReadGuidelineVerdicts(answer, kGuidelines, "\"yes\"");
  if (const auto* parts = std::get_if<std::vector<assay::common::v1::FeedbackPart>>(&each)) {
    FUZZ_CHECK(parts->size() == kGuidelines);
    for (const auto& part : *parts) FUZZ_CHECK(part.value().json_text() == "\"yes\"");
  } else {
    FUZZ_CHECK(!std::get<AnswerViolation>(each).code.empty());
  }
  return 0;
}
