// What models cost: prices per million tokens.
#ifndef ASSAY_COMMON_PRICING_PRICE_TABLE_H_
#define ASSAY_COMMON_PRICING_PRICE_TABLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

namespace assay::pricing {

// US dollars per million tokens.
struct Price {
  std::string entry;     // Names the entry: provider, pattern and date.
  std::string provider;  // Lower case; empty for any.
  std::string model;     // Lower case; `*` stands for any text.
  int64_t from_unix_s =
      0;  // Holds for calls that start then or later, up to the next entry's date.
  double input = 0;
  double output = 0;
  std::optional<double> cache_read;   // Absent: `input`.
  std::optional<double> cache_write;  // Absent: `input`.
  std::optional<double> reasoning;    // Absent: `output`.
};

// Immutable once parsed, so safe to read from many threads.
class PriceTable {
 public:
  // Public list prices that this build carries; prices.json says of which day. Never destroyed.
  static const PriceTable& BuiltIn();
  // Reads what docs/span_meaning.md describes. Errors: INVALID_ARGUMENT, reason
  // INVALID_PRICE_TABLE, naming the entry and what is allowed.
  static absl::StatusOr<PriceTable> Parse(std::string_view json);
  // The built-in table if `path` is empty. Errors: also NOT_FOUND if the file cannot be read.
  static absl::StatusOr<PriceTable> Load(const std::string& path);

  // Letter case does not matter. A pattern without `*` also stands for the model's dated and
  // numbered versions (`-2024-08-06`, `@20250514`, `-001`, `-latest`) and is tried before patterns
  // with one; of those, the one with the most literal characters wins, and an entry for the
  // provider before one for any. A name like `vendor/model` is also looked up as `model`. Null if
  // there is no price for the model at that time.
  const Price* Find(std::string_view provider, std::string_view model, int64_t unix_s) const;

 private:
  PriceTable() = default;
  const Price* FindName(std::string_view provider, std::string_view model, int64_t unix_s) const;
  const Price* FindExact(std::string_view provider, std::string_view model, int64_t unix_s) const;

  // Entries of one (provider, pattern), the latest date first.
  using Versions = std::vector<Price>;
  static const Price* At(const Versions& versions, int64_t unix_s);

  absl::flat_hash_map<std::string, Versions> exact_;  // By provider, newline, model.
  std::vector<Versions> patterns_;                    // In the order in which they are tried.
};

}  // namespace assay::pricing

#endif  // ASSAY_COMMON_PRICING_PRICE_TABLE_H_
