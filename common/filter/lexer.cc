#include "common/filter/lexer.h"

#include <utility>

#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::filter {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsWordPart(char c) { return IsLetter(c) || IsDigit(c) || c == '-'; }

}  // namespace

absl::Status FilterError(int column, std::string_view what) {
  return AddErrorMetadata(
      InvalidField("filter", StrCat("column ", column, ": ", what), "INVALID_FILTER"), "column",
      StrCat(column));
}

void Lexer::SkipSpace() {
  while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != text_.npos) ++at_;
}

int Lexer::Column(size_t at) const {
  return static_cast<int>(json::CountChars(text_.substr(0, at))) + 1;
}

Token Lexer::Take(Token::Kind kind, size_t length) {
  Token token{.kind = kind, .text = std::string(text_.substr(at_, length)), .column = Column(at_)};
  at_ += length;
  return token;
}

absl::StatusOr<Token> Lexer::Next() {
  SkipSpace();
  const bool after_dot = std::exchange(after_dot_, false);
  if (at_ >= text_.size()) return Take(Token::Kind::kEnd, 0);
  const char c = text_[at_];
  const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
  if (IsLetter(c) || (after_dot && IsWordPart(c))) return ReadWord();
  if (IsDigit(c) || (c == '-' && (IsDigit(next) || next == '.'))) return ReadNumber();
  switch (c) {
    case '"':
      return ReadString();
    case '`':
      return ReadQuotedWord();
    case '.':
      after_dot_ = true;
      return Take(Token::Kind::kDot, 1);
    case '(':
      return Take(Token::Kind::kOpen, 1);
    case ')':
      return Take(Token::Kind::kClose, 1);
    case '*':
      return Take(Token::Kind::kStar, 1);
    case ':':
      return Take(Token::Kind::kOperator, 1);
    case '=':
      if (next == '=') return FilterError(Column(at_), "write = for equality");
      return Take(Token::Kind::kOperator, 1);
    case '<':
    case '>':
      return Take(Token::Kind::kOperator, next == '=' ? 2 : 1);
    case '!':
      if (next == '=') return Take(Token::Kind::kOperator, 2);
      return FilterError(Column(at_), "write NOT for negation, != for inequality");
    case '\'':
      return FilterError(Column(at_), "write strings in double quotes");
    default:
      return FilterError(Column(at_),
                         StrCat("unexpected ", json::TruncateUtf8(text_.substr(at_), 1)));
  }
}

Token Lexer::ReadWord() {
  size_t end = at_;
  while (end < text_.size() && IsWordPart(text_[end])) ++end;
  return Take(Token::Kind::kWord, end - at_);
}

Token Lexer::ReadNumber() {
  size_t end = at_ + 1;
  while (end < text_.size()) {
    const char c = text_[end];
    const char before = text_[end - 1];
    const bool exponent_sign = (c == '-' || c == '+') && (before == 'e' || before == 'E');
    if (!IsDigit(c) && !IsLetter(c) && c != '.' && !exponent_sign) break;
    ++end;
  }
  return Take(Token::Kind::kNumber, end - at_);
}

absl::StatusOr<Token> Lexer::ReadQuotedWord() {
  const size_t close = text_.find('`', at_ + 1);
  if (close == text_.npos) return FilterError(Column(at_), "a back quote without its end");
  if (close == at_ + 1) return FilterError(Column(at_), "an empty name in back quotes");
  Token token = Take(Token::Kind::kQuotedWord, close + 1 - at_);
  token.text = token.text.substr(1, token.text.size() - 2);
  return token;
}

absl::StatusOr<Token> Lexer::ReadString() {
  Token token{.kind = Token::Kind::kString, .column = Column(at_)};
  ++at_;
  while (at_ < text_.size()) {
    const char c = text_[at_++];
    if (c == '"') return token;
    if (token.prefix) {
      return FilterError(Column(at_ - 2),
                         "* stands for a prefix at the end of a string only; write \\* for a star");
    }
    if (c == '*') {
      token.prefix = true;
    } else if (c != '\\') {
      token.text += c;
    } else {
      constexpr std::string_view kLetters = "\"\\*nt";
      constexpr std::string_view kMeanings = "\"\\*\n\t";
      const size_t found = at_ < text_.size() ? kLetters.find(text_[at_]) : kLetters.npos;
      if (found == kLetters.npos) {
        return FilterError(Column(at_ - 1), "an unknown escape; \\\" \\\\ \\* \\n \\t are known");
      }
      token.text += kMeanings[found];
      ++at_;
    }
  }
  return FilterError(token.column, "a string without its end");
}

}  // namespace assay::filter
