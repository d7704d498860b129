#include "services/judge/core/offline/guideline_checks.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_replace.h"
#include "common/strings/strings.h"
#include "re2/re2.h"
#include "services/judge/core/offline/evidence.h"
#include "services/judge/core/offline/lexicon.h"

namespace assay::judge::offline {

namespace {

constexpr size_t kLongSentenceWords = 45;
constexpr size_t kLongResponseWords = 220;

struct Case {
  const LexicalText& request;
  const LexicalText& response;
  const std::map<std::string, std::string>& context;
};

GuidelineCheck Broken(std::string why) { return {false, std::move(why)}; }

constexpr std::pair<std::string_view, int> kNumberWords[] = {
    {"a", 1},        {"an", 1},      {"one", 1},     {"two", 2},       {"three", 3},  {"four", 4},
    {"five", 5},     {"six", 6},     {"seven", 7},   {"eight", 8},     {"nine", 9},   {"ten", 10},
    {"twelve", 12},  {"twenty", 20}, {"thirty", 30}, {"forty", 40},    {"fifty", 50}, {"sixty", 60},
    {"seventy", 70}, {"eighty", 80}, {"ninety", 90}, {"hundred", 100}, {"last", 1}};

std::optional<double> NumberOf(const std::string& word) {
  double number = 0;
  if (absl::SimpleAtod(word, &number)) return number;
  for (const auto& [name, value] : kNumberWords) {
    if (name == word) return value;
  }
  return std::nullopt;
}

// Durations in the text, in hours: "2 months", "last week", "three hours".
std::vector<double> DurationsInHours(const LexicalText& text) {
  static constexpr std::pair<std::string_view, double> kUnits[] = {
      {"hour", 1}, {"day", 24}, {"week", 168}, {"month", 730}, {"year", 8760}};
  std::vector<double> durations;
  const auto& words = text.words();
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "yesterday") durations.push_back(24);
    if (i == 0) continue;
    for (const auto& [unit, hours] : kUnits) {
      if (words[i] != unit && words[i] != StrCat(unit, "s")) continue;
      if (const std::optional<double> number = NumberOf(words[i - 1]))
        durations.push_back(*number * hours);
    }
  }
  return durations;
}

std::vector<double> Percentages(const LexicalText& text) {
  static const RE2* const pattern = new RE2(R"((?i)(\d+(?:\.\d+)?) ?(?:%|per ?cent))");
  std::vector<double> found;
  re2::StringPiece rest(text.raw());
  double number = 0;
  while (RE2::FindAndConsume(&rest, *pattern, &number)) found.push_back(number);
  return found;
}

// Idioms that hold a word of refusal and refuse nothing.
constexpr std::string_view kNoRefusal[] = {"can't be bothered", "cannot be bothered",
                                           "can't believe",     "can't imagine",
                                           "can't stand",       "can't wait"};

bool Refuses(const LexicalText& response) {
  if (response.flat().starts_with(" no ")) return true;
  std::string plain = response.flat();
  for (const std::string_view idiom : kNoRefusal) {
    absl::StrReplaceAll({{ToAbsl(idiom), ""}}, &plain);
  }
  return LexicalText(plain).HasAny(RefusalPhrases());
}

bool Grants(const LexicalText& response) {
  return !Refuses(response) && response.HasAny(AssentPhrases());
}

// "within 30 days", "up to 24 hours before".
std::optional<GuidelineCheck> CheckTimeLimit(const LexicalText& policy, const LexicalText& request,
                                             const LexicalText& response) {
  static const RE2* const within =
      new RE2(R"((?i)\b(?:within|up to|not later than|at most|no more than) )");
  static const RE2* const before = new RE2(R"((?i)\b(?:hours?|days?|weeks?) before)");
  const std::vector<double> limits = DurationsInHours(policy);
  const std::vector<double> asked = DurationsInHours(request);
  if (limits.empty() || asked.empty() || !RE2::PartialMatch(policy.raw(), *within))
    return std::nullopt;
  const bool notice = RE2::PartialMatch(policy.raw(), *before);
  const bool allowed = notice ? asked[0] >= limits[0] : asked[0] <= limits[0];
  if (allowed && Refuses(response)) return Broken("it refuses what the policy still allows");
  if (!allowed && notice &&
      response.HasAny({"won't be charged", "free of charge", "no charge", "not be charged",
                       "costs nothing", "without any cost", "for free"})) {
    return Broken("it waives what the policy charges");
  }
  if (!allowed && !notice && !Refuses(response) && response.HasAny(AssentPhrases())) {
    return Broken("it grants what lies outside the policy's limit");
  }
  return GuidelineCheck{true, "it keeps to the policy's limit"};
}

