// What the scripted model thinks: verdicts by planted rules, guidelines from cases, or anything of
// the asked form.
#ifndef ASSAY_TESTS_FAKE_LLM_ANSWER_H_
#define ASSAY_TESTS_FAKE_LLM_ANSWER_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/fake_llm/chat.h"
#include "tests/fake_llm/script.h"

namespace assay::fake_llm {

// Evenly in [0, 1), always the same for the same arguments.
double Chance(uint64_t seed, std::string_view key, std::string_view label, uint64_t number);

// The text of the answer to `request`, whose prompt has the hash `prompt_sha`. `fault` may spoil
// its content (kWrongType, kOutsideValue, kMissingResult); other kinds are not looked at. A schema
// with a list of guidelines gets a distillation, any other one a verdict under `result`; no schema
// means {"rationale", "result"} with yes or no.
std::string WriteContent(const Script& script, const ChatRequest& request,
                         std::string_view prompt_sha, FaultKind fault);

}  // namespace assay::fake_llm

#endif  // ASSAY_TESTS_FAKE_LLM_ANSWER_H_
