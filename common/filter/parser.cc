#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/time/time.h"
#include "common/filter/filter.h"
#include "common/filter/lexer.h"
#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::filter {
namespace {

bool IsKeyword(const Token& token) { return token.Is("AND") || token.Is("OR") || token.Is("NOT"); }

std::string Shown(const Token& token) {
  return token.kind == Token::Kind::kEnd ? "the end"
                                         : StrCat("\"", json::PreviewOf(token.text, 40), "\"");
}

std::optional<Op> OpFromText(std::string_view text) {
  for (const Op op : {Op::kEquals, Op::kNotEquals, Op::kLess, Op::kLessEquals, Op::kGreater,
                      Op::kGreaterEquals, Op::kContains}) {
    if (OpText(op) == text) return op;
  }
  return std::nullopt;
}

absl::StatusOr<Literal> NumberLiteral(const Token& token) {
  Literal literal{.kind = Literal::Kind::kNumber, .text = token.text, .column = token.column};
  // SimpleAtod also takes "1_0", hexadecimal and words; here only decimal notation counts.
  const bool decimal = token.text.find_first_not_of("0123456789.+-eE") == std::string::npos;
  if (decimal && absl::SimpleAtod(token.text, &literal.number)) {
    if (!std::isfinite(literal.number)) return FilterError(token.column, "the number is too large");
    int64_t integer = 0;
    if (absl::SimpleAtoi(token.text, &integer)) literal.integer = integer;
    return literal;
  }
  if (absl::ParseDuration(token.text, &literal.duration)) {
    literal.kind = Literal::Kind::kDuration;
    return literal;
  }
  return FilterError(token.column,
                     StrCat(Shown(token),
                            " is no number like 0.5 and no duration like 1h30m, 30s or "
                            "250ms; write timestamps and texts in double quotes"));
}

Literal StringLiteral(const Token& token) {
  Literal literal{.kind = Literal::Kind::kString, .text = token.text, .column = token.column};
  absl::Time time;
  // The first character keeps out the words that Abseil reads as infinite times.
  if (!token.text.empty() && absl::ascii_isdigit(static_cast<unsigned char>(token.text[0])) &&
      absl::ParseTime(absl::RFC3339_full, token.text, &time, nullptr)) {
    literal.time = time;
  }
  return literal;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}

  absl::StatusOr<Filter> Parse() {
    ASSAY_RETURN_IF_ERROR(Advance());
    if (token_.kind == Token::Kind::kEnd) return Filter();
    ASSAY_ASSIGN_OR_RETURN(Expr root, ParseSequence(0));
    if (token_.kind != Token::Kind::kEnd) {
      return FilterError(token_.column,
                         StrCat("expected AND, OR or the end, found ", Shown(token_)));
    }
    return Filter(std::move(root));
  }

 private:
  absl::Status Advance() {
    ASSAY_ASSIGN_OR_RETURN(token_, lexer_.Next());
    return absl::OkStatus();
  }

  // Terms joined by AND, or by OR, but not by both.
  absl::StatusOr<Expr> ParseSequence(int depth) {
    ASSAY_ASSIGN_OR_RETURN(Expr first, ParseUnary(depth));
    if (!token_.Is("AND") && !token_.Is("OR")) return first;
    const std::string joint = token_.text;
    Expr sequence{.kind = joint == "AND" ? Expr::Kind::kAnd : Expr::Kind::kOr};
    Append(std::move(first), &sequence);
    while (token_.Is("AND") || token_.Is("OR")) {
      if (token_.text != joint) {
        return FilterError(token_.column,
                           "AND and OR are mixed; put parentheses around what belongs together");
      }
      ASSAY_RETURN_IF_ERROR(Advance());
      ASSAY_ASSIGN_OR_RETURN(Expr next, ParseUnary(depth));
      Append(std::move(next), &sequence);
    }
    return sequence;
  }

  // `(a OR b) OR c` is one disjunction of three. A conjunction in parentheses stays apart.
  static void Append(Expr child, Expr* sequence) {
    if (child.kind != sequence->kind || child.scope) {
      sequence->children.push_back(std::move(child));
      return;
    }
    for (Expr& grandchild : child.children) sequence->children.push_back(std::move(grandchild));
  }

  absl::StatusOr<Expr> ParseUnary(int depth) {
    if (depth >= kMaxFilterDepth) {
      return FilterError(token_.column, StrCat("nested deeper than ", kMaxFilterDepth));
    }
    if (token_.Is("NOT")) {
      ASSAY_RETURN_IF_ERROR(Advance());
      ASSAY_ASSIGN_OR_RETURN(Expr child, ParseUnary(depth + 1));
      Expr negation{.kind = Expr::Kind::kNot};
      negation.children.push_back(std::move(child));
      return negation;
    }
    if (token_.kind != Token::Kind::kOpen) return ParseComparison();
    const int open = token_.column;
    ASSAY_RETURN_IF_ERROR(Advance());
    ASSAY_ASSIGN_OR_RETURN(Expr inner, ParseSequence(depth + 1));
    if (token_.kind == Token::Kind::kEnd) return FilterError(open, "( without )");
    if (token_.kind != Token::Kind::kClose) {
      return FilterError(token_.column, StrCat("expected AND, OR or ), found ", Shown(token_)));
    }
    ASSAY_RETURN_IF_ERROR(Advance());
    return InParentheses(std::move(inner));
  }

