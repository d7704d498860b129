#include "common/filter/order_by.h"

#include <algorithm>

#include "absl/strings/str_split.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::filter {
namespace {

absl::Status Refuse(std::string_view what) {
  return InvalidField("order_by", what, "INVALID_ORDER_BY");
}

}  // namespace

absl::StatusOr<std::vector<OrderTerm>> ParseOrderBy(std::string_view text,
                                                    absl::Span<const std::string_view> allowed,
                                                    int max_terms) {
  std::vector<OrderTerm> terms;
  if (text.find_first_not_of(" \t") == text.npos) return terms;
  for (const absl::string_view part : absl::StrSplit(ToAbsl(text.substr(0, 4096)), ',')) {
    const std::vector<std::string> words =
        absl::StrSplit(part, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    const bool direction = words.size() == 2 && (words[1] == "asc" || words[1] == "desc");
    if (words.size() != 1 && !direction) {
      return Refuse(
          "must be fields separated by commas, each with asc or desc after it or nothing");
    }
    if (std::find(allowed.begin(), allowed.end(), words[0]) == allowed.end()) {
      std::string known;
      for (const std::string_view field : allowed) {
        StrAppend(&known, known.empty() ? "" : ", ", field);
      }
      return Refuse(
          StrCat("cannot order by \"", words[0].substr(0, 100), "\"; allowed are ", known));
    }
    if (std::any_of(terms.begin(), terms.end(),
                    [&](const OrderTerm& term) { return term.field == words[0]; })) {
      return Refuse(StrCat("names ", words[0], " twice"));
    }
    if (terms.size() >= static_cast<size_t>(max_terms)) {
      return Refuse(StrCat("has more than ", max_terms, " fields"));
    }
    terms.push_back({words[0], direction && words[1] == "desc"});
  }
  return terms;
}

}  // namespace assay::filter
