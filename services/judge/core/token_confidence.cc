#include "services/judge/core/token_confidence.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "common/json/json_reader.h"
#include "common/strings/strings.h"

namespace assay::judge {

namespace {

using common::v1::ValueType;

constexpr int64_t kMaxListedIntegers = 1'000;
constexpr int kMaxObjectsTried = 32;

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

size_t SkipSpace(std::string_view text, size_t at) {
  while (at < text.size() && IsSpace(text[at])) ++at;
  return at;
}

// Behind the string that begins at `at`; npos if it does not end.
size_t EndOfString(std::string_view text, size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return std::string_view::npos;
}

// Behind the value that begins at `at`; npos if it does not end.
size_t EndOfValue(std::string_view text, size_t at) {
  int depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = EndOfString(text, at);
      if (at == std::string_view::npos || depth == 0) return at;
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') {
      if (depth == 0) return at;
      if (--depth == 0) return at + 1;
    }
    if (depth == 0 && (c == ',' || IsSpace(c))) return at;
    ++at;
  }
  return std::string_view::npos;
}

// The span of `result` in the object that begins at `at`.
std::optional<std::pair<size_t, size_t>> ResultOfObject(std::string_view text, size_t at) {
  at = SkipSpace(text, at + 1);
  while (at < text.size() && text[at] == '"') {
    const size_t key_end = EndOfString(text, at);
    if (key_end == std::string_view::npos) return std::nullopt;
    const bool is_result = text.substr(at, key_end - at) == "\"result\"";
    at = SkipSpace(text, key_end);
    if (at >= text.size() || text[at] != ':') return std::nullopt;
    const size_t begin = SkipSpace(text, at + 1);
    const size_t end = EndOfValue(text, begin);
    if (end == std::string_view::npos) return std::nullopt;
    if (is_result) return std::pair(begin, end);
    at = SkipSpace(text, end);
    if (at >= text.size() || text[at] != ',') return std::nullopt;
    at = SkipSpace(text, at + 1);
  }
  return std::nullopt;
}

std::string Lower(std::string_view text) { return absl::AsciiStrToLower(ToAbsl(text)); }

// The values of a type as JSON texts in lower case. Empty: any whole number.
std::vector<std::string> Candidates(const ValueType& type) {
  std::vector<std::string> candidates;
  if (type.has_bool_type()) return {"true", "false"};
  for (const std::string& category : type.category_type().categories()) {
    candidates.push_back(Lower(json::JsonString(category)));
  }
  const common::v1::IntegerType& integer = type.integer_type();
  if (type.has_integer_type() && integer.has_minimum() && integer.has_maximum() &&
      integer.minimum() > -kMaxListedIntegers && integer.maximum() < kMaxListedIntegers) {
    for (int64_t n = integer.minimum(); n <= integer.maximum(); ++n)
      candidates.push_back(StrCat(n));
  }
  return candidates;
}

