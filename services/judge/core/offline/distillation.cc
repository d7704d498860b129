#include "services/judge/core/offline/distillation.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "common/strings/strings.h"
#include "re2/re2.h"
#include "services/judge/core/offline/concepts.h"
#include "services/judge/core/offline/lexical_text.h"
#include "services/judge/core/offline/value_scale.h"

namespace assay::judge::offline {

namespace {

constexpr size_t kMaxGuidelines = 20;
constexpr size_t kMaxTermGuidelines = 6;
constexpr double kTolerated = 0.15;  // The share of cases that may speak against a guideline.

struct Case {
  const FeedbackRecord* record;
  LexicalText request;
  LexicalText response;
  LexicalText rationale;
  double human;
  double judge;
  double Difference() const { return human - judge; }
  bool Disagrees() const { return human != judge; }
};

struct Candidate {
  DistilledGuideline guideline;
  size_t support = 0;
};

// The order of the values: from the prompt where it lists them ("one of "a", "b" (in order ...)"),
// else by their sound.
ValueScale ScaleOf(const DistillationTask& task) {
  static const RE2* const list =
      new RE2(R"((?:[oO]ne of|[vV]alues:?|[cC]ategories:?) ((?:"[^"\n]+"(?:, )?)+) ?\(in order)");
  std::vector<std::string> values;
  for (const FeedbackRecord& record : task.records) {
    values.push_back(record.human_value);
    values.push_back(record.judge_value);
  }
  std::string listed;
  if (!RE2::PartialMatch(task.prompt, *list, &listed))
    return ValueScale::FromValues(std::move(values));
  const absl::StatusOr<json::Node> schema = json::ParseJson(StrCat("{\"enum\":[", listed, "]}"));
  if (!schema.ok()) return ValueScale::FromValues(std::move(values));
  return ValueScale::FromSchema(*schema, /*ordered=*/true);
}

std::vector<Case> CasesOf(const DistillationTask& task, const ValueScale& scale) {
  std::vector<Case> cases;
  for (const FeedbackRecord& record : task.records) {
    const std::optional<double> human = scale.GoodnessOf(record.human_value);
    const std::optional<double> judge = scale.GoodnessOf(record.judge_value);
    if (!human.has_value()) continue;
    cases.push_back({&record, LexicalText(record.request), LexicalText(record.response),
                     LexicalText(record.rationale), *human, judge.value_or(*human)});
  }
  return cases;
}

// The goodness that all but kTolerated of the cases are not above (`high`) or not below.
double Bound(std::vector<double> goodness, bool high) {
  std::sort(goodness.begin(), goodness.end());
  if (high) std::reverse(goodness.begin(), goodness.end());
  const auto skipped = static_cast<size_t>(kTolerated * static_cast<double>(goodness.size()));
  return goodness[std::min(skipped, goodness.size() - 1)];
}

std::string CategoryAt(const ValueScale& scale, double goodness) {
  for (const std::string& category : scale.categories()) {
    if (std::abs(*scale.GoodnessOf(category) - goodness) < 1e-9) return category;
  }
  return "";
}

// What people made of `shown` (cases with something in common): the effect in words; "" if they
// were not of one mind.
std::string EffectOn(const std::vector<const Case*>& shown, const std::vector<Case>& all,
                     const ValueScale& scale) {
  int up = 0;
  int down = 0;
  int could_rise = 0;
  const double top = *scale.GoodnessOf(scale.categories().front());
  std::vector<double> human;
  for (const Case* c : shown) {
    could_rise += c->judge < top ? 1 : 0;
    up += c->Difference() > 0 ? 1 : 0;
    down += c->Difference() < 0 ? 1 : 0;
    human.push_back(c->human);
  }
  if (down > up) {
    const double cap = Bound(human, /*high=*/true);
    const double best = std::max_element(all.begin(), all.end(), [](const Case& a, const Case& b) {
                          return a.human < b.human;
                        })->human;
    // A cap that nothing exceeds says nothing.
    return cap < best ? StrCat("rate it at most ", CategoryAt(scale, cap)) : "";
  }
  if (up > down) {
    if (scale.steps() > 2 && 2 * up >= could_rise) {
      return "rate it one level higher than it would deserve otherwise";
    }
    const double floor = Bound(human, /*high=*/false);
    const double worst = std::min_element(all.begin(), all.end(), [](const Case& a, const Case& b) {
                           return a.human < b.human;
                         })->human;
    return floor > worst ? StrCat("rate it at least ", CategoryAt(scale, floor)) : "";
  }
  return "";
}

size_t MinimumSupport(size_t cases) { return cases >= 8 ? 2 : 1; }

std::optional<Candidate> FromConcept(const Concept& candidate, const std::vector<Case>& cases,
                                     const ValueScale& scale) {
  std::vector<const Case*> shown;
  size_t spoken_of = 0;
  Candidate result;
  for (const Case& c : cases) {
    if (!candidate.seen_in(c.request, c.response)) continue;
    shown.push_back(&c);
    if (!c.Disagrees() || !c.rationale.HasAny(candidate.vocabulary)) continue;
    ++spoken_of;
    result.guideline.source_traces.push_back(c.record->trace);
  }
  if (spoken_of < MinimumSupport(cases.size())) return std::nullopt;
  const std::string effect = EffectOn(shown, cases, scale);
  const bool raises = effect.find("at most") == std::string::npos;
  if (effect.empty() || raises != candidate.good) return std::nullopt;
  result.support = spoken_of;
  result.guideline.text = StrCat("If ", candidate.condition, ", ", effect, ".");
  return result;
}

// Words and pairs of words that a response and the reasons of its rating share.
std::set<std::string> SharedTerms(const Case& c) {
  std::set<std::string> terms;
  const auto& words = c.response.words();
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.size() > 3 && !IsFunctionWord(word) && c.rationale.Has(word)) terms.insert(word);
    if (i + 1 < words.size() && !(IsFunctionWord(word) && IsFunctionWord(words[i + 1]))) {
      const std::string pair = word + " " + words[i + 1];
      if (c.rationale.Has(pair)) terms.insert(pair);
    }
  }
  return terms;
}

