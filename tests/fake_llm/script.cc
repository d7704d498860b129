#include "tests/fake_llm/script.h"

#include <array>
#include <set>
#include <utility>

#include "common/json/safe_json.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::fake_llm {
namespace {

using json::Node;

constexpr std::array<std::pair<std::string_view, FaultKind>, 16> kFaultNames = {{
    {"ok", FaultKind::kNone},
    {"status", FaultKind::kStatus},
    {"quota", FaultKind::kQuota},
    {"refusal", FaultKind::kRefusal},
    {"truncated_json", FaultKind::kTruncatedJson},
    {"malformed_json", FaultKind::kMalformedJson},
    {"truncated_content", FaultKind::kTruncatedContent},
    {"malformed_content", FaultKind::kMalformedContent},
    {"fenced", FaultKind::kFenced},
    {"wrong_type", FaultKind::kWrongType},
    {"outside_value", FaultKind::kOutsideValue},
    {"missing_result", FaultKind::kMissingResult},
    {"drop", FaultKind::kDrop},
    {"drop_mid_body", FaultKind::kDropMidBody},
    {"hang", FaultKind::kHang},
    {"endless_body", FaultKind::kEndlessBody},
}};

// Reads the members of one object; what nobody asked for is an error in the end.
class Reader {
 public:
  Reader(const Node& node, std::string path) : node_(node), path_(std::move(path)) {
    if (!node.is_object()) Fail("", "must be an object");
  }

  void Read(const char* name, std::string* out) {
    if (const Node* node = Take(name)) {
      node->is_string() ? void(*out = node->text) : Fail(name, "must be a string");
    }
  }
  void Read(const char* name, bool* out) {
    if (const Node* node = Take(name)) {
      node->is_bool() ? void(*out = node->boolean) : Fail(name, "must be true or false");
    }
  }
  void Read(const char* name, double* out) {
    if (const Node* node = Take(name)) {
      node->AsDouble() ? void(*out = *node->AsDouble()) : Fail(name, "must be a number");
    }
  }
  template <class Integer>
  void ReadInteger(const char* name, Integer* out) {
    if (const Node* node = Take(name)) {
      node->AsInt64() ? void(*out = static_cast<Integer>(*node->AsInt64()))
                      : Fail(name, "must be an integer");
    }
  }
  void ReadJson(const char* name, std::string* out) {
    if (const Node* node = Take(name)) *out = node->ToJson();
  }
  void ReadJsonOrText(const char* name, std::string* out) {
    if (const Node* node = Take(name)) *out = node->is_string() ? node->text : node->ToJson();
  }
  void Read(const char* name, std::vector<std::string>* out) {
    const Node* node = Take(name);
    if (node == nullptr) return;
    out->clear();
    for (const Node& item : node->children) {
      if (!item.is_string()) Fail(name, "must be a list of strings");
      out->push_back(item.text);
    }
    if (!node->is_array()) Fail(name, "must be a list of strings");
  }
  // Calls `read` with a Reader for each object of the list.
  template <class Callback>
  void ReadObjects(const char* name, Callback read) {
    const Node* node = Take(name);
    if (node == nullptr) return;
    if (!node->is_array()) return Fail(name, "must be a list");
    for (size_t i = 0; i < node->children.size(); ++i) {
      Reader reader(node->children[i], StrCat(path_, name, "[", i, "]."));
      read(reader);
      Adopt(reader);
    }
  }
  template <class Callback>
  void ReadObject(const char* name, Callback read) {
    const Node* node = Take(name);
    if (node == nullptr) return;
    Reader reader(*node, StrCat(path_, name, "."));
    read(reader);
    Adopt(reader);
  }

  void Fail(const char* name, std::string_view why) {
    if (status_.ok()) status_ = InvalidField(StrCat(path_, name), why, "INVALID_SCRIPT");
  }

  absl::Status Finish() {
    if (status_.ok() && taken_ < node_.children.size()) {
      for (const Node& member : node_.children) {
        if (!known_.contains(member.key)) Fail(member.key.c_str(), "is no field of a script");
      }
    }
    return status_;
  }

 private:
  const Node* Take(const char* name) {
    known_.insert(name);
    const Node* node = node_.Find(name);
    if (node != nullptr) ++taken_;
    return node;
  }
  void Adopt(Reader& reader) {
    if (absl::Status status = reader.Finish(); status_.ok()) status_ = std::move(status);
  }

