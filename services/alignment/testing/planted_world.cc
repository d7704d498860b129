#include "services/alignment/testing/planted_world.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "common/json/canonical.h"
#include "common/json/safe_json.h"
#include "common/stats/random.h"
#include "common/strings/strings.h"

namespace assay::alignment {
namespace {

constexpr char kTrigger[] = "refund";
constexpr char kPlantedGuideline[] = "An answer that talks of a refund is poor.";
constexpr char kHarmfulGuideline[] = "Everything is always poor whatever the answer says.";

std::string Quoted(const std::string& text) { return StrCat("\"", text, "\""); }

}  // namespace

registry::v1::JudgeDefinition WorldJudge() {
  registry::v1::JudgeDefinition judge;
  judge.mutable_instructions()->set_instructions("Is {{ outputs }} a good answer to {{ inputs }}?");
  common::v1::CategoryType& type = *judge.mutable_value_type()->mutable_category_type();
  type.add_categories("good");
  type.add_categories("poor");
  type.set_ordered(true);
  judge.set_model("fake:/model");
  return judge;
}

std::string WorldTrace(int index) {
  char id[33];
  std::snprintf(id, sizeof id, "%032x", index + 1);
  return StrCat(kWorldExperiment, "/traces/", id);
}

PlantedWorld::PlantedWorld(const WorldOptions& options) : options_(options) {
  stats::Random random(options.seed, 77);
  for (int i = 0; i < options.traces; ++i) {
    const bool triggered = random.Unit() < options.trigger_share;
    Item item;
    item.inputs = StrCat("{\"question\":\"question number ", i, "\"}");
    item.outputs =
        Quoted(StrCat("answer number ", i, triggered ? " about a refund" : " about the order"));
    bool poor = triggered;
    if (options.random_labels) poor = random.Unit() < 0.5;
    item.label = poor ? "poor" : "good";
    item.rationale = poor ? "It should not talk of it." : "Fine.";
    items_.push_back(std::move(item));
  }
}

AlignmentInput PlantedWorld::MakeInput() const {
  AlignmentInput input{"uid-of-the-test", kWorldJudge, WorldJudge(), {}};
  for (size_t i = 0; i < items_.size(); ++i) {
    LabelledCase one;
    one.trace = WorldTrace(static_cast<int>(i));
    one.inputs = items_[i].inputs;
    one.outputs = items_[i].outputs;
    one.value = Quoted(items_[i].label);
    one.key = items_[i].label;
    one.rationale = items_[i].rationale;
    one.labels = {{"ann", items_[i].label}};
    one.cluster = static_cast<int>(i);
    input.cases.push_back(std::move(one));
  }
  return input;
}

void PlantedWorld::Fill(FakeFeedback& feedback, FakeTraces& traces) const {
  for (size_t i = 0; i < items_.size(); ++i) {
    const std::string trace = WorldTrace(static_cast<int>(i));
    traces.Add(trace, items_[i].inputs, items_[i].outputs);
    feedback.Add(trace, common::v1::SOURCE_KIND_HUMAN, "ann", Quoted(items_[i].label),
                 items_[i].rationale);
  }
}

std::string PlantedWorld::Verdict(const judge::v1::JudgeRequest& request) const {
  const registry::v1::JudgeMemory& memory = request.definition().memory();
  if (options_.random_judge) {
    std::string state = request.trace();
    for (const auto& guideline : memory.guidelines()) StrAppend(&state, guideline.text());
    StrAppend(&state, memory.examples_size(), options_.seed);
    return json::Sha256Hex(state)[0] < '8' ? "\"good\"" : "\"poor\"";
  }
  for (const auto& guideline : memory.guidelines()) {
    if (guideline.text() == kHarmfulGuideline) return "\"poor\"";
    const bool triggered = request.outputs().json_text().find(kTrigger) != std::string::npos;
    if (guideline.text() == kPlantedGuideline && triggered) return "\"poor\"";
  }
  return "\"good\"";
}

std::string PlantedWorld::Guidelines(const judge::v1::CompleteRequest& request) const {
  // The records stand one a line.
  const std::string& text = request.messages(1).parts(0).text();
  std::string ids;
  size_t triggered = 0;
  for (size_t at = text.find("{\"trace\":"); at != std::string::npos;
       at = text.find("{\"trace\":", at + 1)) {
    absl::StatusOr<json::Node> record = json::ParseJson(text.substr(at, text.find('\n', at) - at));
    if (!record.ok()) continue;
    if (record->Find("outputs")->text.find(kTrigger) == std::string::npos) continue;
    ++triggered;
    StrAppend(&ids, ids.empty() ? "" : ",", Quoted(record->Find("trace")->text));
  }
  if (triggered == 0) return "{\"guidelines\":[]}";
  const auto entry = [&](const char* guideline) {
    return StrCat("{\"guideline_text\":", Quoted(guideline), ",\"source_trace_ids\":[", ids, "]}");
  };
  return StrCat("Here you are:\n```json\n{\"guidelines\":[", entry(kPlantedGuideline),
                options_.harmful_model ? StrCat(",", entry(kHarmfulGuideline)) : "", "]}\n```");
}

}  // namespace assay::alignment
