// The words of a filter. Private to the parser.
#ifndef ASSAY_COMMON_FILTER_LEXER_H_
#define ASSAY_COMMON_FILTER_LEXER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace assay::filter {

struct Token {
  enum class Kind : uint8_t {
    kWord,        // An identifier, AND, OR or NOT.
    kQuotedWord,  // An identifier in back quotes.
    kString,
    kNumber,  // A number or a duration: what begins with a digit or a minus.
    kOperator,
    kDot,
    kOpen,
    kClose,
    kStar,
    kEnd,
  };

  Kind kind = Kind::kEnd;
  std::string text;     // Strings: unescaped, without a trailing star.
  bool prefix = false;  // A string that ended in a star.
  int column = 0;       // 1-based, in characters.

  bool Is(std::string_view word) const { return kind == Kind::kWord && text == word; }
};

// The error of every problem with a filter: INVALID_ARGUMENT, reason INVALID_FILTER, field
// `filter`.
absl::Status FilterError(int column, std::string_view what);

// Cuts a filter into tokens. `text` is valid UTF-8 and outlives the lexer. Not thread-safe.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  absl::StatusOr<Token> Next();

 private:
  void SkipSpace();
  int Column(size_t at) const;
  Token Take(Token::Kind kind, size_t length);
  absl::StatusOr<Token> ReadString();
  absl::StatusOr<Token> ReadQuotedWord();
  Token ReadWord();
  Token ReadNumber();

  std::string_view text_;
  size_t at_ = 0;
  bool after_dot_ = false;
};

}  // namespace assay::filter

#endif  // ASSAY_COMMON_FILTER_LEXER_H_