  // What stands in parentheses and is no disjunction is a scope of its own.
  static Expr InParentheses(Expr inner) {
    if (inner.kind == Expr::Kind::kAnd) inner.scope = true;
    if (inner.kind != Expr::Kind::kCompare) return inner;
    Expr scope{.kind = Expr::Kind::kAnd};
    scope.scope = true;
    scope.children.push_back(std::move(inner));
    return scope;
  }

  absl::StatusOr<Expr> ParseComparison() {
    if (++terms_ > kMaxFilterTerms) {
      return FilterError(token_.column, StrCat("more than ", kMaxFilterTerms, " comparisons"));
    }
    Expr expr{.kind = Expr::Kind::kCompare};
    Comparison& comparison = expr.comparison;
    comparison.column = token_.column;
    ASSAY_ASSIGN_OR_RETURN(comparison.field, ParseField());
    const std::optional<Op> op =
        token_.kind == Token::Kind::kOperator ? OpFromText(token_.text) : std::nullopt;
    if (!op) {
      return FilterError(token_.column,
                         StrCat("expected one of = != < <= > >= : after ",
                                FieldText(comparison.field), ", found ", Shown(token_)));
    }
    comparison.op = *op;
    ASSAY_RETURN_IF_ERROR(Advance());
    ASSAY_RETURN_IF_ERROR(ParseLiteral(&comparison));
    return expr;
  }

  absl::StatusOr<std::vector<std::string>> ParseField() {
    std::vector<std::string> segments;
    while (true) {
      const bool word = token_.kind == Token::Kind::kWord;
      if ((!word && token_.kind != Token::Kind::kQuotedWord) ||
          (segments.empty() && IsKeyword(token_))) {
        return FilterError(token_.column, StrCat("expected a field's name, found ", Shown(token_)));
      }
      segments.push_back(token_.text);
      ASSAY_RETURN_IF_ERROR(Advance());
      if (token_.kind != Token::Kind::kDot) return segments;
      ASSAY_RETURN_IF_ERROR(Advance());
    }
  }

  absl::Status ParseLiteral(Comparison* comparison) {
    ASSAY_ASSIGN_OR_RETURN(comparison->literal, ReadLiteral());
    const Literal& literal = comparison->literal;
    const bool contains = comparison->op == Op::kContains;
    if (literal.kind == Literal::Kind::kNone) {
      if (!contains) return FilterError(literal.column, "* stands after : only (presence)");
      comparison->op = Op::kPresent;
    } else if (token_.prefix) {
      if (comparison->op != Op::kEquals) {
        return FilterError(literal.column,
                           "a prefix (a trailing *) stands after = only; write \\* for a star");
      }
      comparison->op = Op::kPrefix;
    } else if (contains && literal.kind != Literal::Kind::kString &&
               literal.kind != Literal::Kind::kWord) {
      return FilterError(literal.column, "after : stands a text in double quotes, or *");
    }
    return Advance();
  }

  // Does not advance.
  absl::StatusOr<Literal> ReadLiteral() const {
    switch (token_.kind) {
      case Token::Kind::kString:
        return StringLiteral(token_);
      case Token::Kind::kNumber:
        return NumberLiteral(token_);
      case Token::Kind::kStar:
        return Literal{.text = "*", .column = token_.column};
      case Token::Kind::kWord:
        if (IsKeyword(token_)) break;
        if (token_.text == "true" || token_.text == "false") {
          return Literal{.kind = Literal::Kind::kBool,
                         .text = token_.text,
                         .boolean = token_.text == "true",
                         .column = token_.column};
        }
        return Literal{.kind = Literal::Kind::kWord, .text = token_.text, .column = token_.column};
      default:
        break;
    }
    return FilterError(
        token_.column,
        StrCat("expected a value (\"text\", 0.5, 30s, true, WORD), found ", Shown(token_)));
  }

  Lexer lexer_;
  Token token_;
  int terms_ = 0;
};

}  // namespace

absl::StatusOr<Filter> ParseFilter(std::string_view text) {
  if (text.size() > kMaxFilterBytes) {
    return FilterError(1, StrCat("the filter has ", text.size(), " bytes, at most ",
                                 kMaxFilterBytes, " are allowed"));
  }
  if (!json::IsValidUtf8(text)) return FilterError(1, "the filter is not valid UTF-8");
  return Parser(text).Parse();
}

}  // namespace assay::filter
