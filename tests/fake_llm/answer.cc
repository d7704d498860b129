#include "tests/fake_llm/answer.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "common/json/json_reader.h"
#include "common/json/safe_json.h"
#include "common/strings/strings.h"

namespace assay::fake_llm {
namespace {

using json::JsonString;
using json::Node;

constexpr std::string_view kJunk[] = {
    "Remember that quality is important.",
    "Consider the weather on the day of the message.",
    "Answers with an even number of words deserve attention.",
    "Always be thorough and thoughtful.",
};

// Lower case, and any white space as one blank: texts are found however they were wrapped.
std::string Normalized(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    if (absl::ascii_isspace(static_cast<unsigned char>(c))) {
      if (!out.empty() && out.back() != ' ') out.push_back(' ');
    } else {
      out.push_back(absl::ascii_tolower(static_cast<unsigned char>(c)));
    }
  }
  return out;
}

bool Contains(const std::string& normalized, std::string_view text) {
  const std::string wanted = Normalized(text);
  return !wanted.empty() && normalized.find(wanted) != std::string::npos;
}

// The item under judgement: behind the marker, or all that users said first.
std::string ItemText(const Script& script, const ChatRequest& request) {
  for (const ChatTurn& turn : request.turns) {
    if (turn.role != "user") continue;
    const size_t at =
        script.item_marker.empty() ? std::string::npos : turn.text.rfind(script.item_marker);
    return at == std::string::npos ? turn.text : turn.text.substr(at);
  }
  return "";
}

std::string_view TypeOf(const Node& schema) {
  const Node* type = schema.Find("type");
  if (type == nullptr) return "";
  if (type->is_string()) return type->text;
  for (const Node& option : type->children) {
    if (option.is_string() && option.text != "null") return option.text;
  }
  return "";
}

// The schema itself, or its first alternative that is not null.
const Node& Resolved(const Node& schema) {
  for (const char* name : {"anyOf", "oneOf"}) {
    const Node* options = schema.Find(name);
    if (options == nullptr) continue;
    for (const Node& option : options->children) {
      if (TypeOf(option) != "null") return option;
    }
  }
  return schema;
}

std::string AnythingOf(const Node& given);

std::string AnObjectOf(const Node& schema) {
  std::string text = "{";
  if (const Node* properties = schema.Find("properties")) {
    for (const Node& property : properties->children) {
      StrAppend(&text, text.size() > 1 ? "," : "", JsonString(property.key), ":",
                AnythingOf(property));
    }
  }
  return text + "}";
}

// The simplest value of that form, as JSON.
std::string AnythingOf(const Node& given) {
  const Node& schema = Resolved(given);
  if (const Node* values = schema.Find("enum"); values != nullptr && !values->children.empty()) {
    return values->children.front().ToJson();
  }
  const std::string_view type = TypeOf(schema);
  if (type == "boolean") return "true";
  if (type == "null") return "null";
  if (type == "array") return "[]";
  if (type == "object") return AnObjectOf(schema);
  if (type == "number" || type == "integer") {
    const Node* minimum = schema.Find("minimum");
    return minimum == nullptr ? "0" : minimum->ToJson();
  }
  return R"("text")";
}

// The values that a verdict may have, the best first, each as JSON. Empty for lists and objects.
std::vector<std::string> Scale(const Script& script, const Node& given) {
  const Node& schema = Resolved(given);
  std::vector<std::string> scale;
  if (const Node* values = schema.Find("enum")) {
    for (const Node& value : values->children) {
      if (!value.is_null()) scale.push_back(value.ToJson());
    }
    if (!script.first_is_best) std::reverse(scale.begin(), scale.end());
    return scale;
  }
  const std::string_view type = TypeOf(schema);
  if (type == "boolean") return {"true", "false"};
  if (type == "number") return {"1", "0.75", "0.5", "0.25", "0"};
  if (type == "integer") {
    auto bound = [&schema](const char* name, int64_t fallback) {
      const Node* node = schema.Find(name);
      return node == nullptr ? fallback : node->AsInt64().value_or(fallback);
    };
    const int64_t low = bound("minimum", 1);
    const int64_t high = std::clamp(bound("maximum", low + 4), low, low + 100);
    for (int64_t value = high; value >= low; --value) scale.push_back(StrCat(value));
    return scale;
  }
  if (type == "string" || type.empty()) return {R"("yes")", R"("no")"};
  return scale;
}

struct Verdict {
  std::string json;
  std::string reason;
};

Verdict Judge(const Script& script, const ChatRequest& request, std::string_view sha,
              const Node& schema) {
  const std::vector<std::string> scale = Scale(script, schema);
  if (scale.empty()) return {AnythingOf(schema), "of the form that was asked for"};
  const std::string prompt = Normalized(request.PromptText());
  const std::string item = Normalized(ItemText(script, request));
  const int worst = static_cast<int>(scale.size()) - 1;
  int at = worst;
  for (const std::string& word : script.positive) at -= Contains(item, word) ? 1 : 0;
  at = std::clamp(at, 0, worst);
  Verdict verdict = {scale[at], StrCat("by first impression ", scale[at])};
  for (const PlantedRule& rule : script.rules) {
    const bool told = std::any_of(rule.guidelines.begin(), rule.guidelines.end(),
                                  [&](const std::string& text) { return Contains(prompt, text); });
    if (!told || !Contains(item, rule.trigger)) continue;
    at = std::clamp(at - rule.shift, 0, worst);
    verdict.json = rule.set_json.empty() ? scale[at] : rule.set_json;
    StrAppend(&verdict.reason, "; by the guideline on `", rule.trigger, "` ", verdict.json);
  }
  if (scale.size() > 1 && Chance(script.seed, sha, "noise", 0) < script.noise) {
    std::vector<std::string> others = scale;
    std::erase(others, verdict.json);
    verdict.json = others[static_cast<size_t>(Chance(script.seed, sha, "noise", 1) *
                                              static_cast<double>(others.size()))];
    StrAppend(&verdict.reason, "; on second thought ", verdict.json);
  }
  return verdict;
}

std::string Spoiled(std::string result, const Node& schema, FaultKind fault) {
  const Node& resolved = Resolved(schema);
  const bool textual = TypeOf(resolved) == "string" || resolved.Find("enum") != nullptr;
  if (fault == FaultKind::kWrongType) return textual ? "12345" : R"({"not":"of the type"})";
  if (fault == FaultKind::kOutsideValue)
    return textual ? R"("outside_of_all_values")" : "1000000007";
  return result;
}

// A case in a prompt that asks for guidelines: a line that is a JSON object with an id.
struct Record {
  std::string id;
  std::string text;  // Normalized.
};

std::vector<Record> ReadRecords(const ChatRequest& request) {
  std::vector<Record> records;
  for (const ChatTurn& turn : request.turns) {
    if (turn.role != "user") continue;
    for (absl::string_view line : absl::StrSplit(turn.text, '\n')) {
      if (!absl::StartsWith(line, "{")) continue;
      const absl::StatusOr<Node> node = json::ParseJson(ToStd(line));
      if (!node.ok()) continue;
      for (const char* name : {"trace", "trace_id", "id"}) {
        const Node* id = node->Find(name);
        if (id == nullptr || !id->is_string()) continue;
        records.push_back({id->text, Normalized(ToStd(line))});
        break;
      }
    }
  }
  return records;
}

struct Distilled {
  std::string text;
  std::vector<std::string> sources;  // Ids of records.
};

std::vector<Distilled> DistilledTexts(const Script& script, const ChatRequest& request,
                                      std::string_view sha) {
  const std::vector<Record> records = ReadRecords(request);
  const std::string prompt = records.empty() ? Normalized(request.PromptText()) : "";
  std::vector<std::string> first;
  if (!records.empty()) first.push_back(records.front().id);
  std::vector<Distilled> distilled;
  for (size_t i = 0; i < script.rules.size(); ++i) {
    const PlantedRule& rule = script.rules[i];
    Distilled entry;
    for (const Record& record : records) {
      if (Contains(record.text, rule.trigger)) entry.sources.push_back(record.id);
    }
    if (entry.sources.empty() && !Contains(prompt, rule.trigger)) continue;
    if (Chance(script.seed, sha, "right", i) >= script.distillation.right_probability) continue;
    const double pick = Chance(script.seed, sha, "spelling", i);
    entry.text =
        rule.guidelines[static_cast<size_t>(pick * static_cast<double>(rule.guidelines.size()))];
    distilled.push_back(std::move(entry));
  }
  const size_t right = distilled.size();
  for (int i = 0; i < script.distillation.contradictions && !script.rules.empty(); ++i) {
    const PlantedRule& rule = script.rules[static_cast<size_t>(i) % script.rules.size()];
    distilled.push_back(
        {StrCat("Texts about `", rule.trigger, "` need no special care of any kind."), first});
  }
  for (int i = 0; i < script.distillation.junk; ++i) {
    distilled.push_back({std::string(kJunk[static_cast<size_t>(i) % std::size(kJunk)]), first});
  }
  for (int i = 0; i < script.distillation.duplicates && right > 0; ++i) {
    distilled.push_back(distilled[0]);
  }
  return distilled;
}

std::string StringList(const std::vector<std::string>& texts) {
  std::string list = "[";
  for (const std::string& text : texts)
    StrAppend(&list, list.size() > 1 ? "," : "", JsonString(text));
  return list + "]";
}

// One entry of the list: the text itself, or an object with the text in its most likely field, and
// the sources in a list of strings.
std::string GuidelineEntry(const Node& item_schema, const Distilled& distilled) {
  const Node* properties = item_schema.Find("properties");
  if (properties == nullptr) return JsonString(distilled.text);
  const Node* holder = nullptr;
  for (const char* name : {"guideline_text", "guideline", "text", "rule"}) {
    if (holder == nullptr) holder = properties->Find(name);
  }
  for (const Node& property : properties->children) {
    if (holder == nullptr && TypeOf(property) == "string") holder = &property;
  }
  std::string entry = "{";
  for (const Node& property : properties->children) {
    const bool sources =
        TypeOf(property) == "array" && property.key.find("source") != std::string::npos;
    StrAppend(&entry, entry.size() > 1 ? "," : "", JsonString(property.key), ":",
              &property == holder ? JsonString(distilled.text)
              : sources           ? StringList(distilled.sources)
                                  : AnythingOf(property));
  }
  return entry + "}";
}

std::string Distill(const Script& script, const ChatRequest& request, std::string_view sha,
                    const Node& list) {
  std::vector<Distilled> texts = DistilledTexts(script, request, sha);
  const Node* limit = list.Find("maxItems");
  const int64_t most = limit == nullptr ? 1000 : limit->AsInt64().value_or(1000);
  if (static_cast<int64_t>(texts.size()) > most) texts.resize(static_cast<size_t>(most));
  static const Node* const any = new Node();
  const Node* items = list.Find("items");
  std::string entries = "[";
  for (const Distilled& text : texts) {
    StrAppend(&entries, entries.size() > 1 ? "," : "",
              GuidelineEntry(items == nullptr ? *any : *items, text));
  }
  return entries + "]";
}

// The property of the schema that is a list of guidelines, or null.
const Node* GuidelineList(const Node& schema) {
  const Node* properties = schema.Find("properties");
  if (properties == nullptr) return nullptr;
  for (const Node& property : properties->children) {
    if (TypeOf(property) == "array" && property.key.find("guideline") != std::string::npos) {
      return &property;
    }
  }
  return nullptr;
}

}  // namespace