  const Node& node_;
  const std::string path_;
  std::set<std::string> known_;
  size_t taken_ = 0;
  absl::Status status_;
};

Fault ReadFault(Reader& reader) {
  Fault fault;
  std::string name = "ok";
  reader.Read("fault", &name);
  const std::optional<FaultKind> kind = FaultFromName(name);
  if (!kind.has_value()) reader.Fail("fault", "is no known fault");
  fault.kind = kind.value_or(FaultKind::kNone);
  reader.ReadInteger("status", &fault.status);
  if (fault.status < 100 || fault.status > 999) reader.Fail("status", "must have three digits");
  reader.Read("retry_after", &fault.retry_after);
  reader.ReadInteger("times", &fault.times);
  reader.Read("probability", &fault.probability);
  reader.Read("contains", &fault.contains);
  reader.ReadInteger("max_attempt", &fault.max_attempt);
  return fault;
}

PlantedRule ReadRule(Reader& reader) {
  PlantedRule rule;
  reader.Read("trigger", &rule.trigger);
  reader.Read("guidelines", &rule.guidelines);
  reader.ReadJson("set", &rule.set_json);
  reader.ReadInteger("shift", &rule.shift);
  if (rule.trigger.empty()) reader.Fail("trigger", "is required");
  if (rule.guidelines.empty()) reader.Fail("guidelines", "must hold the canonical sentence");
  return rule;
}

void ReadDistillation(Reader& reader, Distillation* distillation) {
  reader.Read("right_probability", &distillation->right_probability);
  reader.ReadInteger("junk", &distillation->junk);
  reader.ReadInteger("duplicates", &distillation->duplicates);
  reader.ReadInteger("contradictions", &distillation->contradictions);
  reader.Read("malformed_probability", &distillation->malformed_probability);
}

ScriptedToolCall ReadToolCall(Reader& reader) {
  ScriptedToolCall call;
  reader.Read("name", &call.name);
  reader.ReadJsonOrText("arguments", &call.arguments);
  return call;
}

std::vector<ScriptedToolCall> ReadToolRound(Reader& reader) {
  std::vector<ScriptedToolCall> calls;
  reader.ReadObjects("calls", [&](Reader& r) { calls.push_back(ReadToolCall(r)); });
  return calls;
}

}  // namespace

std::optional<FaultKind> FaultFromName(std::string_view name) {
  for (const auto& [known, kind] : kFaultNames) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

std::string_view FaultName(FaultKind kind) {
  for (const auto& [name, known] : kFaultNames) {
    if (known == kind) return name;
  }
  return "ok";
}

absl::StatusOr<Script> ParseScript(std::string_view json) {
  ASSAY_ASSIGN_OR_RETURN(const Node root, json::ParseJson(json));
  Script script;
  Reader reader(root, "");
  reader.ReadInteger("latency_ms", &script.latency_ms);
  reader.ReadInteger("latency_jitter_ms", &script.latency_jitter_ms);
  reader.ReadInteger("seed", &script.seed);
  reader.Read("structured_output", &script.structured_output);
  reader.Read("api_key", &script.api_key);
  reader.Read("log_prompts", &script.log_prompts);
  reader.Read("canned_content", &script.canned_content);
  reader.Read("canned_body", &script.canned_body);
  reader.ReadObjects("sequence", [&](Reader& r) { script.sequence.push_back(ReadFault(r)); });
  reader.ReadObjects("faults", [&](Reader& r) { script.faults.push_back(ReadFault(r)); });
  reader.ReadObjects("rules", [&](Reader& r) { script.rules.push_back(ReadRule(r)); });
  reader.Read("positive", &script.positive);
  reader.Read("first_is_best", &script.first_is_best);
  reader.Read("noise", &script.noise);
  reader.Read("item_marker", &script.item_marker);
  reader.ReadObject("distillation", [&](Reader& r) { ReadDistillation(r, &script.distillation); });
  reader.ReadObjects("tool_rounds",
                     [&](Reader& r) { script.tool_rounds.push_back(ReadToolRound(r)); });
  reader.Read("repeat_tool_rounds", &script.repeat_tool_rounds);
  ASSAY_RETURN_IF_ERROR(reader.Finish());
  return script;
}

}  // namespace assay::fake_llm
