// Reads the request and the response out of an application's inputs and outputs.
//
// Known are chat messages as providers and frameworks write them: OpenAI's chat completions and
// Responses, Anthropic's Messages, Gemini's contents and candidates, Bedrock's Converse, LangChain's
// messages, the AI SDK's messages and results. docs/judges/guidelines.md lists them all.
#ifndef ASSAY_SERVICES_JUDGE_CORE_CHAT_TEXT_H_
#define ASSAY_SERVICES_JUDGE_CORE_CHAT_TEXT_H_

#include <string>
#include <string_view>

namespace assay::judge {

// What the user asked, as JSON: of an object with messages (or a bare list of messages), the
// content if there is one message, else the list of them; all else stays as it is. `inputs` must be
// valid JSON. Thread-safe, as all here.
std::string RequestOf(std::string_view inputs);

// What the application answered, as JSON: the text of a model's response, of the last message, of
// the first element of a list; all else stays as it is. `outputs` must be valid JSON.
std::string ResponseOf(std::string_view outputs);

// What the user said last, as plain text: the last user's message of a list, else as RequestOf. ""
// if that is null or blank.
std::string UserTextOf(std::string_view inputs);

// ResponseOf as plain text; "" if that is null or blank.
std::string AssistantTextOf(std::string_view outputs);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_CHAT_TEXT_H_