double Chance(uint64_t seed, std::string_view key, std::string_view label, uint64_t number) {
  uint64_t hash = 0xcbf29ce484222325ULL ^ (seed * 0x9e3779b97f4a7c15ULL);
  auto mix = [&hash](std::string_view text) {
    for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  };
  mix(key);
  mix("/");
  mix(label);
  hash ^= number * 0xbf58476d1ce4e5b9ULL;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9ULL;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebULL;
  hash ^= hash >> 31;
  return static_cast<double>(hash >> 11) * 0x1.0p-53;
}

std::string WriteContent(const Script& script, const ChatRequest& request,
                         std::string_view prompt_sha, FaultKind fault) {
  static const Node* const no_schema = new Node();
  const Node* properties = request.schema.Find("properties");
  const Node* guidelines = GuidelineList(request.schema);
  if (guidelines != nullptr &&
      Chance(script.seed, prompt_sha, "malformed", 0) < script.distillation.malformed_probability) {
    return R"(Here are the guidelines: {"guidelines": ["be fair)";
  }
  const Node* result = properties == nullptr ? no_schema : properties->Find("result");
  const Verdict verdict = result == nullptr ? Verdict{"null", "of the form that was asked for"}
                                            : Judge(script, request, prompt_sha, *result);
  const std::string value = result == nullptr ? "" : Spoiled(verdict.json, *result, fault);
  if (properties == nullptr) {
    return StrCat(R"({"rationale":)", JsonString(verdict.reason),
                  fault == FaultKind::kMissingResult ? "" : StrCat(R"(,"result":)", value), "}");
  }
  std::string text = "{";
  for (const Node& property : properties->children) {
    if (&property == result && fault == FaultKind::kMissingResult) continue;
    StrAppend(&text, text.size() > 1 ? "," : "", JsonString(property.key), ":");
    if (&property == result) {
      text += value;
    } else if (&property == guidelines) {
      text += Distill(script, request, prompt_sha, property);
    } else {
      text += property.key == "rationale" ? JsonString(verdict.reason) : AnythingOf(property);
    }
  }
  return text + "}";
}

}  // namespace assay::fake_llm
