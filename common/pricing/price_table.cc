#include "common/pricing/price_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/json/safe_json.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::pricing {
namespace {

constexpr std::string_view kBuiltInText =
#include "common/pricing/prices_text.inc"
    ;

constexpr size_t kMaxTableBytes = size_t{4} << 20;
constexpr size_t kMaxEntries = 10'000;
constexpr size_t kMaxNameChars = 200;
constexpr double kMaxPrice = 1'000'000;

absl::Status Invalid(std::string_view field, std::string_view description) {
  return InvalidField(field, description, "INVALID_PRICE_TABLE");
}

std::string Lower(std::string_view text) { return absl::AsciiStrToLower(ToAbsl(text)); }

// Iterative, linear in pattern times text at worst.
bool Matches(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t star = pattern.npos;
  size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

// Whether `part` says which version of a model is meant, not which model.
bool IsVersion(std::string_view part) {
  if (part == "latest") return true;
  if (part.size() > 1 && part.front() == 'v') part.remove_prefix(1);  // -v2:0
  const bool digits = std::all_of(part.begin(), part.end(),
                                  [](char c) { return (c >= '0' && c <= '9') || c == ':'; });
  // One digit may be part of the name: claude-sonnet-4.
  return digits && part.size() >= 3;
}

// The name without its last version mark; the same name if there is none.
std::string_view WithoutVersion(std::string_view model) {
  // 2024-08-06
  if (model.size() > 11 && model[model.size() - 3] == '-' && model[model.size() - 6] == '-' &&
      (model[model.size() - 11] == '-' || model[model.size() - 11] == '@')) {
    const std::string_view date = model.substr(model.size() - 10);
    if (std::all_of(date.begin(), date.end(),
                    [](char c) { return c == '-' || (c >= '0' && c <= '9'); })) {
      return model.substr(0, model.size() - 11);
    }
  }
  const size_t mark = model.find_last_of("-@");
  if (mark == model.npos || mark == 0 || !IsVersion(model.substr(mark + 1))) return model;
  return model.substr(0, mark);
}

absl::StatusOr<std::string> NameOf(const json::Node& entry, const std::string& where,
                                   std::string_view member, bool required) {
  const std::string field = StrCat(where, ".", member);
  const json::Node* node = entry.Find(member);
  if (node == nullptr) {
    if (required) return Invalid(field, "is required");
    return std::string();
  }
  if (!node->is_string() || node->text.empty() || node->text.size() > kMaxNameChars) {
    return Invalid(field, StrCat("a text of 1 to ", kMaxNameChars, " bytes is allowed"));
  }
  return Lower(node->text);
}

absl::StatusOr<std::optional<double>> PriceOf(const json::Node& entry, const std::string& where,
                                              std::string_view member, bool required) {
  const json::Node* node = entry.Find(member);
  const std::string field = StrCat(where, ".", member);
  if (node == nullptr) {
    if (required) return Invalid(field, "is required");
    return std::nullopt;
  }
  std::optional<double> price = node->AsDouble();
  if (!price.has_value() || !(*price >= 0 && *price <= kMaxPrice)) {
    return Invalid(field, "a number from 0 to 1000000 is allowed: US dollars per million tokens");
  }
  return price;
}

absl::StatusOr<int64_t> DateOf(const json::Node& entry, const std::string& where) {
  const json::Node* node = entry.Find("from");
  if (node == nullptr) return 0;
  absl::CivilDay day;
  if (!node->is_string() || node->text.size() != 10 || !absl::ParseCivilTime(node->text, &day)) {
    return Invalid(StrCat(where, ".from"), "a date like 2025-01-31 is allowed");
  }
  return absl::ToUnixSeconds(absl::FromCivil(day, absl::UTCTimeZone()));
}

constexpr std::string_view kMembers[] = {"provider", "model",      "from",        "input",
                                         "output",   "cache_read", "cache_write", "reasoning"};

absl::StatusOr<Price> ReadEntry(const json::Node& node, const std::string& where) {
  if (!node.is_object()) return Invalid(where, "an object is required");
  for (const json::Node& child : node.children) {
    if (std::find(std::begin(kMembers), std::end(kMembers), child.key) == std::end(kMembers)) {
      return Invalid(StrCat(where, ".", child.key),
                     "is unknown; allowed: provider, model, from, input, output, cache_read, "
                     "cache_write, reasoning");
    }
  }
  Price price;
  ASSAY_ASSIGN_OR_RETURN(price.provider, NameOf(node, where, "provider", false));
  ASSAY_ASSIGN_OR_RETURN(price.model, NameOf(node, where, "model", true));
  ASSAY_ASSIGN_OR_RETURN(price.from_unix_s, DateOf(node, where));
  ASSAY_ASSIGN_OR_RETURN(std::optional<double> input, PriceOf(node, where, "input", true));
  ASSAY_ASSIGN_OR_RETURN(std::optional<double> output, PriceOf(node, where, "output", true));
  price.input = *input;
  price.output = *output;
  ASSAY_ASSIGN_OR_RETURN(price.cache_read, PriceOf(node, where, "cache_read", false));
  ASSAY_ASSIGN_OR_RETURN(price.cache_write, PriceOf(node, where, "cache_write", false));
  ASSAY_ASSIGN_OR_RETURN(price.reasoning, PriceOf(node, where, "reasoning", false));
  price.entry = price.provider.empty() ? price.model : StrCat(price.provider, "/", price.model);
  if (const json::Node* from = node.Find("from")) price.entry += StrCat("@", from->text);
  return price;
}

std::string ExactKey(std::string_view provider, std::string_view model) {
  return StrCat(provider, "\n", model);
}

size_t Literals(const Price& price) {
  return price.model.size() - std::count(price.model.begin(), price.model.end(), '*');
}

}  // namespace

absl::StatusOr<PriceTable> PriceTable::Parse(std::string_view json) {
  absl::StatusOr<json::Node> document = json::ParseJson(json, {.max_bytes = kMaxTableBytes});
  if (!document.ok())
    return Invalid("price_table", StrCat("no JSON: ", ToStd(document.status().message())));
  if (!document->is_object()) return Invalid("price_table", "an object is required");
  for (const json::Node& child : document->children) {
    if (child.key != "as_of" && child.key != "note" && child.key != "prices") {
      return Invalid(child.key, "is unknown; allowed: as_of, note, prices");
    }
  }
  const json::Node* prices = document->Find("prices");
  if (prices == nullptr || !prices->is_array() || prices->children.size() > kMaxEntries) {
    return Invalid("prices", "a list of at most 10000 entries is required");
  }
  std::map<std::pair<std::string, std::string>, Versions> by_name;
  for (size_t i = 0; i < prices->children.size(); ++i) {
    const std::string where = StrCat("prices[", i, "]");
    ASSAY_ASSIGN_OR_RETURN(Price price, ReadEntry(prices->children[i], where));
    Versions& versions = by_name[{price.provider, price.model}];
    for (const Price& other : versions) {
      if (other.from_unix_s == price.from_unix_s) {
        return Invalid(where, StrCat("repeats the entry ", price.entry));
      }
    }
    versions.push_back(std::move(price));
  }
  PriceTable table;
  for (auto& [name, versions] : by_name) {
    std::sort(versions.begin(), versions.end(),
              [](const Price& a, const Price& b) { return a.from_unix_s > b.from_unix_s; });
    if (name.second.find('*') == std::string::npos) {
      table.exact_[ExactKey(name.first, name.second)] = std::move(versions);
    } else {
      table.patterns_.push_back(std::move(versions));
    }
  }
  std::sort(table.patterns_.begin(), table.patterns_.end(),
            [](const Versions& a, const Versions& b) {
              const auto order = [](const Price& price) {
                return std::tuple(-static_cast<int64_t>(Literals(price)), price.provider.empty(),
                                  std::string_view(price.model), std::string_view(price.provider));
              };
              return order(a.front()) < order(b.front());
            });
  return table;
}

const PriceTable& PriceTable::BuiltIn() {
  static const PriceTable* const table = new PriceTable(*Parse(kBuiltInText));
  return *table;
}

absl::StatusOr<PriceTable> PriceTable::Load(const std::string& path) {
  if (path.empty()) return Parse(kBuiltInText);
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) {
    return MakeError(absl::StatusCode::kNotFound, "PRICE_TABLE_UNREADABLE",
                     StrCat("cannot read the price table ", path));
  }
  return Parse(text.str());
}

