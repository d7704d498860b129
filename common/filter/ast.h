// The parsed form of a filter.
#ifndef ASSAY_COMMON_FILTER_AST_H_
#define ASSAY_COMMON_FILTER_AST_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace assay::filter {

enum class Op : uint8_t {
  kEquals,         // =
  kNotEquals,      // !=
  kLess,           // <
  kLessEquals,     // <=
  kGreater,        // >
  kGreaterEquals,  // >=
  kContains,       // : "text", without regard to ASCII case
  kPrefix,         // = "text*"
  kPresent,        // : *
};

// As it is written in a filter ("=" for kPrefix, ":" for kPresent).
std::string_view OpText(Op op);

// The right side of a comparison.
struct Literal {
  enum class Kind : uint8_t { kString, kWord, kNumber, kBool, kDuration, kNone };

  Kind kind = Kind::kNone;         // kNone with kPresent only.
  std::string text;                // kString: unescaped, without a prefix's star; else as written.
  double number = 0;               // kNumber.
  std::optional<int64_t> integer;  // kNumber that is whole and fits.
  bool boolean = false;            // kBool.
  absl::Duration duration;         // kDuration.
  std::optional<absl::Time> time;  // kString that is an RFC 3339 timestamp.
  int column = 0;                  // 1-based, in characters.
};

struct Comparison {
  std::vector<std::string> field;  // Segments, without back quotes.
  Op op = Op::kEquals;
  Literal literal;
  int column = 0;  // Of the field; 1-based, in characters.
};

struct Expr {
  enum class Kind : uint8_t { kAnd, kOr, kNot, kCompare };

  Kind kind = Kind::kCompare;
  std::vector<Expr> children;  // kAnd, kOr: two or more; kNot: one; a scope: one or more.
  bool scope = false;          // kAnd in parentheses: its terms speak of a group of their own.
  Comparison comparison;       // kCompare.
};

// A parsed filter; without an expression it matches everything. A plain value.
class Filter {
 public:
  Filter() = default;
  explicit Filter(Expr root) : root_(std::move(root)) {}

  bool empty() const { return !root_.has_value(); }
  const Expr& root() const { return *root_; }  // Only if not empty().

 private:
  std::optional<Expr> root_;
};

// The field as it would be written: segments joined by dots, back-quoted where they must be.
std::string FieldText(const std::vector<std::string>& segments);

// A canonical text of the expression, for fingerprints and messages.
std::string ExprText(const Expr& expr);

}  // namespace assay::filter

#endif  // ASSAY_COMMON_FILTER_AST_H_
