// Reads a verdict out of a model's answer.
#ifndef ASSAY_SERVICES_JUDGE_CORE_VERDICT_H_
#define ASSAY_SERVICES_JUDGE_CORE_VERDICT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "assay/common/v1/value.pb.h"
#include "common/json/safe_json.h"

namespace assay::judge {

inline constexpr size_t kMaxAnswerBytes = size_t{1} << 20;

struct Verdict {
  std::string result;  // JSON text, a value of the declared type.
  std::string rationale;
};

// Why an answer is no verdict: ANSWER_UNREADABLE, ANSWER_TRUNCATED or VALUE_OUTSIDE_TYPE, and what
// is wrong, in words for people and for the model alike.
struct AnswerViolation {
  std::string code;
  std::string message;
};

// Takes the first JSON object in `answer` that has a `result`, whatever stands around it (a
// Markdown fence, a sentence), and holds the result to `type`. Two liberties: a category may differ
// in case and outer white space, and with `yes_or_no` known words for yes and no are taken for
// them. `truncated` says that a token limit cut the answer; one that is complete nevertheless is
// taken. Thread-safe.
std::variant<Verdict, AnswerViolation> ReadVerdict(const common::v1::ValueType& type,
                                                   bool yes_or_no, std::string_view answer,
                                                   bool truncated);

// The first JSON object in `answer` (valid UTF-8) that has a `result`; else, in words, why there is
// none.
std::variant<json::Node, std::string> FindAnswerObject(std::string_view answer);

// `"yes"` or `"no"` for a known word for either, a boolean, 1 or 0; else nullopt.
std::optional<std::string> YesOrNoWord(const json::Node& result);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_VERDICT_H_
