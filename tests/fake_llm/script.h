// What the scripted model does: how fast, which failures when, which planted rules it knows.
#ifndef ASSAY_TESTS_FAKE_LLM_SCRIPT_H_
#define ASSAY_TESTS_FAKE_LLM_SCRIPT_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace assay::fake_llm {

enum class FaultKind : uint8_t {
  kNone,              // "ok"
  kStatus,            // "status": answers with `status` and `retry_after`.
  kQuota,             // "quota": 429 insufficient_quota.
  kRefusal,           // "refusal": the model refuses.
  kTruncatedJson,     // "truncated_json": the body ends in the middle, its Content-Length agreeing.
  kMalformedJson,     // "malformed_json": the body is no JSON.
  kTruncatedContent,  // "truncated_content": the model's text ends in the middle, with the token
                      // limit as its reason.
  kMalformedContent,  // "malformed_content": the model's text is no JSON.
  kFenced,            // "fenced": the model's JSON stands in a markdown fence.
  kWrongType,         // "wrong_type": `result` has another type than asked for.
  kOutsideValue,      // "outside_value": `result` has the type, but is none of the values allowed.
  kMissingResult,     // "missing_result"
  kDrop,              // "drop": ends the connection without an answer.
  kDropMidBody,       // "drop_mid_body": ends it within the body.
  kHang,              // "hang": never answers.
  kEndlessBody,       // "endless_body": sends a body that never ends.
};

// nullopt for another word.
std::optional<FaultKind> FaultFromName(std::string_view name);
std::string_view FaultName(FaultKind kind);

struct Fault {
  FaultKind kind = FaultKind::kNone;
  int status = 500;
  std::string retry_after;  // The header's value; "" for none.
  int times = 1;            // In `sequence`: how many answers.
  double probability = 1;   // In `faults`.
  std::string contains;     // In `faults`: only for prompts with this text.
  int max_attempt = 0;      // In `faults`: only for the first attempts at a prompt; 0 is all.
};

// A rule that people follow and the model knows only if it is told.
struct PlantedRule {
  std::string trigger;  // Applies to items with this text.
  std::vector<std::string>
      guidelines;  // The canonical sentence, then paraphrases: one of them must be in the prompt.
  std::string set_json;  // The verdict, as JSON; or
  int shift = 0;         // steps towards the best value (negative: the worst).
};

// What comes when the prompt asks for guidelines.
struct Distillation {
  double right_probability = 1;      // Per planted rule whose trigger is in the prompt.
  int junk = 0;                      // Sentences about nothing.
  int duplicates = 0;                // Repetitions of the first.
  int contradictions = 0;            // Sentences against a rule.
  double malformed_probability = 0;  // No JSON at all.
};

// A call of a tool, as the model makes it.
struct ScriptedToolCall {
  std::string name;
  std::string arguments;  // As it is written: JSON, or what a model takes for it.
};

struct Script {
  int64_t latency_ms = 0;
  int64_t latency_jitter_ms = 0;  // Added evenly, by prompt and attempt.
  uint64_t seed = 1;
  bool structured_output = true;  // False: 400 to a response_format.
  std::string api_key;            // Asked for if not "".
  bool log_prompts = true;
  std::string
      canned_content;  // If not "": every answer's text, without reading the request. For load.
  std::string canned_body;     // If not "": the whole body of every answer, likewise.
  std::deque<Fault> sequence;  // The next answers, in order; then:
  std::vector<Fault> faults;
  std::vector<PlantedRule> rules;
  // The base verdict: worst, and one step better for each of these that is in the item.
  std::vector<std::string> positive = {"thank", "sorry", "happy to", "let me know"};
  bool first_is_best = true;  // Of the categories in the schema.
  double noise = 0;           // Probability of another verdict, by prompt.
  std::string item_marker =
      "The item to judge:";  // The item begins behind its last occurrence, if there is one.
  Distillation distillation;
  // OpenAI's form: what is called where tools are offered, round by round; then comes the answer.
  std::vector<std::vector<ScriptedToolCall>> tool_rounds;
  bool repeat_tool_rounds = false;  // The answer never comes: the rounds begin again.
};

// Reads the JSON form: the names above ("sequence": [{"fault": "status", "status": 429,
// "retry_after": "1"}], "rules": [{"trigger": ..., "guidelines": [...], "set": <JSON> | "shift":
// n}], "tool_rounds": [{"calls":
// [{"name": ..., "arguments": <JSON or a string>}]}]). INVALID_ARGUMENT names an unknown or wrong field.
absl::StatusOr<Script> ParseScript(std::string_view json);

}  // namespace assay::fake_llm

#endif  // ASSAY_TESTS_FAKE_LLM_SCRIPT_H_
