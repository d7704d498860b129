// Prints how well the lexical stand-in agrees with the labelled sets in tests/testdata, through the
// same prompts and the same reading of answers as any model: before alignment, and cross-fitted
// with guidelines and examples.
//
//   bazel run //services/judge/core/offline:measure_lexical -- "$PWD/tests/testdata"
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/json/json_reader.h"
#include "common/json/json_value.h"
#include "common/json/safe_json.h"
#include "common/judging/example_text.h"
#include "common/judging/prompt_fence.h"
#include "common/judging/value_type.h"
#include "common/stats/agreement.h"
#include "common/strings/strings.h"
#include "services/judge/core/offline/lexical_model.h"
#include "services/judge/core/prompt.h"
#include "services/judge/core/verdict.h"

namespace assay::judge::offline {
namespace {

constexpr int kFolds = 5;
const char* const kLevels[] = {"excellent", "good", "needs_improvement", "poor"};

struct Row {
  std::string id;
  std::string inputs;
  std::string outputs;
  std::string label;
  std::string rationale;
};

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<json::Node> ReadLines(const std::string& path) {
  std::vector<json::Node> nodes;
  std::istringstream lines(ReadFile(path));
  for (std::string line; std::getline(lines, line);) {
    if (auto node = json::ParseJson(line); node.ok()) nodes.push_back(*std::move(node));
  }
  return nodes;
}

std::string Text(const json::Node& node, std::string_view member) {
  const json::Node* found = node.Find(member);
  return found == nullptr ? "" : found->text;
}

std::string Object(std::string_view key, const std::string& value) {
  return StrCat("{", json::JsonString(key), ":", json::JsonString(value), "}");
}

registry::v1::JudgeDefinition QualityJudge() {
  registry::v1::JudgeDefinition definition;
  definition.mutable_instructions()->set_instructions(
      "Evaluate the quality of this customer support response.\n"
      "Consider: Does it address the customer's issue? Is the tone professional and empathetic? "
      "Are the next steps "
      "clear?\nThe response is {{ outputs }}, to the issue in {{ inputs }}.");
  auto& type = *definition.mutable_value_type()->mutable_category_type();
  for (const char* level : kLevels) type.add_categories(level);
  type.set_ordered(true);
  return definition;
}

// The value of the stand-in's verdict; "" if there is none.
std::string Ask(const registry::v1::JudgeDefinition& definition, const Subject& subject) {
  auto prompt = RenderPrompt(definition, subject);
  if (!prompt.ok()) return "";
  ModelRequest request;
  request.messages = prompt->messages;
  request.response_schema = prompt->schema;
  const auto read =
      ReadVerdict(prompt->value_type, prompt->yes_or_no, AnswerLexically(request), false);
  const auto* verdict = std::get_if<Verdict>(&read);
  return verdict == nullptr ? "" : judging::ValueKey(verdict->result);
}

Subject SubjectOf(const Row& row) {
  Subject subject;
  subject.inputs = row.inputs;
  subject.outputs = row.outputs;
  subject.trace_name = row.id;
  return subject;
}

int LevelOf(const std::string& value) {
  for (int i = 0; i < 4; ++i) {
    if (value == kLevels[i]) return i;
  }
  return 3;
}

void Report(const char* what, const std::vector<Row>& rows, const std::vector<std::string>& values,
            bool print_misses) {
  std::vector<stats::RatedPair> pairs;
  int equal = 0;
  int near = 0;
  int confusion[4][4] = {};
  for (size_t i = 0; i < rows.size(); ++i) {
    const int human = LevelOf(rows[i].label);
    const int judge = LevelOf(values[i]);
    equal += human == judge ? 1 : 0;
    near += std::abs(human - judge) <= 1 ? 1 : 0;
    ++confusion[human][judge];
    pairs.push_back({human, judge});
    if (print_misses && human != judge) {
      std::printf("  %s label %s, judged %s\n", rows[i].id.c_str(), rows[i].label.c_str(),
                  values[i].c_str());
    }
  }
  const double n = static_cast<double>(rows.size());
  std::printf("%-44s n=%3zu  agreement %5.1f %%  within one %5.1f %%  kappa %.2f  quadratic %.2f\n",
              what, rows.size(), 100 * equal / n, 100 * near / n,
              stats::CohenKappa(pairs, 4).value_or(0),
              stats::CohenKappa(pairs, 4, stats::KappaWeights::kQuadratic).value_or(0));
  for (const auto& line : confusion) {
    std::printf("    %3d %3d %3d %3d\n", line[0], line[1], line[2], line[3]);
  }
}

std::string RecordsPrompt(const std::vector<Row>& rows, const std::vector<std::string>& judged,
                          const std::vector<size_t>& train) {
  std::string records;
  for (const size_t i : train) {
    StrAppend(&records, "{\"trace\":", json::JsonString(rows[i].id), ",\"inputs\":", rows[i].inputs,
              ",\"outputs\":", rows[i].outputs, ",\"judge_value\":", json::JsonString(judged[i]),
              ",\"human_value\":", json::JsonString(rows[i].label),
              ",\"rationale\":", json::JsonString(rows[i].rationale), "}\n");
  }
  return records;
}

std::vector<std::pair<std::string, std::vector<std::string>>> Distil(const std::string& records) {
  ModelRequest request;
  request.messages.push_back(
      {ChatRole::kSystem,
       StrCat("Values: ", judging::DescribeValueType(QualityJudge().value_type()), ".")});
  request.messages.push_back({ChatRole::kUser, judging::FencedBlock("records", records)});
  request.response_schema = R"({"type":"object","properties":{"guidelines":{"type":"array"}}})";
  std::vector<std::pair<std::string, std::vector<std::string>>> guidelines;
  const auto answer = json::ParseJson(AnswerLexically(request));
  if (!answer.ok() || answer->Find("guidelines") == nullptr) return guidelines;
  for (const json::Node& guideline : answer->Find("guidelines")->children) {
    std::vector<std::string> sources;
    for (const json::Node& id : guideline.Find("source_trace_ids")->children)
      sources.push_back(id.text);
    guidelines.emplace_back(Text(guideline, "guideline_text"), std::move(sources));
  }
  return guidelines;
}

registry::v1::JudgeDefinition Aligned(const std::vector<Row>& rows,
                                      const std::vector<std::string>& judged,
                                      const std::vector<size_t>& train, bool guidelines,
                                      bool examples, bool print) {
  registry::v1::JudgeDefinition definition = QualityJudge();
  if (guidelines) {
    for (const auto& [text, sources] : Distil(RecordsPrompt(rows, judged, train))) {
      definition.mutable_memory()->add_guidelines()->set_text(text);
      if (print) std::printf("    distilled from %zu: %s\n", sources.size(), text.c_str());
    }
  }
  if (!examples) return definition;
  for (const size_t i : train) {
    auto& example = *definition.mutable_memory()->add_examples();
    example.set_trace(rows[i].id);
    example.mutable_inputs()->set_json_text(rows[i].inputs);
    example.mutable_outputs()->set_json_text(rows[i].outputs);
    example.mutable_value()->set_json_text(json::JsonString(rows[i].label));
    example.set_rationale(rows[i].rationale);
    example.set_judge_was_wrong(judged[i] != rows[i].label);
    for (const float number : judging::EmbedExample(rows[i].inputs, rows[i].outputs))
      example.add_embedding(number);
  }
  return definition;
}

std::vector<std::string> CrossFitted(const std::vector<Row>& rows,
                                     const std::vector<std::string>& judged, bool guidelines,
                                     bool examples, bool print) {
  std::vector<std::string> values(rows.size());
  for (int fold = 0; fold < kFolds; ++fold) {
    std::vector<size_t> train;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (static_cast<int>(i % kFolds) != fold) train.push_back(i);
    }
    const auto definition = Aligned(rows, judged, train, guidelines, examples, print && fold == 0);
    for (size_t i = fold; i < rows.size(); i += kFolds)
      values[i] = Ask(definition, SubjectOf(rows[i]));
  }
  return values;
}

void MeasureSupport(const std::string& directory, bool verbose) {
  std::vector<Row> rows;
  for (const json::Node& node : ReadLines(directory + "/support_conversations.jsonl")) {
    const json::Node& rating = node.Find("ratings")->children.front();
    rows.push_back({Text(node, "id"), Object("issue", Text(node, "issue")),
                    Object("response", Text(node, "response")), Text(rating, "value"),
                    Text(rating, "rationale")});
  }
  std::vector<std::string> judged;
  for (const Row& row : rows) judged.push_back(Ask(QualityJudge(), SubjectOf(row)));
  Report("support_quality, as it is", rows, judged, verbose);
  Report("support_quality, learned guidelines", rows, CrossFitted(rows, judged, true, false, true),
         false);
  Report("support_quality, 5 examples", rows, CrossFitted(rows, judged, false, true, false), false);
  Report("support_quality, both", rows, CrossFitted(rows, judged, true, true, false), verbose);

  std::vector<size_t> all(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) all[i] = i;
  std::vector<Row> new_rows;
  for (const json::Node& node : ReadLines(directory + "/new_cases.jsonl")) {
    new_rows.push_back({Text(node, "id"), Object("issue", Text(node, "issue")),
                        Object("response", Text(node, "response")), Text(node, "label"),
                        Text(node, "rationale")});
  }
  const auto aligned = Aligned(rows, judged, all, true, true, false);
  std::vector<std::string> before;
  std::vector<std::string> after;
  for (const Row& row : new_rows) {
    before.push_back(Ask(QualityJudge(), SubjectOf(row)));
    after.push_back(Ask(aligned, SubjectOf(row)));
  }
  Report("new cases, as it is", new_rows, before, false);
  Report("new cases, learned from all of the above", new_rows, after, verbose);
}

void MeasureGuidelines(const std::string& directory, bool verbose) {
  const auto conversations = json::ParseJson(ReadFile(directory + "/guideline_conversations.json"));
  if (!conversations.ok() || conversations->Find("guidelines") == nullptr) return;
  std::map<std::string, std::vector<std::pair<std::string, std::string>>>
      results;  // Label and value.
  for (const json::Node& node : ReadLines(directory + "/guideline_labels.jsonl")) {
    const std::string name = Text(node, "guideline_name");
    registry::v1::JudgeDefinition definition;
    definition.mutable_guidelines()->add_guidelines(Text(*conversations->Find("guidelines"), name));
    Subject subject;
    subject.context["request"] = json::JsonString(Text(node, "request"));
    subject.context["response"] = json::JsonString(Text(node, "response"));
    const json::Node* policies = node.Find("provided_policies");
    if (policies != nullptr) subject.context["provided_policies"] = policies->ToJson();
    const std::string value = Ask(definition, subject);
    results[name].emplace_back(Text(node, "label"), value);
    if (verbose && value != Text(node, "label")) {
      std::printf("  %s: label %s, judged %s: %s | %s\n", name.c_str(), Text(node, "label").c_str(),
                  value.c_str(), Text(node, "request").c_str(), Text(node, "response").c_str());
    }
  }
  for (const auto& [name, pairs] : results) {
    std::vector<stats::RatedPair> rated;
    int equal = 0;
    for (const auto& [label, value] : pairs) {
      equal += label == value ? 1 : 0;
      rated.push_back({label == "yes" ? 0 : 1, value == "yes" ? 0 : 1});
    }
    std::printf("guideline %-34s n=%3zu  agreement %5.1f %%  kappa %.2f\n", name.c_str(),
                pairs.size(), 100.0 * equal / static_cast<double>(pairs.size()),
                stats::CohenKappa(rated, 2).value_or(0));
  }
}

}  // namespace
}  // namespace assay::judge::offline

int main(int argc, char** argv) {
  const std::string directory = argc > 1 ? argv[1] : "tests/testdata";
  const bool verbose = argc > 2 && std::string_view(argv[2]) == "-v";
  assay::judge::offline::MeasureSupport(directory, verbose);
  assay::judge::offline::MeasureGuidelines(directory, verbose);
  return 0;
}
