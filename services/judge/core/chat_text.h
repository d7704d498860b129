// Reads the request and the response out of an application's inputs and outputs.
#ifndef ASSAY_SERVICES_JUDGE_CORE_CHAT_TEXT_H_
#define ASSAY_SERVICES_JUDGE_CORE_CHAT_TEXT_H_

#include <string>
#include <string_view>

namespace assay::judge {

// What the user asked, as JSON: of an object with `messages` (or a bare list of messages), the last
// content if there is one message, else the list of them; all else stays as it is. `inputs` must be
// valid JSON. Thread-safe, as all here.
std::string RequestOf(std::string_view inputs);

// What the application answered, as JSON: `choices[0].message.content` of chat completions, the
// last content of `messages`, the last assistant text of `output` (OpenAI's Responses), the text
// blocks of `content` (Anthropic's Messages), the first element of a list; all else stays as it is.
// `outputs` must be valid JSON.
std::string ResponseOf(std::string_view outputs);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_CHAT_TEXT_H_
