#include "services/judge/core/offline/evidence.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "re2/re2.h"
#include "services/judge/core/offline/lexicon.h"

namespace assay::judge::offline {

namespace {

// One unit of goodness before squashing is about one category of four. Set by hand.
constexpr double kBias = -1.3;
constexpr double kEmpathyWeight = 0.7;
constexpr double kCourtesyWeight = 0.2;
constexpr double kRudenessWeight = -3.0;
constexpr double kRelevanceWeight = 0.9;
constexpr double kSpecificsWeight = 1.0;
constexpr double kStepsWeight = 0.9;
constexpr double kActionsWeight = 0.8;
constexpr double kTimeWeight = 0.8;
constexpr double kExplanationWeight = 0.5;
constexpr double kVaguenessWeight = -0.9;
constexpr double kAdvertWeight = -1.6;
constexpr double kRefusalWeight = -0.5;
constexpr double kLengthWeight = 0.5;

double Saturate(double count, double full) { return std::min(count / full, 1.0); }

int CountMatches(const std::string& text, const RE2& pattern) {
  re2::StringPiece rest(text);
  int count = 0;
  while (RE2::FindAndConsume(&rest, pattern)) ++count;
  return count;
}

// Stems with a digit, and capitalised words within sentences: what a case is known by.
std::set<std::string> Specifics(const LexicalText& text) {
  static const RE2* const token = new RE2(R"(([A-Za-z0-9][A-Za-z0-9_.@'\-]*))");
  std::set<std::string> specifics;
  for (const std::string& sentence : text.sentences()) {
    re2::StringPiece rest(sentence);
    std::string word;
    for (bool first = true; RE2::FindAndConsume(&rest, *token, &word); first = false) {
      const bool digit = std::any_of(word.begin(), word.end(),
                                     [](unsigned char c) { return absl::ascii_isdigit(c); });
      const bool name =
          !first && word.size() > 2 && absl::ascii_isupper(static_cast<unsigned char>(word[0]));
      if (!digit && !name) continue;
      const std::string lower = absl::AsciiStrToLower(word);
      if (!IsFunctionWord(lower)) specifics.insert(Stem(lower));
    }
  }
  return specifics;
}

// What the instructions speak of: 1 for what they name, a little for the rest; all 1 if they name
// nothing.
struct Focus {
  double tone = 1;
  double relevance = 1;
  double help = 1;
};

Focus FocusOf(const LexicalText& instructions) {
  const bool tone = instructions.HasAny({"tone", "polite*", "courte*", "empath*", "respect*",
                                         "professional*", "friendly", "rude*", "kind", "warm*"});
  const bool relevance =
      instructions.HasAny({"relevan*", "on topic", "address*", "answers the", "pertinent"});
  const bool help = instructions.HasAny({"help*", "useful*", "next step*", "actionable", "solve*",
                                         "resol*", "complete*", "clear*", "concrete*", "correct*"});
  if ((!tone && !relevance && !help) || instructions.HasAny({"quality", "overall"})) return {};
  return {tone ? 1.0 : 0.15, relevance ? 1.0 : 0.3, help ? 1.0 : 0.15};
}

}  // namespace

std::array<double, Evidence::kCount> Evidence::AsArray() const {
  return {empathy, courtesy,    rudeness,  relevance, specifics, steps, actions,
          time,    explanation, vagueness, advert,    refusal,   length};
}

bool NamesTime(const LexicalText& text) {
  static const RE2* const days = new RE2(
      R"((?i)\b((?:mon|tues|wednes|thurs|fri|satur|sun)days?|today|tonight|tomorrow|this (?:morning|afternoon|evening|week|month)|)"
      R"(next (?:week|month)|end of (?:the )?(?:day|week|month)|noon|midnight|lunchtime|weekend)\b)");
  static const RE2* const hours =
      new RE2(R"((?i)\b\d{1,2}:\d{2}\b|\b\d{1,2} ?(?:am|pm)\b|\bat (?:noon|\d{1,2})\b)");
  static const RE2* const dates = new RE2(
      R"(\b\d{1,2}(?:st|nd|rd|th)\b|\b\d{1,2}\.? (?:January|February|March|April|May|June|July|August|September|October|November|December)\b|)"
      R"(\b(?:January|February|March|April|June|July|August|September|October|November|December) (?:\d{1,2}|release)\b)");
  static const RE2* const spans = new RE2(
      R"((?i)\b(?:within|in|takes|under|about) (?:the next |about )?(?:\d+|an?|one|two|three|four|five|six|seven|ten|twenty|thirty|forty|fifty) )"
      R"((?:working |business )?(?:minute|hour|day|week)s?\b)");
  return RE2::PartialMatch(text.raw(), *days) || RE2::PartialMatch(text.raw(), *hours) ||
         RE2::PartialMatch(text.raw(), *dates) || RE2::PartialMatch(text.raw(), *spans);
}

bool NamesPerson(const LexicalText& text) {
  // "Priya Nandakumar in accounts", "Sofia at the desk", "Your driver, Goran, is": a name, then who
  // that is or does.
  static const RE2* const person = new RE2(
      R"((?:\b[A-Z][a-z]+ [A-Z][a-z]+|(?:^|[.!?,] )[A-Z][a-z]{2,})(?:,[^.,]{3,60},| (?:from|in|at) (?:the |our |your )?[a-z ]{2,40}?)? )"
      R"((?:will|is (?:\w+ing|being)|has|holds|prepares|confirms|opens|calls|sends|joins|contacts|checks|looks|takes|writes|mails|rings|phones)\b)");
  static const RE2* const named = new RE2(
      R"((?:to|by|with|our [a-z ]{3,40}|your [a-z ]{3,30}),? (?:Dr\.? )?[A-Z][a-z]+(?: [A-Z][a-z]+)?(?:,| in | from | at |;))");
  re2::StringPiece match;
  static const RE2* const not_names = new RE2(
      R"(^\W*(?:This|That|It|The|We|You|Your|Our|They|There|Which|What|Nobody|Everybody|Everything|Each|She|He|Once|Then|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|Customs|Account|Settings)\b)");
  re2::StringPiece rest(text.raw());
  std::string found;
  static const RE2* const captured = new RE2("(" + person->pattern() + ")");
  while (RE2::FindAndConsume(&rest, *captured, &found)) {
    if (!RE2::PartialMatch(found, *not_names)) return true;
  }
  return RE2::PartialMatch(text.raw(), *named);
}

double Rudeness(const LexicalText& response) {
  return Saturate(response.Count(RudePhrases()) + 0.5 * response.Count(ColdPhrases()), 2);
}

Evidence CollectEvidence(const LexicalText& request, const LexicalText& response) {
  static const RE2* const menu_path = new RE2(R"([A-Z][\w-]+(?: [a-z]+)?, [A-Z][\w-]+)");
  static const RE2* const numbered = new RE2(R"((?:^|\s)\d\. [A-Z])");
  Evidence evidence;
  evidence.empathy = Saturate(response.Count(EmpathyPhrases()), 2);
  evidence.courtesy = Saturate(response.Count(CourtesyPhrases()), 3);
  evidence.rudeness = Rudeness(response);
  evidence.relevance = Saturate(Coverage(request.ContentStems(), response.ContentStems()), 0.4);
  const std::set<std::string> own = Specifics(response);
  evidence.specifics =
      0.5 * Saturate(Coverage(Specifics(request), own), 0.5) + 0.5 * Saturate(own.size(), 6);
  evidence.steps =
      Saturate(response.Count(StepPhrases()) + 2 * CountMatches(response.raw(), *menu_path) +
                   CountMatches(response.raw(), *numbered),
               6);
  evidence.actions = Saturate(response.Count(ActionPhrases()), 3);
  evidence.time = NamesTime(response) ? 1 : 0;
  evidence.explanation =
      Saturate(response.Count(ExplanationPhrases()) + response.Count(AlternativePhrases()), 3);
  evidence.vagueness = Saturate(response.Count(VaguePhrases()), 3);
  evidence.advert = Saturate(response.Count(AdvertPhrases()), 2);
  evidence.refusal = response.HasAny(RefusalPhrases()) && evidence.explanation < 0.3 ? 1 : 0;
  evidence.length = Saturate(response.words().size(), 80);
  return evidence;
}

double Goodness(const Evidence& e, const LexicalText& instructions) {
  const Focus focus = FocusOf(instructions);
  const double tone =
      kEmpathyWeight * e.empathy + kCourtesyWeight * e.courtesy + kRudenessWeight * e.rudeness;
  const double relevance = kRelevanceWeight * e.relevance + kAdvertWeight * e.advert;
  const double help = kSpecificsWeight * e.specifics + kStepsWeight * e.steps +
                      kActionsWeight * e.actions + kTimeWeight * e.time +
                      kExplanationWeight * e.explanation + kVaguenessWeight * e.vagueness +
                      kRefusalWeight * e.refusal + kLengthWeight * e.length;
  // Where only a part counts, it has to carry the whole scale.
  const double scale = 3 / (focus.tone + focus.relevance + focus.help);
  const double sum =
      kBias + scale * (focus.tone * tone + focus.relevance * relevance + focus.help * help);
  return 1 / (1 + std::exp(-sum));
}

std::vector<std::string> Reasons(const Evidence& e) {
  const std::pair<double, const char*> reasons[] = {
      {-kRudenessWeight * e.rudeness, "its wording is disrespectful or dismissive"},
      {-kAdvertWeight * e.advert, "it advertises"},
      {-kVaguenessWeight * e.vagueness, "it is vague"},
      {kEmpathyWeight * e.empathy, "it shows empathy"},
      {kSpecificsWeight * e.specifics, "it deals with the specifics of the case"},
      {kStepsWeight * e.steps, "it gives steps to take"},
      {kActionsWeight * e.actions, "it says what has been done"},
      {kTimeWeight * e.time, "it names a time"},
      {kRelevanceWeight * (0.6 - e.relevance), "it takes up little of the request"},
      {0.4 * (1 - e.steps) * (1 - e.time), "it gives no clear next step"},
  };
  std::vector<std::pair<double, const char*>> sorted(std::begin(reasons), std::end(reasons));
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string> strongest;
  for (const auto& [weight, text] : sorted) {
    if (weight < 0.25 || strongest.size() == 3) break;
    strongest.emplace_back(text);
  }
  return strongest;
}

}  // namespace assay::judge::offline