// The alternative that a request wishes for: "by plane" against "only by road".
bool GrantsAnExcludedWay(const LexicalText& policy, const LexicalText& request,
                         const LexicalText& response) {
  if (!policy.HasAny({"only", "must not", "never", "not be", "prohibited", "not allowed"}))
    return false;
  if (Coverage(request.ContentStems(), policy.ContentStems()) == 0 &&
      Coverage(policy.ContentStems(), response.ContentStems()) == 0) {
    return false;
  }
  return Grants(response) ||
         (!Refuses(response) &&
          response.HasAny({"i've put it on", "you'll have it", "her two", "his two"}));
}

std::optional<GuidelineCheck> CheckThirdParty(const LexicalText& policy, const LexicalText& request,
                                              const LexicalText& response) {
  if (!policy.HasAny({"holder only", "account holder", "third part*", "owner only", "only to the",
                      "to the customer only"})) {
    return std::nullopt;
  }
  if (!request.HasAny({"neighbour*", "neighbor*", "friend*", "colleague*", "her mail", "his mail",
                       "my wife*", "my husband*", "somebody else", "someone else", "my ex"})) {
    return GuidelineCheck{true, "nobody else's details are asked for"};
  }
  if (Refuses(response)) return GuidelineCheck{true, "it discloses nothing to a third party"};
  return Broken("it gives somebody else's details away");
}

bool IsUnclear(const LexicalText& request) {
  std::set<std::string> stems = request.ContentStems();
  for (const std::string_view word :
       {"fix", "work", "working", "help", "question", "order", "problem", "issue", "something",
        "thing", "broken", "account", "about", "stuff"}) {
    stems.erase(Stem(word));
  }
  return stems.empty();
}

// Words that mean much the same when they answer each other.
std::set<std::string> WithSynonyms(std::set<std::string> stems) {
  static const std::vector<std::vector<std::string_view>>* const groups =
      new std::vector<std::vector<std::string_view>>{
          {"log", "login", "sign", "password", "locked", "unlock"},
          {"return", "refund", "exchange", "send back"},
          {"price", "cost", "expensive", "cheaper"},
          {"parcel", "package", "delivery", "courier", "shipment"},
          {"cancel", "cancellation", "unsubscribe"},
          {"invoice", "bill", "billing"}};
  for (const auto& group : *groups) {
    const bool hit = std::any_of(group.begin(), group.end(),
                                 [&](auto word) { return stems.contains(Stem(word)); });
    if (!hit) continue;
    for (const std::string_view word : group) stems.insert(Stem(word));
  }
  return stems;
}

// What a question turns on: the word after "can I", "do you"; after "come with" the thing.
std::optional<std::string> FocusOf(const LexicalText& request) {
  static const RE2* const with = new RE2(R"((?i)\b(?:come with|include|have an?|contain)s? (\w+))");
  static const RE2* const verb = new RE2(
      R"((?i)\b(?:how do|how can|can|could|may|do|when do|where do|does) (?:i|you|we) (\w+))");
  std::string focus;
  if (RE2::PartialMatch(request.raw(), *with, &focus) ||
      RE2::PartialMatch(request.raw(), *verb, &focus)) {
    const std::string lower = absl::AsciiStrToLower(focus);
    if (!lower.empty() && !IsFunctionWord(lower)) return Stem(lower);
  }
  return std::nullopt;
}

bool AsksBack(const LexicalText& response) {
  return response.raw().find('?') != std::string::npos ||
         response.HasAny({"could you tell me", "please tell me", "let me know which"});
}

GuidelineCheck CheckRelevance(const Case& c) {
  if (IsUnclear(c.request)) {
    return AsksBack(c.response) ? GuidelineCheck{true, "the request is unclear and it asks back"}
                                : Broken("the request is unclear and it does not ask back");
  }
  if (c.response.Count(AdvertPhrases()) >= 2) return Broken("it advertises");
  const std::set<std::string> answered = WithSynonyms(c.response.ContentStems());
  if (const std::optional<std::string> focus = FocusOf(c.request)) {
    if (answered.contains(*focus)) return {true, "it takes up what is asked"};
    if (Coverage(c.request.ContentStems(), answered) < 0.5)
      return Broken("it does not take up what is asked");
    return {true, "it takes up most of the request"};
  }
  if (Coverage(c.request.ContentStems(), answered) >= 0.3) return {true, "it takes up the request"};
  return Broken("it has little to do with the request");
}

GuidelineCheck CheckPoliteness(const Case& c) {
  if (Rudeness(c.response) >= 0.5) return Broken("its wording is disrespectful or dismissive");
  return {true, "its wording is respectful"};
}