const Price* PriceTable::At(const Versions& versions, int64_t unix_s) {
  for (const Price& price : versions) {
    if (price.from_unix_s <= unix_s) return &price;
  }
  return nullptr;
}

const Price* PriceTable::FindExact(std::string_view provider, std::string_view model,
                                   int64_t unix_s) const {
  for (std::string_view of : {provider, std::string_view()}) {
    auto found = exact_.find(ExactKey(of, model));
    if (found == exact_.end()) continue;
    if (const Price* price = At(found->second, unix_s)) return price;
  }
  return nullptr;
}

const Price* PriceTable::FindName(std::string_view provider, std::string_view model,
                                  int64_t unix_s) const {
  // A name may bear two marks: -20241022-v2:0.
  std::string_view name = model;
  for (int marks = 0; marks < 3; ++marks) {
    if (const Price* price = FindExact(provider, name, unix_s)) return price;
    const std::string_view shorter = WithoutVersion(name);
    if (shorter.size() == name.size()) break;
    name = shorter;
  }
  for (const Versions& versions : patterns_) {
    const Price& any = versions.front();
    if (!any.provider.empty() && any.provider != provider) continue;
    if (!Matches(any.model, model)) continue;
    if (const Price* price = At(versions, unix_s)) return price;
  }
  return nullptr;
}

const Price* PriceTable::Find(std::string_view provider, std::string_view model,
                              int64_t unix_s) const {
  if (model.empty() || model.size() > kMaxNameChars) return nullptr;
  const std::string vendor = Lower(provider);
  const std::string lower = Lower(model);
  std::string_view name = lower;
  if (const Price* price = FindName(vendor, name, unix_s)) return price;
  const size_t slash = name.rfind('/');
  return slash == name.npos ? nullptr : FindName(vendor, name.substr(slash + 1), unix_s);
}

}  // namespace assay::pricing