bool GoesOn(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.'; }

// Whether the text read so far, `spelled`, goes on towards `candidate`, or has passed its end.
bool LeadsTo(std::string_view spelled, std::string_view candidate) {
  if (spelled.size() <= candidate.size()) {
    return candidate.substr(0, spelled.size()) == spelled;
  }
  return spelled.substr(0, candidate.size()) == candidate &&
         (candidate.back() == '"' || !GoesOn(spelled[candidate.size()]));
}

bool LeadsToInteger(std::string_view spelled) {
  size_t at = !spelled.empty() && spelled.front() == '-' ? 1 : 0;
  const size_t first = at;
  while (at < spelled.size() && absl::ascii_isdigit(static_cast<unsigned char>(spelled[at]))) ++at;
  return at == spelled.size() || (at > first && !GoesOn(spelled[at]));
}

// Spells the value token by token, and multiplies what each step had to say.
class Spelling {
 public:
  Spelling(const ValueType& type, std::string_view value)
      : value_(Lower(value)), candidates_(Candidates(type)) {
    if (!candidates_.empty() &&
        std::find(candidates_.begin(), candidates_.end(), value_) == candidates_.end()) {
      candidates_.push_back(value_);
    }
  }

  // `before` is what stands of the value before the token, `lead` what the token has before the
  // value.
  void Take(const TokenProbability& token, std::string_view before, std::string_view lead) {
    double towards_value = 0;
    double towards_any = 0;
    const auto add = [&](std::string_view text, double probability) {
      const std::optional<std::string> spelled = Spelled(text, before, lead);
      if (!spelled.has_value()) return;
      if (LeadsTo(*spelled, value_)) towards_value += probability;
      if (LeadsToAny(*spelled)) towards_any += probability;
    };
    bool listed = false;
    for (const auto& [text, probability] : token.alternatives) {
      listed = listed || text == token.token;
      add(text, probability);
    }
    if (!listed) add(token.token, token.probability);
    if (token.alternatives.empty()) {
      if (IsChoice(Lower(before))) product_ *= token.probability;
    } else if (towards_any > 0) {
      product_ *= towards_value / towards_any;
    }
  }

  double product() const { return std::clamp(product_, 0.0, 1.0); }

 private:
  static std::optional<std::string> Spelled(std::string_view text, std::string_view before,
                                            std::string_view lead) {
    if (text.substr(0, lead.size()) == lead) {
      text.remove_prefix(lead.size());
    } else if (SkipSpace(lead, 0) == lead.size()) {
      text.remove_prefix(SkipSpace(text, 0));
    } else {
      return std::nullopt;
    }
    // What adds nothing to the value decides nothing.
    if (text.empty() && before.empty()) return std::nullopt;
    return Lower(StrCat(before, text));
  }

  bool LeadsToAny(std::string_view spelled) const {
    if (candidates_.empty()) return LeadsToInteger(spelled);
    return std::any_of(candidates_.begin(), candidates_.end(),
                       [&](const std::string& candidate) { return LeadsTo(spelled, candidate); });
  }

  // Whether more than one value is still possible after `before`.
  bool IsChoice(std::string_view before) const {
    if (candidates_.empty()) return true;
    return std::count_if(candidates_.begin(), candidates_.end(), [&](const std::string& candidate) {
             return LeadsTo(before, candidate);
           }) > 1;
  }

  const std::string value_;
  std::vector<std::string> candidates_;
  double product_ = 1;
};

}  // namespace

std::optional<std::pair<size_t, size_t>> ResultSpan(std::string_view answer) {
  size_t at = answer.find('{');
  for (int tried = 0; at != std::string_view::npos && tried < kMaxObjectsTried; ++tried) {
    if (auto span = ResultOfObject(answer, at)) return span;
    at = answer.find('{', at + 1);
  }
  return std::nullopt;
}

std::optional<double> TokenConfidence(const ValueType& type, std::string_view answer,
                                      absl::Span<const TokenProbability> tokens) {
  const auto span = ResultSpan(answer);
  if (!span.has_value() || span->first == span->second || tokens.empty()) return std::nullopt;
  const auto [begin, end] = *span;
  Spelling spelling(type, answer.substr(begin, end - begin));
  // A number ends with what follows it.
  const size_t last = answer[end - 1] == '"' ? end : end + 1;
  size_t at = 0;
  for (const TokenProbability& token : tokens) {
    if (answer.substr(at, token.token.size()) != token.token) return std::nullopt;
    const size_t next = at + token.token.size();
    if (next > begin && at < last && !token.token.empty()) {
      const size_t from = std::max(at, begin);
      spelling.Take(token, answer.substr(begin, from - begin),
                    at < begin ? answer.substr(at, begin - at) : std::string_view());
    }
    at = next;
  }
  if (at < end) return std::nullopt;
  return spelling.product();
}

}  // namespace assay::judge