GuidelineCheck CheckEmpathy(const Case& c) {
  if (Rudeness(c.response) >= 0.5) return Broken("its wording is disrespectful or dismissive");
  if (c.response.HasAny(EmpathyPhrases())) return {true, "it shows empathy"};
  const bool concern = c.request.HasAny(ConcernPhrases());
  const bool unknown = c.request.words().empty() && !c.response.HasAny(CourtesyPhrases());
  if (concern || unknown) return Broken("it shows no empathy for the concern");
  return {true, "there is no concern to answer with empathy"};
}

GuidelineCheck CheckStructure(const Case& c) {
  size_t longest = 0;
  for (const std::string& sentence : c.response.sentences()) {
    longest = std::max(longest, LexicalText(sentence).words().size());
  }
  if (longest > kLongSentenceWords) return Broken("it has a sentence that rambles");
  if (c.response.Count(RamblePhrases()) >= 2) return Broken("it rambles");
  if (c.response.words().size() > kLongResponseWords) return Broken("it is too long");
  return {true, "it is concise"};
}

GuidelineCheck CheckJargon(const Case& c) {
  const int terms = c.response.Count(JargonPhrases());
  const bool explained = c.response.HasAny(
      {"is the", "means", "that is", "in other words", "stands for", "short for", "tells"});
  if (terms >= 4 || (terms >= 2 && !explained))
    return Broken("it uses technical terms without explaining them");
  return {true, "it needs no technical terms"};
}

bool NamesAmount(const LexicalText& response) {
  static const RE2* const digits = new RE2(R"(\d)");
  return RE2::PartialMatch(response.raw(), *digits) ||
         response.HasAny({"ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty",
                          "ninety", "hundred*"});
}

GuidelineCheck CheckDecline(const Case& c) {
  if (c.request.HasAny(PricePhrases()) && NamesAmount(c.response))
    return Broken("it answers with an amount");
  if (!Refuses(c.response)) return Broken("it does not decline");
  return {true, "it declines"};
}

// "refer the user to the pricing page": the response has to speak of the pricing page.
std::optional<GuidelineCheck> CheckReference(const LexicalText& sentence, const Case& c) {
  static const RE2* const target = new RE2(
      R"((?i)\b(?:refer|direct|point|send|link)\w*(?: \w+){0,4} to (?:the |our |a )?((?:[\w'-]+ ?){1,3}))");
  std::string words;
  if (!RE2::PartialMatch(sentence.raw(), *target, &words)) return std::nullopt;
  const std::set<std::string> wanted = LexicalText(words).ContentStems();
  if (Coverage(wanted, c.response.ContentStems()) >= 0.99)
    return GuidelineCheck{true, "it refers to the right place"};
  return Broken(StrCat("it does not refer to the ", words));
}

// "must not mention X", "must mention X".
std::optional<GuidelineCheck> CheckMention(const LexicalText& sentence, const Case& c) {
  static const RE2* const pattern = new RE2(
      R"((?i)\b(not |never |avoid |without )?(?:be )?(?:mention|includ|contain|us|discuss|say)(?:e|es|s|ing)? (?:the |a |an |any |its )?([^.,;]{2,80}))");
  std::string negation;
  std::string what;
  if (!RE2::PartialMatch(sentence.raw(), *pattern, &negation, &what)) return std::nullopt;
  const std::set<std::string> stems = LexicalText(what).ContentStems();
  if (stems.empty()) return std::nullopt;
  const bool present = Coverage(stems, c.response.ContentStems()) >= 0.5;
  if (present == negation.empty())
    return GuidelineCheck{true, present ? "it mentions it" : "it does not mention it"};
  return Broken(StrCat(present ? "it mentions " : "it does not mention ", what));
}

GuidelineCheck CheckPolicies(const Case& c) {
  bool any = false;
  for (const auto& [name, text] : c.context) {
    if (LexicalText(name).flat().find("polic") == std::string::npos) continue;
    any = true;
    const LexicalText policies(text);
    for (const std::string& policy : policies.sentences()) {
      GuidelineCheck check = CheckPolicy(policy, c.request, c.response);
      if (!check.met) return check;
    }
  }
  return {true, any ? "no policy is broken" : "there are no policies"};
}

// Whether "if ..." holds; what cannot be told counts as not.
bool ConditionHolds(const LexicalText& condition, const Case& c) {
  if (condition.HasAny({"polic*"})) return true;  // CheckPolicy sees to the relevance.
  if (condition.HasAny(PricePhrases())) return c.request.HasAny(PricePhrases());
  if (condition.HasAny({"not clear", "unclear", "ambiguous", "vague"})) return IsUnclear(c.request);
  std::set<std::string> stems = condition.ContentStems();
  for (const std::string_view word :
       {"request", "response", "user", "customer", "question", "asks", "about", "mentions"}) {
    stems.erase(Stem(word));
  }
  const LexicalText& where = condition.HasAny({"the response"}) ? c.response : c.request;
  return Coverage(stems, where.ContentStems()) >= 0.5;
}

