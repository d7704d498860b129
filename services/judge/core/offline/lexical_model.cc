#include "services/judge/core/offline/lexical_model.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/json/json_reader.h"
#include "common/json/safe_json.h"
#include "common/json/utf8.h"
#include "common/strings/strings.h"
#include "services/judge/core/guideline_verdicts.h"
#include "services/judge/core/offline/builtin_measures.h"
#include "services/judge/core/offline/distillation.h"
#include "services/judge/core/offline/evidence.h"
#include "services/judge/core/offline/guideline_checks.h"
#include "services/judge/core/offline/learned_rules.h"
#include "services/judge/core/offline/lexical_text.h"
#include "services/judge/core/offline/prompt_reader.h"
#include "services/judge/core/offline/value_scale.h"

namespace assay::judge::offline {

namespace {

// How fast a labelled example loses its say with the distance of its evidence, and how much doubt
// is left.
constexpr double kEvidenceScale = 0.6;
constexpr double kExampleDoubt = 1.0;
constexpr int64_t kBytesPerToken = 4;

struct Opinion {
  double goodness = 0;
  std::vector<std::string> reasons;
};

// Judges one request and response by the task's rules; also used on the examples, to learn from the
// difference.
class Assessor {
 public:
  Assessor(const JudgingTask& task, const ValueScale& scale)
      : task_(task), steps_(scale.steps()), instructions_(task.instructions) {
    for (const auto& [name, content] : task.material) {
      if (name != "request" && name != "response" && name != "inputs" && name != "outputs") {
        context_[name] = PlainText(content);
      }
    }
    for (const std::string& guideline : task.learned_guidelines) {
      if (auto rule = ReadRule(guideline, scale)) rules_.push_back(*std::move(rule));
    }
  }

  Opinion Assess(const LexicalText& request, const LexicalText& response) const {
    Opinion opinion;
    if (const auto measured = MeasureBuiltin(task_, request, response)) {
      opinion = {measured->goodness, {measured->why}};
    } else {
      opinion = task_.guidelines.empty() ? ByEvidence(request, response)
                                         : ByGuidelines(request, response);
    }
    std::vector<std::string> applied;
    opinion.goodness = ApplyRules(rules_, request, response, opinion.goodness, steps_, &applied);
    for (const std::string& rule : applied) {
      opinion.reasons.push_back(
          StrCat("a learned guideline applies (", json::PreviewOf(rule, 200), ")"));
    }
    return opinion;
  }

  // How the response stands to each guideline, in their order.
  std::vector<GuidelineCheck> CheckEach(const LexicalText& request,
                                        const LexicalText& response) const {
    std::vector<GuidelineCheck> checks;
    for (const std::string& guideline : task_.guidelines) {
      checks.push_back(CheckGuideline(guideline, request, response, context_));
    }
    return checks;
  }

 private:
  Opinion ByEvidence(const LexicalText& request, const LexicalText& response) const {
    const Evidence evidence = CollectEvidence(request, response);
    Opinion opinion{Goodness(evidence, instructions_), Reasons(evidence)};
    const std::string expectations = task_.TextBelow("expectations");
    if (!expectations.empty()) {
      const double met =
          Coverage(LexicalText(expectations).ContentStems(), response.ContentStems());
      opinion.goodness = 0.35 * opinion.goodness + 0.65 * std::min(met / 0.7, 1.0);
      opinion.reasons.push_back(met >= 0.5 ? "it holds what was expected"
                                           : "it lacks what was expected");
    }
    return opinion;
  }

  Opinion ByGuidelines(const LexicalText& request, const LexicalText& response) const {
    Opinion opinion{0.75, {}};
    for (const std::string& guideline : task_.guidelines) {
      const GuidelineCheck check = CheckGuideline(guideline, request, response, context_);
      if (!check.met)
        return {0.25, {StrCat(check.why, " (guideline: ", json::PreviewOf(guideline, 120), ")")}};
      if (!check.why.empty()) opinion.reasons.push_back(check.why);
    }
    return opinion;
  }

