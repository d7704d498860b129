// What the lexical stand-in understands of a prompt: the same text that any model gets, read back
// by its blocks.
#ifndef ASSAY_SERVICES_JUDGE_CORE_OFFLINE_PROMPT_READER_H_
#define ASSAY_SERVICES_JUDGE_CORE_OFFLINE_PROMPT_READER_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/json/safe_json.h"
#include "services/judge/core/model_client.h"

namespace assay::judge::offline {

struct LabelledCase {
  std::string request;   // Plain text.
  std::string response;  // Plain text.
  std::string value;     // judging::ValueKey of the person's value.
  std::string rationale;
  double similarity = 0;
  bool judge_was_wrong = false;
};

struct JudgingTask {
  std::string instructions;
  std::string builtin;                          // The name of a built-in judge, or "".
  std::vector<std::string> guidelines;          // Of a guidelines judge.
  std::vector<std::string> learned_guidelines;  // Distilled from feedback.
  std::vector<LabelledCase> examples;
  std::map<std::string, std::string> material;  // Blocks by name, content as it stands.
  bool ordered_categories = false;

  // Plain text of the block `name`; "" if there is none.
  std::string Text(const std::string& name) const;
  // Plain text of the block `root` and of paths into it, such as `outputs.message`.
  std::string TextBelow(std::string_view root) const;
  // `request` or `inputs`, what the user says in the conversation, or the trace's inputs.
  std::string Request() const;
  // `response` or `outputs`, what the assistant says in the conversation, the trace's outputs, or
  // all the material.
  std::string Response() const;
};

// A verdict to give; nullopt if the messages are no judge's prompt. Thread-safe, as all here.
std::optional<JudgingTask> ReadJudgingTask(const ModelRequest& request);

struct FeedbackRecord {
  std::string trace;
  std::string request;   // Plain text.
  std::string response;  // Plain text.
  std::string judge_value;
  std::string human_value;
  std::string rationale;
};

struct DistillationTask {
  std::vector<FeedbackRecord> records;
  std::string prompt;  // All the text, for what it says of the values.
};

// Guidelines to distil: a schema with `guidelines`, and JSON records with `trace` and `human_value`
// in the text.
std::optional<DistillationTask> ReadDistillationTask(const ModelRequest& request);

// All strings and numbers in a JSON text, one a line; of a conversation, what the user said; of a
// text that is no JSON, the text.
std::string PlainText(std::string_view json_text);

}  // namespace assay::judge::offline

#endif  // ASSAY_SERVICES_JUDGE_CORE_OFFLINE_PROMPT_READER_H_