// All that one sentence of a guideline asks for; nullopt if it asks for nothing known.
std::optional<GuidelineCheck> CheckSentence(const LexicalText& whole, const Case& c) {
  static const RE2* const conditional = new RE2(R"((?is)^\s*(?:if|when|where) (.*?), (.*)$)");
  std::string condition;
  std::string demand = whole.raw();
  if (RE2::FullMatch(whole.raw(), *conditional, &condition, &demand) &&
      !ConditionHolds(LexicalText(condition), c)) {
    return GuidelineCheck{true, "its condition does not apply"};
  }
  const LexicalText sentence(demand);
  std::vector<GuidelineCheck> checks;
  if (sentence.HasAny({"polic*"})) checks.push_back(CheckPolicies(c));
  if (sentence.HasAny({"decline*", "refuse*"})) checks.push_back(CheckDecline(c));
  if (auto reference = CheckReference(sentence, c)) checks.push_back(*std::move(reference));
  if (sentence.HasAny(
          {"polite*", "courte*", "respect*", "friendly", "professional*", "kind", "rude*"})) {
    checks.push_back(CheckPoliteness(c));
  }
  if (sentence.HasAny({"empath*", "sympath*", "compassion*"})) checks.push_back(CheckEmpathy(c));
  if (sentence.HasAny({"concise*", "clear", "clearly", "structure*", "organi*", "logical*", "brief",
                       "short"})) {
    checks.push_back(CheckStructure(c));
  }
  if (sentence.HasAny({"jargon", "technical terms", "plain language"}))
    checks.push_back(CheckJargon(c));
  if (sentence.HasAny({"relevan*", "on topic"}) && checks.empty())
    checks.push_back(CheckRelevance(c));
  if (sentence.HasAny({"ask for more", "ask for clarif*", "ask back", "clarifying question"})) {
    checks.push_back(AsksBack(c.response) ? GuidelineCheck{true, "it asks back"}
                                          : Broken("it does not ask back"));
  }
  if (checks.empty()) return CheckMention(sentence, c);
  for (const GuidelineCheck& check : checks) {
    if (!check.met) return check;
  }
  return checks.front();
}

}  // namespace

GuidelineCheck CheckPolicy(std::string_view policy_text, const LexicalText& request,
                           const LexicalText& response) {
  const LexicalText policy(policy_text);
  if (policy.HasAny({"receipt"}) &&
      response.HasAny({"don't need any receipt", "no receipt", "without a receipt",
                       "without receipt", "don't need a receipt", "don't need the receipt"})) {
    return Broken("it waives the receipt");
  }
  const std::vector<double> allowed = Percentages(policy);
  if (!allowed.empty() && policy.HasAny({"up to", "at most", "no more than", "maximum"})) {
    for (const double granted : Percentages(response)) {
      if (granted > allowed[0] && !Refuses(response))
        return Broken("it grants a higher percentage than the policy allows");
    }
    return {true, "it keeps to the policy's percentage"};
  }
  if (auto check = CheckTimeLimit(policy, request, response)) return *check;
  if (auto check = CheckThirdParty(policy, request, response)) return *check;
  const bool about_it = Coverage(request.ContentStems(), policy.ContentStems()) > 0;
  if (about_it && DurationsInHours(policy).empty() &&
      GrantsAnExcludedWay(policy, request, response)) {
    return Broken("it grants what the policy excludes");
  }
  return {true, "the policy is not broken"};
}

GuidelineCheck CheckGuideline(std::string_view guideline, const LexicalText& request,
                              const LexicalText& response,
                              const std::map<std::string, std::string>& context) {
  const Case c{request, response, context};
  GuidelineCheck met{true, ""};
  bool known = false;
  const LexicalText whole(guideline);
  for (const std::string& sentence : whole.sentences()) {
    const LexicalText text(sentence);
    if (text.flat().starts_with(" only consider") || text.flat().starts_with(" consider "))
      continue;
    const std::optional<GuidelineCheck> check = CheckSentence(text, c);
    if (!check.has_value()) continue;
    if (!check->met) return *check;
    if (!known) met = *check;
    known = true;
  }
  if (known) return met;
  if (Rudeness(response) >= 0.5) return Broken("its wording is disrespectful or dismissive");
  return {true, "nothing in its words speaks against it"};
}

}  // namespace assay::judge::offline
