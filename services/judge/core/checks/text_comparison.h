// Texts as checks compare them.
#ifndef ASSAY_SERVICES_JUDGE_CORE_CHECKS_TEXT_COMPARISON_H_
#define ASSAY_SERVICES_JUDGE_CORE_CHECKS_TEXT_COMPARISON_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace assay::judge {

// `text` as code points; malformed bytes become U+FFFD. Thread-safe, as all here.
std::u32string CodePoints(std::string_view text);

// Upper-case letters of any script as lower-case ones, one by one (`ß` stays as it is).
std::string FoldCase(std::string_view text);

// Each run of white space (Unicode's) as one space, and none at the ends.
std::string CollapseWhiteSpace(std::string_view text);

// Where two texts begin to differ, in characters from 0; nullopt if they are equal.
std::optional<size_t> FirstDifference(std::string_view a, std::string_view b);

// "They differ at character 12: expected `...`, found `...`", with some characters around; for
// people.
std::string DescribeDifference(std::string_view expected, std::string_view found);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_CHECKS_TEXT_COMPARISON_H_
