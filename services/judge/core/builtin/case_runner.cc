#include "services/judge/core/builtin/case_runner.h"

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/json/json_value.h"
#include "common/judging/judge_definition.h"
#include "common/judging/prompt_fence.h"
#include "common/status/errors.h"
#include "common/strings/strings.h"
#include "google/protobuf/util/json_util.h"
#include "services/judge/core/builtin/case_trace.h"
#include "services/judge/core/judging.h"
#include "services/judge/core/judging_setup.h"
#include "services/judge/core/kinds/builtin_judging.h"
#include "services/judge/core/subject.h"

namespace assay::judge {

namespace {

using json::Node;

// A model that answers by a script, and the judgings that ask it, one after the other.
class Script {
 public:
  explicit Script(const Node* answers) {
    if (answers != nullptr) answers_ = answers->children;
  }

  absl::StatusOr<JudgeVerdict> Drive(Judging& judging) {
    JudgeEvent event = JudgeStarted{now_};
    while (true) {
      JudgeStep step = judging.Next(std::move(event));
      if (auto* finished = std::get_if<JudgeFinished>(&step)) return std::move(finished->verdict);
      if (auto* model = std::get_if<CallModel>(&step)) {
        asked_.push_back(model->request);
        event = ModelAnswered{Answer(), now_};
      } else if (auto* all = std::get_if<CallAll>(&step)) {
        AllFinished answered{{}, now_};
        for (const auto& part : all->judgings) answered.verdicts.push_back(Drive(*part));
        event = std::move(answered);
      } else {
        return absl::UnimplementedError("a step that built-in judges do not take");
      }
    }
  }

  const std::vector<ModelRequest>& asked() const { return asked_; }
  size_t scripted() const { return answers_.size(); }

 private:
  absl::StatusOr<ModelResponse> Answer() {
    now_ += absl::Milliseconds(10);
    if (asked_.size() > answers_.size()) return absl::InternalError("nothing more is scripted");
    const Node& answer = answers_[asked_.size() - 1];
    if (const Node* error = answer.Find("error"); error != nullptr) {
      const auto code = error->text == "MODEL_NOT_CONFIGURED"
                            ? absl::StatusCode::kFailedPrecondition
                            : absl::StatusCode::kUnavailable;
      return error->text == "CANCELLED" ? absl::CancelledError("cancelled")
                                        : MakeError(code, error->text, "scripted");
    }
    ModelResponse response;
    response.text = answer.is_string() ? answer.text : answer.Find("text")->text;
    const Node* truncated = answer.Find("truncated");
    response.truncated = truncated != nullptr && truncated->AsBool().value_or(false);
    response.answered_by = "scripted-1";
    response.input_tokens = 10;
    response.output_tokens = 5;
    response.cost_usd = 0.001;
    return response;
  }

  absl::Time now_ = absl::UnixEpoch();
  std::vector<Node> answers_;
  std::vector<ModelRequest> asked_;
};

std::optional<std::string> JsonAt(const Node& node, std::string_view member) {
  const Node* found = node.Find(member);
  if (found == nullptr) return std::nullopt;
  return found->ToJson();
}

absl::StatusOr<JudgingSetup> SetupOf(const std::string& judge, const Node& labelled) {
  auto definition = std::make_shared<registry::v1::JudgeDefinition>();
  if (const Node* options = labelled.Find("options"); options != nullptr) {
    const auto parsed =
        google::protobuf::util::JsonStringToMessage(options->ToJson(), definition.get());
    if (!parsed.ok()) return absl::InternalError(parsed.ToString());
  }
  definition->mutable_builtin()->set_builtin(judge);
  if (absl::Status valid = judging::ValidateJudgeDefinition(*definition); !valid.ok()) return valid;
  Subject subject;
  subject.inputs = JsonAt(labelled, "inputs");
  subject.outputs = JsonAt(labelled, "outputs");
  subject.expectations = JsonAt(labelled, "expectations");
  if (const Node* trace = labelled.Find("trace")) subject.trace = CaseTrace(*trace);
  if (const Node* session = labelled.Find("session")) {
    for (const Node& trace : session->children) subject.session.push_back(CaseTrace(trace));
    subject.session_name = "experiments/e/sessions/s";
  }
  if (absl::Status filled = FillFromTrace(&subject); !filled.ok()) return filled;
  JudgingSetup setup;
  setup.definition = std::move(definition);
  setup.subject = std::make_shared<const Subject>(std::move(subject));
  setup.assessment_name = judge;
  setup.judge_revision = "experiments/e/judges/j/revisions/1";
  setup.experiment = "experiments/e";
  setup.default_model = labelled.Find("no_model") == nullptr ? "scripted:/model" : "";
  setup.idempotency_key = "key";
  setup.traits = [](std::string_view) { return ModelTraits{}; };
  return setup;
}

// Judges of the last turn are built-in ones here too.
absl::StatusOr<std::unique_ptr<Judging>> MakeBuiltin(const JudgingSetup& setup) {
  return MakeBuiltinJudging(setup, MakeBuiltin);
}

// Collects what is different.
class Differences {
 public:
  void Same(std::string_view what, std::string_view expected, std::string_view found) {
    if (expected != found) {
      StrAppend(&text_, what, ": expected ", expected, ", found ", found, "\n");
    }
  }
  void Holds(std::string_view what, bool true_of, std::string_view text) {
    if (!true_of) StrAppend(&text_, what, ": ", text, "\n");
  }
  std::string text() const { return text_; }

