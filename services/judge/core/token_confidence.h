// How probable a model found the value that it gave, by the probabilities of the answer's tokens.
#ifndef ASSAY_SERVICES_JUDGE_CORE_TOKEN_CONFIDENCE_H_
#define ASSAY_SERVICES_JUDGE_CORE_TOKEN_CONFIDENCE_H_

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/types/span.h"
#include "assay/common/v1/value.pb.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// Where the value of the answer's `result` stands in `answer`: begin and end, in bytes. Of several
// JSON objects the first with a `result` counts, as for ReadVerdict. Thread-safe, as all here.
std::optional<std::pair<size_t, size_t>> ResultSpan(std::string_view answer);

// The probability of the value of `result` among the values of `type` (bool, integer or category).
//
// It is the product, over the tokens that spell the value, of
//
//   sum of p(a) over the alternatives a that go on towards the value given
//   -----------------------------------------------------------------------
//   sum of p(a) over the alternatives a that go on towards any value of `type`
//
// where the alternatives are those that the provider listed, the token itself included. A token
// that all values share (a quotation mark) thus counts for 1, and what is no value at all (white
// space, other words) for nothing. Without listed alternatives, it is the product of the tokens'
// own probabilities. nullopt if there are no probabilities, or they do not spell the answer.
std::optional<double> TokenConfidence(const common::v1::ValueType& type, std::string_view answer,
                                      absl::Span<const TokenProbability> tokens);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_TOKEN_CONFIDENCE_H_
