// The word lists of the lexical stand-in. General English of service conversations; no sentence of
// any test set.
#ifndef ASSAY_SERVICES_JUDGE_CORE_OFFLINE_LEXICON_H_
#define ASSAY_SERVICES_JUDGE_CORE_OFFLINE_LEXICON_H_

#include <string_view>

#include "absl/types/span.h"

namespace assay::judge::offline {

using Phrases = absl::Span<const std::string_view>;

// Phrases are as LexicalText::Has takes them. Thread-safe, as all here.
Phrases EmpathyPhrases();       // Regret, understanding, sharing the other's concern.
Phrases CourtesyPhrases();      // Thanks, please, offers of help.
Phrases RudePhrases();          // Insults, sarcasm, blame, contempt.
Phrases ColdPhrases();          // Official phrases that shut a conversation.
Phrases VaguePhrases();         // Phrases that commit to nothing.
Phrases AdvertPhrases();        // Advertising.
Phrases StepPhrases();          // Instructions to do something: open, press, choose.
Phrases ActionPhrases();        // What the speaker has done or does: I've checked, I'm sending.
Phrases ExplanationPhrases();   // Because, the cause, which is why.
Phrases AlternativePhrases();   // If that does not work, until then, alternatively.
Phrases ConcernPhrases();       // Of a request: something is wrong, and somebody minds.
Phrases AskPhrases();           // Asks the other for something.
Phrases RefusalPhrases();       // Cannot, may not, no longer possible.
Phrases AssentPhrases();        // Yes, of course, no problem, done.
Phrases JargonPhrases();        // Technical terms a layman does not know.
Phrases RamblePhrases();        // By the way, or rather, where was I.
Phrases PricePhrases();         // Of a request: asks for a price.
Phrases MoneyPromisePhrases();  // Refunds and credits promised.
Phrases VerifiedPhrases();      // Somebody looked the case up first.
Phrases ReferralPhrases();      // Go and ask somebody else.
Phrases HandoverPhrases();      // The case was passed on.

}  // namespace assay::judge::offline

#endif  // ASSAY_SERVICES_JUDGE_CORE_OFFLINE_LEXICON_H_
