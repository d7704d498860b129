#include "services/judge/core/builtin/equivalence.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "common/json/canonical.h"
#include "common/json/safe_json.h"
#include "common/strings/strings.h"

namespace assay::judge {

namespace {

using json::Node;

constexpr double kRelativeTolerance = 1e-9;

std::string_view Trimmed(std::string_view text) {
  return ToStd(absl::StripAsciiWhitespace(ToAbsl(text)));
}

// Of a number, or of a text that is one; words such as `nan` are none.
std::optional<double> NumberOf(const Node& node) {
  if (node.is_number()) return node.AsDouble();
  if (!node.is_string()) return std::nullopt;
  const std::string_view text = Trimmed(node.text);
  if (text.empty() || text.find_first_not_of("0123456789+-.eE") != std::string_view::npos) {
    return std::nullopt;
  }
  double number = 0;
  if (!absl::SimpleAtod(ToAbsl(text), &number) || !std::isfinite(number)) return std::nullopt;
  return number;
}

bool Close(double a, double b) {
  return a == b || std::abs(a - b) <= kRelativeTolerance * std::max(std::abs(a), std::abs(b));
}

}  // namespace

std::optional<CodeDecision> EquivalentByCode(std::string_view response, std::string_view expected) {
  const absl::StatusOr<Node> a = json::ParseJson(response);
  const absl::StatusOr<Node> b = json::ParseJson(expected);
  if (!a.ok() || !b.ok()) return std::nullopt;
  if (a->is_string() && b->is_string() && Trimmed(a->text) == Trimmed(b->text)) {
    return CodeDecision{true, "The two texts are equal."};
  }
  const absl::StatusOr<std::string> x = json::CanonicalJson(response);
  const absl::StatusOr<std::string> y = json::CanonicalJson(expected);
  if (x.ok() && y.ok() && *x == *y) return CodeDecision{true, "The two values are equal."};
  if (a->is_bool() && b->is_bool()) return CodeDecision{false, "The one is true, the other false."};
  const std::optional<double> p = NumberOf(*a);
  const std::optional<double> q = NumberOf(*b);
  if (p.has_value() && q.has_value()) {
    if (Close(*p, *q)) return CodeDecision{true, "The two numbers are equal."};
    if (a->is_number() && b->is_number()) {
      return CodeDecision{false, "The two numbers are different."};
    }
  }
  return std::nullopt;
}

}  // namespace assay::judge
