#include "common/filter/ast.h"

#include <algorithm>

#include "common/strings/strings.h"

namespace assay::filter {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool NeedsQuotes(std::string_view segment, bool first) {
  if (segment.empty() || segment == "AND" || segment == "OR" || segment == "NOT") return true;
  if (first && !IsLetter(segment.front())) return true;
  return !std::all_of(segment.begin(), segment.end(),
                      [](char c) { return IsLetter(c) || (c >= '0' && c <= '9') || c == '-'; });
}

std::string LiteralText(const Comparison& comparison) {
  const Literal& literal = comparison.literal;
  if (literal.kind == Literal::Kind::kNone) return "*";
  if (literal.kind != Literal::Kind::kString) return literal.text;
  std::string out = "\"";
  for (const char c : literal.text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      if (c == '"' || c == '\\' || c == '*') out += '\\';
      out += c;
    }
  }
  if (comparison.op == Op::kPrefix) out += '*';
  return out + "\"";
}

}  // namespace

std::string_view OpText(Op op) {
  switch (op) {
    case Op::kEquals:
    case Op::kPrefix:
      return "=";
    case Op::kNotEquals:
      return "!=";
    case Op::kLess:
      return "<";
    case Op::kLessEquals:
      return "<=";
    case Op::kGreater:
      return ">";
    case Op::kGreaterEquals:
      return ">=";
    case Op::kContains:
    case Op::kPresent:
      return ":";
  }
  return "?";
}

std::string FieldText(const std::vector<std::string>& segments) {
  std::string out;
  for (size_t i = 0; i < segments.size(); ++i) {
    if (i > 0) out += '.';
    if (NeedsQuotes(segments[i], i == 0)) {
      StrAppend(&out, "`", segments[i], "`");
    } else {
      out += segments[i];
    }
  }
  return out;
}

std::string ExprText(const Expr& expr) {
  switch (expr.kind) {
    case Expr::Kind::kCompare:
      return StrCat(FieldText(expr.comparison.field), " ", OpText(expr.comparison.op), " ",
                    LiteralText(expr.comparison));
    case Expr::Kind::kNot:
      return StrCat("NOT (", ExprText(expr.children[0]), ")");
    case Expr::Kind::kAnd:
    case Expr::Kind::kOr:
      break;
  }
  std::string out;
  for (const Expr& child : expr.children) {
    if (!out.empty()) out += expr.kind == Expr::Kind::kAnd ? " AND " : " OR ";
    const bool simple = child.kind == Expr::Kind::kCompare || child.kind == Expr::Kind::kNot;
    out += simple ? ExprText(child) : StrCat("(", ExprText(child), ")");
  }
  return out;
}

}  // namespace assay::filter
