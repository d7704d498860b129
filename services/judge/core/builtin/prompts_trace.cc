#include "services/judge/core/builtin/prompts.h"

namespace assay::judge {

const std::string_view kRetrievalRelevancePrompt =
    R"(Is `document`, which a search returned, relevant to `request`?

- "yes": it holds at least one statement that helps to answer the request, wholly or in part.
- "no": it holds none. That it shares words or a general subject with the request is not enough.

Edge cases:
- If the request is a conversation, its last user message counts, read in the light of the earlier ones.
- A document that shows that the request rests on a mistake helps to answer it.
- A document that is cut off is judged by what is there.
- An empty document is not relevant.

Judge the document alone: there may be others, better or worse. Do not judge whether it is true or up to date.)";

const std::string_view kRetrievalSufficiencyPrompt =
    R"(Would `retrieved_documents` be enough to answer `request` as expected?

What is expected stands in `expected_response` or `expected_facts`.

- "yes": each expected statement stands in the documents, or follows from what stands there.
- "no": at least one expected statement can be found in none of them.

Edge cases:
- Several documents may have to be put together; that is fine. Steps of common sense and simple arithmetic are allowed, knowledge
  of the subject is not.
- Polite phrases and other parts of the expected response that state nothing need no support.
- If documents contradict each other about an expected statement, it counts as supported if one of them supports it.
- No documents are never sufficient, unless nothing is expected.

Name the first unsupported statement in the rationale. Documents that are of no use beside the useful ones do not count against
them.)";

const std::string_view kRetrievalGroundednessPrompt =
    R"(Does everything that `response` states rest on `retrieved_documents`?

- "yes": each statement of fact in the response stands in the documents or follows from them.
- "no": at least one is not supported by any of them, or is contradicted.

Edge cases:
- What only repeats the request in `request` needs no support. Neither do greetings, offers, questions, opinions marked as such,
  and the statement that the documents do not say something, if they do not.
- Steps of common sense and simple arithmetic are allowed. Knowledge of the subject is not, even if it is true.
- Numbers, names and dates must be those of the documents.
- If documents contradict each other, a statement is supported if one of them supports it, unless the response hides the conflict
  on a point that matters.
- A response that states nothing, an empty one included, is grounded. One that states something without any document is not.

Name the first unsupported statement in the rationale. Do not judge whether the response answers the request.)";

const std::string_view kToolCallEfficiencyPrompt =
    R"(Did the application use its tools without waste?

`tool_calls` lists the calls in their order, with arguments and results. `available_tools`, where it is given, lists what could have
been called.

- "yes": each call served the request in `request`, and none could have been left out, merged or replaced by fewer without
  knowing less.
- "no": there is a call without use, a repetition with the same arguments although the result was there, a detour over several
  calls where one available tool would have done it at once, or several calls of one kind that the tool takes together.

Edge cases:
- Another try after an error is no waste, unless it repeats what can only fail again.
- A call whose use could only be seen afterwards, such as a search that found nothing, is no waste the first time.
- Checks before an action that cannot be undone are no waste.
- Without any call, the answer is "yes" if the request could be served without tools, or if no tool would have helped.

Name the wasteful call in the rationale. Do not judge whether the arguments or the final answer are right.)";

const std::string_view kToolCallCorrectnessPrompt =
    R"(Did the application call the right tools with the right arguments for `request`?

`tool_calls` lists the calls in their order, with arguments and results. `available_tools`, where it is given, lists what could have
been called, with the parameters of each.

- "yes": each call chose a tool that fits the purpose, and its arguments agree with the request, with earlier results and with the
  tool's parameters; no call that the request plainly needs is missing.
- "no": at least one call chose a tool that does not fit, has an argument that is made up, missing, of the wrong type or in
  contradiction to what was known, does what nobody asked for, or a needed call is missing.

Edge cases:
- Arguments that the request leaves open may be chosen sensibly. What must be known exactly (ids, amounts, dates, recipients) may
  not be made up.
- A call that failed and was corrected afterwards is no fault.
- Without any call, the answer is "yes" only if the request needed none of the available tools.
- Superfluous but harmless calls are no fault here.

Name the first wrong or missing call in the rationale. Do not judge the final answer.)";

const std::string_view kExpectedToolCallsPrompt =
    R"(Do the tool calls that the application made match those that were expected?

`tool_calls` lists the calls that were made, with arguments; `expected_tool_calls` those that were expected. Where an expected call
gives no arguments, any will do.

- "yes": to each expected call there is one call of its own that means the same, and no call is left over that changes the outcome.
- "no": an expected call is missing, was made with arguments that mean something else, or a call is left over that changes the
  outcome.

Edge cases:
- Arguments mean the same if the tool would do the same: another spelling, format or order of members, a default written out.
- The same call expected twice must have been made twice.
- The order of the calls does not count.
- A call that failed and was repeated with success counts once.
- If no call is expected, none may have been made that changes anything.

Name the first difference in the rationale. Results and the final answer do not count.)";

const std::string_view kExpectedToolCallsInOrderPrompt =
    R"(Do the tool calls that the application made match those that were expected, in their order?

`tool_calls` lists the calls that were made, in order, with arguments; `expected_tool_calls` those that were expected, in order.
Where an expected call gives no arguments, any will do.

- "yes": the expected calls were made one after the other in that order, each meaning the same, and no call is left over that
  changes the outcome.
- "no": an expected call is missing, comes before one that should precede it, was made with arguments that mean something else, or
  a call is left over that changes the outcome.

Edge cases:
- Arguments mean the same if the tool would do the same: another spelling, format or order of members, a default written out.
- The same call expected twice must have been made twice.
- A call that failed and was repeated with success counts once, at the place of the success.
- If no call is expected, none may have been made that changes anything.

Name the first difference in the rationale. Results and the final answer do not count.)";

}  // namespace assay::judge
