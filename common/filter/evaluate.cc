#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "common/filter/filter.h"

namespace assay::filter {
namespace {

using Kind = Literal::Kind;
using Prefix = std::vector<std::string>;

template <class T>
bool Ordered(const T& left, Op op, const T& right) {
  switch (op) {
    case Op::kEquals:
      return left == right;
    case Op::kNotEquals:
      return !(left == right);
    case Op::kLess:
      return left < right;
    case Op::kLessEquals:
      return left <= right;
    case Op::kGreater:
      return left > right;
    case Op::kGreaterEquals:
      return left >= right;
    default:
      return false;
  }
}

bool ContainsIgnoringCase(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char a, char b) {
                       return absl::ascii_tolower(static_cast<unsigned char>(a)) ==
                              absl::ascii_tolower(static_cast<unsigned char>(b));
                     }) != text.end() ||
         part.empty();
}

bool CompareText(std::string_view value, Op op, const Literal& literal) {
  if (literal.kind != Kind::kString && literal.kind != Kind::kWord) return false;
  if (op == Op::kPrefix) return value.substr(0, literal.text.size()) == literal.text;
  if (op == Op::kContains) return ContainsIgnoringCase(value, literal.text);
  return Ordered<std::string_view>(value, op, literal.text);
}

bool CompareOf(const std::string& value, Op op, const Literal& literal) {
  return CompareText(value, op, literal);
}
bool CompareOf(int64_t value, Op op, const Literal& literal) {
  if (literal.kind != Kind::kNumber) return false;
  if (literal.integer) return Ordered<int64_t>(value, op, *literal.integer);
  return Ordered<double>(static_cast<double>(value), op, literal.number);
}
bool CompareOf(double value, Op op, const Literal& literal) {
  return literal.kind == Kind::kNumber && Ordered<double>(value, op, literal.number);
}
bool CompareOf(bool value, Op op, const Literal& literal) {
  if (literal.kind != Kind::kBool) return false;
  if (op != Op::kEquals && op != Op::kNotEquals) return false;
  return Ordered<bool>(value, op, literal.boolean);
}
bool CompareOf(absl::Time value, Op op, const Literal& literal) {
  return literal.time.has_value() && Ordered<absl::Time>(value, op, *literal.time);
}
bool CompareOf(absl::Duration value, Op op, const Literal& literal) {
  return literal.kind == Kind::kDuration && Ordered<absl::Duration>(value, op, literal.duration);
}

bool MatchesComparison(const Comparison& comparison, const FieldSource& source) {
  std::vector<Value> values;
  source.Lookup(comparison.field, &values);
  return CompareAll(values, comparison);
}

// Within one group: no more grouping.
bool MatchesGroup(const Expr& expr, const FieldSource& group) {
  const auto matches = [&](const Expr& child) { return MatchesGroup(child, group); };
  switch (expr.kind) {
    case Expr::Kind::kCompare:
      return MatchesComparison(expr.comparison, group);
    case Expr::Kind::kNot:
      return !MatchesGroup(expr.children[0], group);
    case Expr::Kind::kAnd:
      return std::all_of(expr.children.begin(), expr.children.end(), matches);
    case Expr::Kind::kOr:
      return std::any_of(expr.children.begin(), expr.children.end(), matches);
  }
  return false;
}

// The prefix that all comparisons below share; nullopt if they do not share one, or one is under a
// NOT, which speaks of the whole item, or in a scope, which looks for a group of its own.
std::optional<Prefix> SharedPrefix(const Expr& expr) {
  if (expr.kind == Expr::Kind::kNot || expr.scope) return std::nullopt;
  if (expr.kind == Expr::Kind::kCompare) {
    const std::vector<std::string>& field = expr.comparison.field;
    if (field.size() < 2) return std::nullopt;
    return Prefix(field.begin(), field.begin() + 2);
  }
  std::optional<Prefix> shared;
  for (const Expr& child : expr.children) {
    std::optional<Prefix> prefix = SharedPrefix(child);
    if (!prefix || (shared && *prefix != *shared)) return std::nullopt;
    shared = std::move(prefix);
  }
  return shared;
}

bool MatchesExpr(const Expr& expr, const FieldSource& source);

// Some one group satisfies all of `terms`; without groups, the item itself does.
bool MatchesOneGroup(const std::vector<const Expr*>& terms, const Prefix& prefix,
                     const FieldSource& source) {
  const auto groups = source.Groups(prefix);
  if (!groups) {
    return std::all_of(terms.begin(), terms.end(),
                       [&](const Expr* term) { return MatchesGroup(*term, source); });
  }
  return std::any_of(groups->begin(), groups->end(), [&](const auto& group) {
    return std::all_of(terms.begin(), terms.end(),
                       [&](const Expr* term) { return MatchesGroup(*term, *group); });
  });
}

bool MatchesConjunction(const std::vector<Expr>& children, const FieldSource& source) {
  std::map<Prefix, std::vector<const Expr*>> correlated;
  for (const Expr& child : children) {
    if (std::optional<Prefix> prefix = SharedPrefix(child)) {
      correlated[*std::move(prefix)].push_back(&child);
    } else if (!MatchesExpr(child, source)) {
      return false;
    }
  }
  return std::all_of(correlated.begin(), correlated.end(), [&](const auto& entry) {
    return MatchesOneGroup(entry.second, entry.first, source);
  });
}

bool MatchesExpr(const Expr& expr, const FieldSource& source) {
  switch (expr.kind) {
    case Expr::Kind::kNot:
      return !MatchesExpr(expr.children[0], source);
    case Expr::Kind::kAnd:
      return MatchesConjunction(expr.children, source);
    case Expr::Kind::kOr:
      return std::any_of(expr.children.begin(), expr.children.end(),
                         [&](const Expr& child) { return MatchesExpr(child, source); });
    case Expr::Kind::kCompare:
      break;
  }
  if (const std::optional<Prefix> prefix = SharedPrefix(expr)) {
    return MatchesOneGroup({&expr}, *prefix, source);
  }
  return MatchesComparison(expr.comparison, source);
}

}  // namespace

std::optional<std::vector<std::unique_ptr<FieldSource>>> FieldSource::Groups(
    absl::Span<const std::string> prefix) const {
  return std::nullopt;
}

bool CompareValue(const Value& value, Op op, const Literal& literal) {
  return std::visit([&](const auto& held) { return CompareOf(held, op, literal); }, value);
}

bool CompareAll(absl::Span<const Value> values, const Comparison& comparison) {
  const auto holds = [&](Op op) {
    return std::any_of(values.begin(), values.end(), [&](const Value& value) {
      return CompareValue(value, op, comparison.literal);
    });
  };
  if (comparison.op == Op::kPresent) return !values.empty();
  if (comparison.op == Op::kNotEquals) return !values.empty() && !holds(Op::kEquals);
  return holds(comparison.op);
}

bool Matches(const Filter& filter, const FieldSource& source) {
  return filter.empty() || MatchesExpr(filter.root(), source);
}

}  // namespace assay::filter