std::vector<Candidate> FromTerms(const std::vector<Case>& cases, const ValueScale& scale) {
  std::map<std::string, std::vector<std::string>> sources;
  for (const Case& c : cases) {
    if (!c.Disagrees()) continue;
    for (const std::string& term : SharedTerms(c)) sources[term].push_back(c.record->trace);
  }
  std::vector<Candidate> candidates;
  std::set<std::vector<std::string>> seen;
  for (const auto& [term, traces] : sources) {
    if (traces.size() < std::max<size_t>(MinimumSupport(cases.size()), 2)) continue;
    std::vector<const Case*> shown;
    size_t agreeing = 0;
    for (const Case& c : cases) {
      if (!c.response.Has(term)) continue;
      shown.push_back(&c);
      agreeing += c.Disagrees() ? 0 : 1;
    }
    // The term has to mark disagreements, not merely to occur in some.
    if (static_cast<double>(agreeing) > 0.25 * static_cast<double>(shown.size())) continue;
    const std::string effect = EffectOn(shown, cases, scale);
    if (effect.empty() || !seen.insert(traces).second) continue;
    candidates.push_back(
        {{StrCat("If the response mentions \"", term, "\", ", effect, "."), traces},
         traces.size()});
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.support > b.support; });
  if (candidates.size() > kMaxTermGuidelines) candidates.resize(kMaxTermGuidelines);
  return candidates;
}

}  // namespace

std::vector<DistilledGuideline> DistilGuidelines(const DistillationTask& task) {
  const ValueScale scale = ScaleOf(task);
  const std::vector<Case> cases = CasesOf(task, scale);
  if (cases.empty()) return {};
  std::vector<Candidate> candidates;
  std::vector<Case> free = cases;
  for (const Concept& candidate : Concepts()) {
    if (candidate.good) continue;
    auto found = FromConcept(candidate, cases, scale);
    if (!found.has_value()) continue;
    candidates.push_back(*std::move(found));
    std::erase_if(free, [&](const Case& c) { return candidate.seen_in(c.request, c.response); });
  }
  // What speaks for a response shows only where nothing caps it.
  for (const Concept& candidate : Concepts()) {
    if (!candidate.good) continue;
    if (auto found = FromConcept(candidate, free, scale)) candidates.push_back(*std::move(found));
  }
  for (Candidate& candidate : FromTerms(cases, scale)) candidates.push_back(std::move(candidate));
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.support > b.support; });
  std::vector<DistilledGuideline> guidelines;
  for (Candidate& candidate : candidates) {
    if (guidelines.size() == kMaxGuidelines) break;
    guidelines.push_back(std::move(candidate.guideline));
  }
  return guidelines;
}

}  // namespace assay::judge::offline
