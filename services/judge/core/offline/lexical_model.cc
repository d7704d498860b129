#include "services/judge/core/offline/lexical_model.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "common/json/json_reader.h"
#include "common/json/safe_json.h"
#include "common/json/utf8.h"
#include "common/strings/strings.h"
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
    Opinion opinion =
        task_.guidelines.empty() ? ByEvidence(request, response) : ByGuidelines(request, response);
    std::vector<std::string> applied;
    opinion.goodness = ApplyRules(rules_, request, response, opinion.goodness, steps_, &applied);
    for (const std::string& rule : applied) {
      opinion.reasons.push_back(
          StrCat("a learned guideline applies (", json::PreviewOf(rule, 200), ")"));
    }
    return opinion;
  }

 private:
  Opinion ByEvidence(const LexicalText& request, const LexicalText& response) const {
    const Evidence evidence = CollectEvidence(request, response);
    Opinion opinion{Goodness(evidence, instructions_), Reasons(evidence)};
    const auto expectations = context_.find("expectations");
    if (expectations != context_.end() && !expectations->second.empty()) {
      const double met =
          Coverage(LexicalText(expectations->second).ContentStems(), response.ContentStems());
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

std::string VerdictJson(const std::string& result, const std::string& rationale) {
  return StrCat("{\"rationale\": ", json::JsonString(rationale), ", \"result\": ", result, "}");
}

std::string Judge(const JudgingTask& task, const json::Node& result_schema) {
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
  return VerdictJson(scale.ValueFor(goodness, rationale), rationale);
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
  if (const auto task = ReadJudgingTask(request))
    return Judge(*task, ResultSchema(request.response_schema));
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
