#include "services/judge/core/offline/concepts.h"

#include <initializer_list>
#include <string>

#include "re2/re2.h"
#include "services/judge/core/offline/evidence.h"
#include "services/judge/core/offline/lexicon.h"

namespace assay::judge::offline {

namespace {

constexpr std::string_view kAsksAgain[] = {"asks again",
                                           "asking again",
                                           "ask again",
                                           "asked again",
                                           "asks for information",
                                           "already gives",
                                           "already given",
                                           "already in",
                                           "already there",
                                           "already stated",
                                           "already sent",
                                           "already supplied",
                                           "what's already",
                                           "were stated",
                                           "were supplied",
                                           "were given",
                                           "were sent",
                                           "was given",
                                           "repeat themselves",
                                           "already written",
                                           "in the request",
                                           "in the customer's",
                                           "first message",
                                           "right there",
                                           "are in one line",
                                           "already provided",
                                           "in the issue",
                                           "was already",
                                           "all stated",
                                           "has to repeat"};

constexpr std::string_view kUnverified[] = {
    "without checking",   "without verif*",       "without a check",   "without a look",
    "without looking",    "without seeing",       "without opening",   "unverified",
    "not verified",       "nothing was verified", "no verification",   "no order looked up",
    "nobody looked up",   "was looked up",        "no check",          "check the account first",
    "promised without",   "promises a refund",    "promises a credit", "promises money",
    "credit is promised", "refund is promised",   "before the money",  "before the credit",
    "missing check",      "without knowing",      "which order",       "which account"};

constexpr std::string_view kOwnerOrTime[] = {
    "named owner",  "concrete time", "owns the next step", "named person", "a named",
    "one level up", "one level",     "one level more",     "by when",      "who answers",
    "fixed date",   "deadline",      "names a person",     "a name and",   "owner and",
    "and a time",   "and an hour",   "time rule",          "a time and",   "level higher"};

constexpr std::string_view kReferral[] = {"handover",           "hand over",
                                          "hand it over",       "handed over",
                                          "another department", "other department",
                                          "redirection",        "referral",
                                          "sent on to",         "passing on the case",
                                          "passing the case",   "passed to",
                                          "pushed to",          "brush off",
                                          "nothing forwarded",  "been forwarded",
                                          "starts from zero",   "no ticket",
                                          "open a new request", "pointed to another",
                                          "sent to another",    "passing the customer",
                                          "sends the customer"};

constexpr std::string_view kRude[] = {"rude*",       "insult*",  "sneer*",      "mock*",
                                      "condescend*", "blames*",  "dismissive*", "unkind",
                                      "disrespect*", "sarcas*",  "contempt*",   "belittl*",
                                      "ridicule*",   "impolite", "scolding",    "appalling"};

constexpr std::string_view kVague[] = {
    "generic",      "vague",        "boilerplate",  "standard phrase", "general statement",
    "empty",        "says nothing", "template",     "deflect*",        "text from a can",
    "no next step", "noncommittal", "circles round"};

constexpr std::string_view kAdvert[] = {"advert*",   "upsell*",  "sales talk",
                                        "marketing", "promotes", "sales pitch"};

constexpr std::string_view kNoEmpathy[] = {
    "no empathy",  "without empathy", "without any empathy", "lacks empathy", "no warmth",
    "no sympathy", "no apology",      "shows no empathy",    "too cold"};

constexpr std::string_view kIgnores[] = {"ignores the question",
                                         "ignores the issue",
                                         "off the point",
                                         "not answered",
                                         "no answer",
                                         "off topic",
                                         "does not answer",
                                         "doesn't answer",
                                         "question is ignored",
                                         "irrelevant"};

constexpr std::string_view kTooLong[] = {"too long",           "verbose", "rambl*", "long winded",
                                         "longer than needed", "wordy"};

bool RequestHas(const LexicalText& request, const RE2& pattern) {
  return RE2::PartialMatch(request.raw(), pattern);
}

// Asks for a number, an address, a version and the like, of which the request has one; or for words
// that the request is full of.
bool SeesAsksAgain(const LexicalText& request, const LexicalText& response) {
  if (!response.HasAny(AskPhrases())) return false;
  static const RE2* const code = new RE2(R"([A-Za-z]*[-.]?\d{2,}[\w.-]*|[A-Z]{2,}-?\d+)");
  static const RE2* const mail = new RE2(R"(\S@\S)");
  static const RE2* const version = new RE2(R"(\d+\.\d+|\bversion\b|[A-Z]\w+ \d+)");
  std::string asking;
  for (const std::string& sentence : response.sentences()) {
    const LexicalText text(sentence);
    if (sentence.back() == '?' || text.HasAny(AskPhrases())) asking += sentence + "\n";
  }
  const LexicalText asked(asking);
  const auto asks = [&](std::initializer_list<std::string_view> words) {
    return asked.HasAny(words);
  };
  int given = 0;
  if (asks({"number", "numbers", "order id", "reference", "membership"}) &&
      RequestHas(request, *code))
    ++given;
  if (asks({"email", "address of your account", "e mail"}) && RequestHas(request, *mail)) ++given;
  if (asks({"version", "operating system", "device", "browser"}) && RequestHas(request, *version))
    ++given;
  if (asks({"photo*", "picture*", "document", "copy"}) &&
      request.HasAny({"attached", "photos", "photo"}))
    ++given;
  if (asks({"your name", "username", "user name", "who the admin", "is the admin"}) &&
      request.HasAny({"name", "username", "user", "admin"})) {
    ++given;
  }
  // The words of the question stand in the request.
  int echoed = 0;
  for (const std::string& stem : asked.ContentStems()) {
    if (stem.size() > 3 && request.ContentStems().contains(stem)) ++echoed;
  }
  static const RE2* const specific = new RE2(R"(\d|@|'[^']+'|"[^"]+")");
  if (echoed >= 2 && RequestHas(request, *specific)) ++given;
  return given > 0;
}

bool SeesUnverified(const LexicalText& request, const LexicalText& response) {
  return response.HasAny(MoneyPromisePhrases()) && !response.HasAny(VerifiedPhrases()) &&
         !SeesAsksAgain(request, response) &&
         !response.HasAny({"send us", "please send", "we'll match", "upload"});
}

bool SeesOwnerOrTime(const LexicalText&, const LexicalText& response) {
  return NamesTime(response) || NamesPerson(response);
}

bool SeesReferral(const LexicalText&, const LexicalText& response) {
  return response.HasAny(ReferralPhrases()) && !response.HasAny(HandoverPhrases()) &&
         !NamesPerson(response);
}

bool SeesRude(const LexicalText&, const LexicalText& response) { return Rudeness(response) >= 0.5; }

bool SeesVague(const LexicalText& request, const LexicalText& response) {
  const Evidence evidence = CollectEvidence(request, response);
  return evidence.vagueness >= 0.6 && !NamesTime(response) && !NamesPerson(response);
}

bool SeesAdvert(const LexicalText&, const LexicalText& response) {
  return response.HasAny(AdvertPhrases());
}

bool SeesNoEmpathy(const LexicalText&, const LexicalText& response) {
  return !response.HasAny(EmpathyPhrases());
}

bool SeesIgnores(const LexicalText& request, const LexicalText& response) {
  return Coverage(request.ContentStems(), response.ContentStems()) < 0.08;
}

bool SeesTooLong(const LexicalText&, const LexicalText& response) {
  return response.words().size() > 110;
}

const Concept kConcepts[] = {
    {"the response asks for information that the request already gives", kAsksAgain, SeesAsksAgain},
    {"the response promises a refund or credit without verifying the order or account", kUnverified,
     SeesUnverified},
    {"the response names a concrete time, or a person who owns the next step", kOwnerOrTime,
     SeesOwnerOrTime, true},
    {"the response sends the customer to another department without a handover", kReferral,
     SeesReferral},
    {"the response is rude or dismissive", kRude, SeesRude},
    {"the response is generic or vague", kVague, SeesVague},
    {"the response is an advert instead of an answer", kAdvert, SeesAdvert},
    {"the response shows no empathy", kNoEmpathy, SeesNoEmpathy},
    {"the response ignores the question", kIgnores, SeesIgnores},
    {"the response is longer than needed", kTooLong, SeesTooLong},
};

}  // namespace

absl::Span<const Concept> Concepts() { return kConcepts; }

const Concept* ConceptOf(const LexicalText& text) {
  const Concept* best = nullptr;
  int most = 0;
  for (const Concept& candidate : kConcepts) {
    const int hits = text.Count(candidate.vocabulary);
    if (hits > most) {
      most = hits;
      best = &candidate;
    }
  }
  return best;
}

}  // namespace assay::judge::offline