  const JudgingTask& task_;
  const size_t steps_;
  const LexicalText instructions_;
  std::map<std::string, std::string> context_;
  std::vector<LearnedRule> rules_;
};

double EvidenceDistance(const Evidence& a, const Evidence& b) {
  const auto x = a.AsArray();
  const auto y = b.AsArray();
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += (x[i] - y[i]) * (x[i] - y[i]);
  return std::sqrt(sum);
}

// What people gave the examples more or less than this model would, weighted by how alike the item
// is.
double LearnedFromExamples(const JudgingTask& task, const Assessor& assessor,
                           const ValueScale& scale, const LexicalText& request,
                           const LexicalText& response) {
  const Evidence own = CollectEvidence(request, response);
  double weights = kExampleDoubt;
  double differences = 0;
  for (const LabelledCase& example : task.examples) {
    const std::optional<double> given = scale.GoodnessOf(example.value);
    if (!given.has_value()) continue;
    const LexicalText example_request(example.request);
    const LexicalText example_response(example.response);
    const double distance =
        EvidenceDistance(own, CollectEvidence(example_request, example_response));
    const double likeness = std::exp(-distance * distance / (kEvidenceScale * kEvidenceScale));
    const double weight = likeness * (0.25 + std::max(example.similarity, 0.0));
    // Nearly the same case: the person's value decides.
    const double certain = example.similarity > 0.9 ? 20 : 0;
    weights += weight + certain;
    differences +=
        (weight + certain) * (*given - assessor.Assess(example_request, example_response).goodness);
  }
  return differences / weights;
}

// The verdicts on each guideline, as members of the answer. `met` is the verdict on all: where what
// people taught decides against the guidelines, it decides on each of them too.
std::string GuidelineVerdicts(std::vector<GuidelineCheck> checks, bool met) {
  const bool all_met = std::all_of(checks.begin(), checks.end(),
                                   [](const GuidelineCheck& check) { return check.met; });
  if (all_met != met) {
    for (GuidelineCheck& check : checks) {
      check = {.met = met, .why = "people decided otherwise on cases like this"};
    }
  }
  std::string text = StrCat("\"", kGuidelineVerdictsField, "\": [");
  for (size_t i = 0; i < checks.size(); ++i) {
    StrAppend(
        &text, i == 0 ? "" : ", ", "{\"guideline\": ", i + 1, ", \"rationale\": ",
        json::JsonString(checks[i].why.empty() ? "Nothing speaks against it." : checks[i].why),
        ", \"result\": \"", checks[i].met ? "yes" : "no", "\"}");
  }
  return text + "], ";
}

std::string VerdictJson(const std::string& result, const std::string& rationale) {
  return StrCat("{\"rationale\": ", json::JsonString(rationale), ", \"result\": ", result, "}");
}

// Adds the last field of an answer that is to state its confidence: the further from the middle,
// the surer.
void StateConfidence(double goodness, std::string* answer) {
  answer->pop_back();
  absl::StrAppendFormat(answer, ", \"confidence\": %.2f}", 0.5 + 0.9 * std::abs(goodness - 0.5));
}

// Which of the answers in the blocks `answer_a` and `answer_b` is better.
std::string Compare(const JudgingTask& task, bool states_confidence) {
  const Assessor assessor(task, ValueScale::FromSchema({}, false));
  const LexicalText request(task.Request());
  const double a = assessor.Assess(request, LexicalText(task.Text("answer_a"))).goodness;
  const double b = assessor.Assess(request, LexicalText(task.Text("answer_b"))).goodness;
  constexpr double kMargin = 0.02;
  const std::string value = a > b + kMargin ? "answer_a" : b > a + kMargin ? "answer_b" : "tie";
  std::string answer = VerdictJson(
      json::JsonString(value),
      StrCat("By its words alone: ",
             value == "tie" ? "neither answer stands out." : StrCat(value, " shows more help.")));
  if (states_confidence) StateConfidence(0.5 + 0.5 * std::min(std::abs(a - b), 1.0), &answer);
  return answer;
}

std::string Judge(const JudgingTask& task, const json::Node& result_schema, bool each_guideline,
                  bool states_confidence) {
  const ValueScale scale = ValueScale::FromSchema(result_schema, task.ordered_categories);
  const LexicalText request(task.Request());
  const LexicalText response(task.Response());
  const Assessor assessor(task, scale);
  Opinion opinion = assessor.Assess(request, response);
  double goodness = opinion.goodness;
  if (!task.examples.empty()) {
    const double learned = LearnedFromExamples(task, assessor, scale, request, response);
    goodness = std::clamp(goodness + learned, 0.0, 1.0);
    if (std::abs(learned) > 0.05) {
      opinion.reasons.push_back(learned > 0 ? "people rated similar cases higher"
                                            : "people rated similar cases lower");
    }
  }
  std::string rationale = "By its words alone: ";
  rationale += opinion.reasons.empty() ? "nothing in particular stands out."
                                       : absl::StrJoin(opinion.reasons, "; ") + ".";
  const std::string value = scale.ValueFor(goodness, rationale);
  std::string verdict = VerdictJson(value, rationale);
  if (each_guideline) {
    verdict.insert(1, GuidelineVerdicts(assessor.CheckEach(request, response), value == "\"yes\""));
  }
  if (states_confidence) StateConfidence(goodness, &verdict);
  return verdict;
}

std::string Distil(const DistillationTask& task) {
  std::string answer = "{\"guidelines\": [";
  bool first = true;
  for (const DistilledGuideline& guideline : DistilGuidelines(task)) {
    StrAppend(&answer, first ? "" : ", ", "{\"guideline_text\": ", json::JsonString(guideline.text),
              ", \"source_trace_ids\": [");
    for (size_t i = 0; i < guideline.source_traces.size(); ++i) {
      StrAppend(&answer, i == 0 ? "" : ", ", json::JsonString(guideline.source_traces[i]));
    }
    answer += "]}";
    first = false;
  }
  return answer + "]}";
}

// The schema of a verdict's result; any text if there is none.
json::Node ResultSchema(const std::string& response_schema) {
  const absl::StatusOr<json::Node> schema = json::ParseJson(response_schema);
  if (schema.ok()) {
    const json::Node* properties = schema->Find("properties");
    const json::Node* result = properties != nullptr ? properties->Find("result") : nullptr;
    if (result != nullptr) return *result;
  }
  json::Node any;
  any.kind = json::Node::Kind::kObject;
  return any;
}

}  // namespace

std::string AnswerLexically(const ModelRequest& request) {
  if (const auto task = ReadJudgingTask(request)) {
    const bool each_guideline =
        request.response_schema.find(kGuidelineVerdictsField) != std::string::npos;
    const bool states_confidence =
        request.response_schema.find("\"confidence\":{") != std::string::npos;
    if (task->material.contains("answer_a") && task->material.contains("answer_b")) {
      return Compare(*task, states_confidence);
    }
    return Judge(*task, ResultSchema(request.response_schema), each_guideline, states_confidence);
  }
  if (const auto task = ReadDistillationTask(request)) return Distil(*task);
  return "I am the built-in lexical stand-in of Assay, not a language model: I can answer the "
         "prompts of its judges and "
         "of its alignment, by comparing words, and nothing else.";
}

void LexicalModel::Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) {
  executor_.Run([request = std::move(request), context = std::move(context),
                 done = std::move(done)]() mutable {
    if (context.Cancelled()) {
      std::move(done)(absl::CancelledError("cancelled"));
      return;
    }
    ModelResponse response;
    response.text = AnswerLexically(request);
    response.answered_by = std::string(kLexicalModelName);
    int64_t bytes = 0;
    for (const ChatMessage& message : request.messages)
      bytes += static_cast<int64_t>(message.text.size());
    response.input_tokens = bytes / kBytesPerToken;
    response.output_tokens = static_cast<int64_t>(response.text.size()) / kBytesPerToken;
    std::move(done)(std::move(response));
  });
}

}  // namespace assay::judge::offline
