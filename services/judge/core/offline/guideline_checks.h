// Pass-or-fail checks of a response against one guideline, by the words of both.
#ifndef ASSAY_SERVICES_JUDGE_CORE_OFFLINE_GUIDELINE_CHECKS_H_
#define ASSAY_SERVICES_JUDGE_CORE_OFFLINE_GUIDELINE_CHECKS_H_

#include <map>
#include <string>
#include <string_view>

#include "services/judge/core/offline/lexical_text.h"

namespace assay::judge::offline {

struct GuidelineCheck {
  bool met = true;
  std::string why;  // For people: "the wording is disrespectful".
};

// `context` holds further material by name (`provided_policies`), as plain text. Thread-safe, as
// all here.
GuidelineCheck CheckGuideline(std::string_view guideline, const LexicalText& request,
                              const LexicalText& response,
                              const std::map<std::string, std::string>& context);

// One policy ("All returns must be processed within 30 days"): a response breaks it if it grants
// what the policy excludes, or refuses what it allows.
GuidelineCheck CheckPolicy(std::string_view policy, const LexicalText& request,
                           const LexicalText& response);

}  // namespace assay::judge::offline

#endif  // ASSAY_SERVICES_JUDGE_CORE_OFFLINE_GUIDELINE_CHECKS_H_
