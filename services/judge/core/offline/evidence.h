// What the lexical stand-in takes notice of in a response: counts and shares of words, nothing
// deeper.
#ifndef ASSAY_SERVICES_JUDGE_CORE_OFFLINE_EVIDENCE_H_
#define ASSAY_SERVICES_JUDGE_CORE_OFFLINE_EVIDENCE_H_

#include <array>
#include <string>
#include <vector>

#include "services/judge/core/offline/lexical_text.h"

namespace assay::judge::offline {

// All from 0 to 1.
struct Evidence {
  double empathy = 0;      // Regret, understanding, warmth.
  double courtesy = 0;     // Thanks, please.
  double rudeness = 0;     // Insults, blame, sarcasm; official coldness counts half.
  double relevance = 0;    // How much of the request's wording the response takes up.
  double specifics = 0;    // Numbers, names and codes of the request that come back, and own ones.
  double steps = 0;        // Instructions and places in menus.
  double actions = 0;      // What the speaker has done or does.
  double time = 0;         // A day, date or hour.
  double explanation = 0;  // Reasons, and what to do if it does not work.
  double vagueness = 0;    // Phrases that commit to nothing.
  double advert = 0;       // Advertising.
  double refusal = 0;      // A refusal with nothing in its place.
  double length = 0;       // Words, up to 80.

  static constexpr int kCount = 13;
  std::array<double, kCount> AsArray() const;
};

Evidence CollectEvidence(const LexicalText& request, const LexicalText& response);

// From 0 (worst) to 1 (best), by the weights in evidence.cc. `instructions` say what counts: only
// tone, only relevance, or all. Thread-safe, as all here.
double Goodness(const Evidence& evidence, const LexicalText& instructions);

// The strongest reasons for the goodness, for people: "shows empathy", "is vague".
std::vector<std::string> Reasons(const Evidence& evidence);

// Parts of it, also used elsewhere.
bool NamesTime(const LexicalText& text);  // A weekday, a date, an hour, tomorrow, within two days.
bool NamesPerson(const LexicalText& text);  // A capitalised name of somebody who will do something.
double Rudeness(const LexicalText& response);

}  // namespace assay::judge::offline

#endif  // ASSAY_SERVICES_JUDGE_CORE_OFFLINE_EVIDENCE_H_
