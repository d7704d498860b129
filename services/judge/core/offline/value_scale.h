// Turns goodness into a value of the asked type, and back.
#ifndef ASSAY_SERVICES_JUDGE_CORE_OFFLINE_VALUE_SCALE_H_
#define ASSAY_SERVICES_JUDGE_CORE_OFFLINE_VALUE_SCALE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/json/safe_json.h"

namespace assay::judge::offline {

// How good a category's name sounds, from 0 to 1; 0.5 if it says nothing. Thread-safe, as all here.
double SoundOf(std::string_view category);

// The values that a verdict may take, from the best to the worst.
class ValueScale {
 public:
  // From the schema of `result`. Unordered categories are ordered by how their names sound.
  static ValueScale FromSchema(const json::Node& result_schema, bool ordered);
  // From the spellings that occur, ordered by sound, or by number.
  static ValueScale FromValues(std::vector<std::string> values);

  bool has_categories() const { return !categories_.empty(); }
  const std::vector<std::string>& categories() const { return categories_; }
  size_t steps() const;  // How many levels there are: categories, or 2 for bool, or 4 for numbers.

  // The goodness of a value as judging::ValueKey spells it; nullopt if it is none of them.
  std::optional<double> GoodnessOf(std::string_view value) const;
  // The value for `goodness`, as JSON text. `text` stands for it where any text is allowed.
  std::string ValueFor(double goodness, std::string_view text) const;

 private:
  const json::Node* schema() const { return schema_.has_value() ? &*schema_ : nullptr; }

  std::vector<std::string> categories_;  // Best first.
  std::optional<json::Node> schema_;     // Where there are no categories.
};

}  // namespace assay::judge::offline

#endif  // ASSAY_SERVICES_JUDGE_CORE_OFFLINE_VALUE_SCALE_H_
