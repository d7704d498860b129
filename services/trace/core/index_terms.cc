#include "services/trace/core/index_terms.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <tuple>

#include "absl/strings/escaping.h"
#include "common/json/canonical.h"
#include "common/strings/strings.h"
#include "services/trace/core/wire_cursor.h"

namespace assay::trace {
namespace {

constexpr size_t kMaxValueBytes = 64;
constexpr std::string_view kDefaultAttributes[] = {"service.name", "deployment.environment.name",
                                                   "gen_ai.agent.name", "gen_ai.tool.name",
                                                   "gen_ai.prompt.name"};

// A text is looked at in place; everything else is made.
template <class Take>
void VisitTermOf(std::string_view any_value, Take take) {
  std::string_view text;
  if (AnyValueString(any_value, &text)) return take(text);
  if (std::optional<std::string> made = TermOfAnyValue(any_value)) take(*made);
}

}  // namespace

std::optional<std::string> TermOfAnyValue(std::string_view any_value) {
  WireCursor cursor(any_value);
  WireField field;
  WireField member;  // The last one counts.
  while (cursor.Next(&field)) {
    if (field.number <= 7) member = field;
  }
  switch (member.number) {
    case 1:
      return std::string(member.bytes);
    case 2:
      return member.value != 0 ? "true" : "false";
    case 3:
      return std::to_string(static_cast<int64_t>(member.value));
    case 4:
      return TermOfNumber(std::bit_cast<double>(member.value));
    default:
      return std::nullopt;
  }
}

std::string TermOfNumber(double number) {
  constexpr double kExact = 9007199254740992;  // 2^53.
  if (std::abs(number) <= kExact && number == std::floor(number)) {
    return std::to_string(static_cast<int64_t>(number));
  }
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number);
  return std::string(text.data(), end.ptr);
}

std::string ShortTermValue(std::string_view value) {
  if (value.size() <= kMaxValueBytes) return std::string(value);
  constexpr size_t kHead = 48;
  const std::string hex = json::Sha256Hex(value);
  std::string out(value.substr(0, kHead));
  out.append(absl::HexStringToBytes(hex.substr(0, 2 * (kMaxValueBytes - kHead))));
  return out;
}

IndexedAttributes::IndexedAttributes(absl::Span<const std::string> more) {
  auto add = [this](std::string_view key) {
    if (key.empty() || key.size() >= kMaxKey) return;
    fields_.try_emplace(std::string(key), StrCat(kTermAttributes, key));
    lasts_[key.size()] |= LastOf(key);
  };
  for (std::string_view key : kDefaultAttributes) add(key);
  for (const std::string& key : more) add(key);
}

const std::string* IndexedAttributes::Find(std::string_view key) const {
  const auto found = fields_.find(ToAbsl(key));
  return found == fields_.end() ? nullptr : &found->second;
}

void TermCollector::Add(std::string_view field, std::string_view value) {
  if (value.empty()) return;
  std::string made;
  if (value.size() > kMaxValueBytes) value = made = ShortTermValue(value);
  for (const Term& term : terms_) {
    if (term.value == value && term.field == field) return;
  }
  const int most = kMaxTerms + (IsReserved(field) ? kReservedTerms : 0);
  if (terms_.size() < static_cast<size_t>(most)) {
    terms_.push_back({field, std::string(value)});
  } else if (std::find(overflowed_.begin(), overflowed_.end(), field) == overflowed_.end()) {
    overflowed_.push_back(field);
  }
}

void TermCollector::AddSpan(const SpanView& span, const SpanSummary& summary) {
  Add(kTermSpanName, span.name);
  Add(kTermSpanType, summary.span_type);
  Add(kTermModel, summary.model);
  Add(kTermProvider, summary.provider);
  if (span.error) Add(kTermSpanStatus, kStatusError);
  ForEachSpanAttribute(span.bytes, [this](std::string_view key, std::string_view value) {
    if (const std::string* field = attributes_.FieldOf(key)) {
      VisitTermOf(value, [&](std::string_view term) { Add(*field, term); });
    }
    return true;
  });
}

void TermCollector::Finish(TraceFacts* facts) {
  Add(kTermSession, facts->session());
  Add(kTermUser, facts->user());
  Add(kTermJudged, JudgedBy(*facts));
  Add(kTermRootSpanName,
      facts->has_root() ? facts->root().name() : std::string_view(facts->first_span_name()));
  std::sort(terms_.begin(), terms_.end(), [](const Term& a, const Term& b) {
    // The order of MakeTerm's bytes: no field has a byte as low as what ends it there.
    return std::tie(a.field, a.value) < std::tie(b.field, b.value);
  });
  for (const Term& term : terms_) facts->add_terms(MakeTerm(term.field, term.value));
  std::sort(overflowed_.begin(), overflowed_.end());
  for (std::string_view field : overflowed_) facts->add_overflowed_fields(std::string(field));
}

ResourceTerms TermsOfResource(std::string_view resource, const IndexedAttributes& attributes) {
  ResourceTerms terms;
  ForEachResourceAttribute(resource, [&](std::string_view key, std::string_view value) {
    if (const std::string* field = attributes.FieldOf(key)) {
      VisitTermOf(value, [&](std::string_view term) { terms.emplace_back(*field, term); });
    }
    return true;
  });
  return terms;
}

void ForEachTerm(const TraceFacts& facts, std::string_view evaluation,
                 absl::FunctionRef<void(std::string_view field, std::string_view value)> visit) {
  for (const std::string& term : facts.terms()) visit(FieldOfTerm(term), ValueOfTerm(term));
  ForEachTermBesides(facts, evaluation, visit);
}

void ForEachTermBesides(
    const TraceFacts& facts, std::string_view evaluation,
    absl::FunctionRef<void(std::string_view field, std::string_view value)> visit) {
  for (const std::string& field : facts.overflowed_fields()) visit(field, kOverflowValue);
  for (const auto& [key, value] : facts.tags()) {
    visit(StrCat(kTermTags, key), ShortTermValue(value));
  }
  if (!evaluation.empty()) visit(kTermEvaluation, evaluation);
}

std::vector<IndexTerm> AllTerms(const TraceFacts& facts, std::string_view evaluation) {
  std::vector<IndexTerm> terms;
  ForEachTerm(facts, evaluation, [&](std::string_view field, std::string_view value) {
    terms.push_back({std::string(field), std::string(value)});
  });
  std::sort(terms.begin(), terms.end(), [](const IndexTerm& a, const IndexTerm& b) {
    return std::tie(a.field, a.value) < std::tie(b.field, b.value);
  });
  terms.erase(std::unique(terms.begin(), terms.end()), terms.end());
  return terms;
}

}  // namespace assay::trace