 private:
  std::string text_;
};

// A value as JSON, or `error CODE`.
std::string OutcomeOf(const common::v1::Feedback& feedback) {
  if (feedback.outcome() == common::v1::OUTCOME_VALUE) return feedback.value().json_text();
  return StrCat("error ", feedback.error().code());
}

std::string OutcomeOf(const common::v1::FeedbackPart& part) {
  if (part.has_value()) return part.value().json_text();
  return StrCat("error ", part.error().code());
}

// As OutcomeOf writes it: `value` is any JSON, `error` a code.
std::string ExpectedOutcome(const Node& expect) {
  const Node* error = expect.Find("error");
  if (error != nullptr) return StrCat("error ", error->text);
  const Node* value = expect.Find("value");
  return value == nullptr ? "nothing" : value->ToJson();
}

void CompareAdditional(const Node& expect, const JudgeVerdict& verdict, Differences* out) {
  std::string expected;
  std::string found;
  if (const Node* list = expect.Find("additional")) {
    for (const Node& one : list->children) {
      StrAppend(&expected, "\n  ", one.Find("span")->text, " ",
                one.Find("as") != nullptr ? one.Find("as")->text : "", " ", ExpectedOutcome(one));
      if (const Node* chunk = one.Find("chunk")) StrAppend(&expected, " chunk ", chunk->text);
      if (const Node* uri = one.Find("uri")) StrAppend(&expected, " uri ", uri->text);
    }
  }
  for (const AdditionalFeedback& one : verdict.additional) {
    StrAppend(&found, "\n  ", one.span_id, " ",
              one.assessment_name.substr(one.assessment_name.find_first_of('/') == std::string::npos
                                             ? one.assessment_name.size()
                                             : one.assessment_name.find_first_of('/')),
              " ", OutcomeOf(one.feedback));
    if (one.metadata.contains("chunk_index")) {
      StrAppend(&found, " chunk ", one.metadata.at("chunk_index"));
    }
    if (one.metadata.contains("doc_uri")) StrAppend(&found, " uri ", one.metadata.at("doc_uri"));
  }
  out->Same("additional", expected, found);
}

void CompareParts(const Node& expect, const JudgeVerdict& verdict, Differences* out) {
  std::string expected;
  std::string found;
  if (const Node* list = expect.Find("parts")) {
    for (const Node& one : list->children) {
      StrAppend(&expected, "\n  ", one.Find("part")->text, ": ", ExpectedOutcome(one));
    }
  }
  for (const common::v1::FeedbackPart& part : verdict.feedback.parts()) {
    StrAppend(&found, "\n  ", part.part(), ": ", OutcomeOf(part));
  }
  out->Same("parts", expected, found);
}

void CompareProvenance(const Node& expect, const JudgeVerdict& verdict, const Script& script,
                       Differences* out) {
  const common::v1::Provenance& provenance = verdict.feedback.provenance();
  out->Same("judge_revision", "experiments/e/judges/j/revisions/1", provenance.judge_revision());
  const Node* source = expect.Find("source");
  const bool code = source != nullptr && source->text == "code";
  out->Same("source", code ? "CODE" : "LLM_JUDGE",
            verdict.source.kind() == common::v1::SOURCE_KIND_CODE ? "CODE" : "LLM_JUDGE");
  if (code) return;
  out->Same("model", "scripted:/model", provenance.model());
  const Node* repaired = expect.Find("repaired");
  out->Same("repaired", repaired != nullptr ? "true" : "false",
            provenance.repaired() ? "true" : "false");
  if (const Node* raw = expect.Find("raw")) out->Same("raw", raw->text, provenance.raw_answer());
  if (expect.Find("tokens") != nullptr) {
    out->Same("tokens", expect.Find("tokens")->text, StrCat(provenance.usage().input_tokens()));
  }
  out->Holds("hash", script.asked().empty() || provenance.prompt_sha256().size() == 64, "no hash");
}

// The members of `expect`: `value`, or `error` (of the feedback), or `status` and `field` (of the
// call); `source`: "code"; `repaired`; `raw`; `tokens`; `rationale`: a part of it; `additional`,
// `parts`, `metadata`: all of them.
void CompareVerdict(const Node& expect, const JudgeVerdict& verdict, const Script& script,
                    Differences* out) {
  out->Same("outcome", ExpectedOutcome(expect), OutcomeOf(verdict.feedback));
  CompareAdditional(expect, verdict, out);
  CompareParts(expect, verdict, out);
  CompareProvenance(expect, verdict, script, out);
  if (const Node* rationale = expect.Find("rationale")) {
    out->Holds("rationale", verdict.feedback.rationale().find(rationale->text) != std::string::npos,
               StrCat("lacks `", rationale->text, "`: ", verdict.feedback.rationale()));
  }
  std::string metadata = "{";
  for (const auto& [key, value] : verdict.metadata) {
    StrAppend(&metadata, metadata.size() > 1 ? "," : "", "\"", key, "\":\"", value, "\"");
  }
  out->Same("metadata", JsonAt(expect, "metadata").value_or("{}"), metadata + "}");
}

std::vector<judging::PromptBlock> BlocksOf(const ModelRequest& request) {
  return judging::ReadBlocks(request.messages[1].text).blocks;
}

// `blocks`: the names of the first question's blocks, all of them in order; `shown` and `hidden`:
// texts that stand in one of the questions, or in none; `instructed`: a part of the system message.
void ComparePrompts(const Node& expect, const Script& script, Differences* out) {
  std::string all;
  for (const ModelRequest& request : script.asked()) {
    for (const ChatMessage& message : request.messages) StrAppend(&all, message.text, "\n");
  }
  if (const Node* blocks = expect.Find("blocks"); blocks != nullptr && !script.asked().empty()) {
    std::string expected;
    std::string found;
    for (const Node& name : blocks->children) StrAppend(&expected, name.text, " ");
    for (const auto& block : BlocksOf(script.asked().front())) StrAppend(&found, block.name, " ");
    out->Same("blocks", expected, found);
  }
  if (const Node* shown = expect.Find("shown")) {
    for (const Node& text : shown->children) {
      out->Holds("prompt", all.find(text.text) != std::string::npos, StrCat("lacks ", text.text));
    }
  }
  if (const Node* hidden = expect.Find("hidden")) {
    for (const Node& text : hidden->children) {
      out->Holds("prompt", all.find(text.text) == std::string::npos, StrCat("shows ", text.text));
    }
  }
}

void CompareStatus(const Node& expect, const absl::Status& status, Differences* out) {
  const Node* expected = expect.Find("status");
  const std::string reason =
      status.code() == absl::StatusCode::kCancelled ? "CANCELLED" : ErrorReason(status);
  out->Same("status", expected == nullptr ? "OK" : expected->text,
            StrCat(reason, reason.empty() ? ToStd(status.message()) : ""));
  const Node* field = expect.Find("field");
  const auto violations = FieldViolations(status);
  if (field != nullptr) {
    out->Same("field", field->text, violations.empty() ? "" : violations[0].field);
  }
}

}  // namespace

std::string ReplayCase(const std::string& judge, const Node& labelled) {
  Differences out;
  const Node* expect = labelled.Find("expect");
  if (expect == nullptr) return "the case expects nothing";
  Script script(labelled.Find("answers"));
  absl::StatusOr<JudgeVerdict> verdict = absl::UnknownError("not run");
  absl::StatusOr<JudgingSetup> setup = SetupOf(judge, labelled);
  if (setup.ok()) {
    absl::StatusOr<std::unique_ptr<Judging>> judging = MakeBuiltin(*setup);
    verdict =
        judging.ok() ? script.Drive(**judging) : absl::StatusOr<JudgeVerdict>(judging.status());
  } else {
    verdict = setup.status();
  }
  if (verdict.ok() && expect->Find("status") == nullptr) {
    CompareVerdict(*expect, *verdict, script, &out);
  } else {
    CompareStatus(*expect, verdict.ok() ? absl::OkStatus() : verdict.status(), &out);
  }
  ComparePrompts(*expect, script, &out);
  out.Same("questions", StrCat(script.scripted()), StrCat(script.asked().size()));
  return out.text();
}

}  // namespace assay::judge
