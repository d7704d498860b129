// Small things that all wires do with JSON.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_WIRE_JSON_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_WIRE_JSON_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/json/safe_json.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

// The tool that a model must call where it is the only way to an answer by schema: its input is
// the answer.
inline constexpr char kVerdictTool[] = "record_verdict";
inline constexpr char kVerdictToolDescription[] =
    "Records the answer. Its input is the whole answer.";

// The member of a member ...; null where one is absent.
const json::Node* Descend(const json::Node* node, std::initializer_list<std::string_view> path);

// "" for null and for what is no string.
std::string TextOf(const json::Node* node);
// 0 for what is no whole number, or negative.
int64_t CountOf(const json::Node* node, std::string_view name);

// "[a,b]" of texts that are JSON already.
std::string JsonList(const std::vector<std::string>& items);

// The JSON object that a call's arguments are; "{}" if they are none.
std::string ArgumentsObject(const std::string& arguments);

// What tells a model the form of its answer in words.
std::string SchemaInWords(const std::string& schema);

// `text` with all but letters, digits and -_.~ percent-encoded: for paths of URLs and for forms.
std::string PercentEncoded(std::string_view text);

// `name` as one segment of a URL's path. INVALID_ARGUMENT INVALID_MODEL_URI for "." and "..".
absl::StatusOr<std::string> PathSegment(std::string_view name);

// The system's messages, a blank line between them; `last` behind them if it is not "".
std::string SystemText(const ModelRequest& request, const std::string& last);

// INVALID_ARGUMENT, reason INVALID_INFERENCE_PARAMETER: `provider` has no such parameter.
absl::Status NoSuchParameter(std::string_view provider, std::string_view name,
                             std::string_view known);

// The name of the tool whose call has that id, in the turns before; "" if there is none.
std::string ToolNameOf(const ModelRequest& request, const std::string& tool_call_id);

// The offered tools; where the turns hold calls but no tool is offered any more, the tools of those
// calls, as some providers want their definitions still.
std::vector<ModelTool> ToolsOf(const ModelRequest& request);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_WIRE_JSON_H_
