#include "common/judging/example_text.h"

#include "absl/status/statusor.h"
#include "common/embed/embed.h"
#include "common/json/safe_json.h"
#include "common/json/utf8.h"
#include "common/strings/strings.h"

namespace assay::judging {

namespace {

constexpr size_t kMaxBytes = 16 * 1024;

void AppendWords(const json::Node& node, std::string* out) {
  if (out->size() > kMaxBytes) return;
  if (node.is_string() || node.is_number()) StrAppend(out, node.text, "\n");
  for (const json::Node& child : node.children) AppendWords(child, out);
}

std::string Words(std::string_view json_text) {
  if (json_text.empty()) return "";
  std::string words;
  const absl::StatusOr<json::Node> node = json::ParseJson(json_text);
  if (node.ok()) {
    AppendWords(*node, &words);
  } else {
    words = std::string(json_text);
  }
  return std::string(json::TruncateUtf8Bytes(words, kMaxBytes));
}

}  // namespace

std::string ExampleText(std::string_view inputs_json, std::string_view outputs_json) {
  return StrCat(Words(inputs_json), Words(outputs_json));
}

std::vector<float> EmbedExample(std::string_view inputs_json, std::string_view outputs_json) {
  return embed::EmbedText(ExampleText(inputs_json, outputs_json));
}

}  // namespace assay::judging
