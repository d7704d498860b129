#include "tests/fake_llm/answer.h"

#include <map>
#include <string>

#include "common/json/safe_json.h"
#include "common/status/status_matchers.h"

namespace assay::fake_llm {
namespace {

using ::testing::AnyOf;
using ::testing::ContainerEq;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kCategories[] = R"({"type":"object","properties":{"rationale":{"type":"string"},)"
                               R"("result":{"type":"string","enum":["excellent","good","poor"]}}})";

json::Node Schema(const std::string& text) { return *json::ParseJson(text); }

std::string ResultSchema(const std::string& result) {
  return R"({"type":"object","properties":{"rationale":{"type":"string"},"result":)" + result +
         "}}";
}

ChatRequest Ask(const std::string& system, const std::string& user,
                const std::string& schema = kCategories) {
  return {.model = "m", .turns = {{"system", system}, {"user", user}}, .schema = Schema(schema)};
}

std::string Result(const Script& script, const ChatRequest& request, const std::string& sha = "sha",
                   FaultKind fault = FaultKind::kNone) {
  const std::string content = WriteContent(script, request, sha, fault);
  auto text = json::JsonPathText(content, "result");
  return text.ok() ? text->value_or("(none)") : content;
}

Script RefundScript() {
  Script script;
  script.rules = {{.trigger = "refund",
                   .guidelines = {"Refunds must name a date.", "Say when the money comes."},
                   .set_json = R"("poor")"}};
  return script;
}

TEST(VerdictTest, BaseRuleCountsPositiveWordsOfTheItem) {
  const Script script;
  EXPECT_EQ(Result(script, Ask("thank", "whatever")), "poor");
  EXPECT_EQ(Result(script, Ask("", "Thank you")), "good");
  EXPECT_EQ(Result(script, Ask("", "Thank you, I am sorry")), "excellent");
  Script worst_first;
  worst_first.first_is_best = false;
  EXPECT_EQ(Result(worst_first, Ask("", "nothing")), "excellent");
}

TEST(VerdictTest, OnlyTheItemBehindTheMarkerCounts) {
  EXPECT_EQ(Result({}, Ask("", "Past case: thank, sorry.\nThe item to judge:\nnothing")), "poor");
}

TEST(VerdictTest, RuleNeedsItsGuidelineInThePrompt) {
  const Script script = RefundScript();
  const std::string item = "Thank you, sorry. Your refund comes.";
  EXPECT_EQ(Result(script, Ask("Be fair.", item)), "excellent");
  EXPECT_EQ(Result(script, Ask("Guideline: refunds MUST\n  name a date.", item)), "poor");
  EXPECT_EQ(Result(script, Ask("Say when the money comes.", item)), "poor");
}

TEST(VerdictTest, RuleNeedsItsTriggerInTheItem) {
  const Script script = RefundScript();
  EXPECT_EQ(Result(script, Ask("Refunds must name a date.",
                               "Past: a refund.\nThe item to judge:\nThank you, sorry")),
            "excellent");
}

TEST(VerdictTest, ShiftMovesAlongTheScaleAndStopsAtItsEnds) {
  Script script = RefundScript();
  script.rules[0].set_json.clear();
  script.rules[0].shift = 1;
  EXPECT_EQ(Result(script, Ask("Refunds must name a date.", "a refund")), "good");
  script.rules[0].shift = -5;
  EXPECT_EQ(Result(script, Ask("Refunds must name a date.", "thank, a refund")), "poor");
}

TEST(VerdictTest, AnswersEveryType) {
  const std::map<std::string, std::string> wanted = {
      {R"({"type":"boolean"})", "false"},
      {R"({"type":"integer","minimum":1,"maximum":10})", "1"},
      {R"({"type":"number"})", "0"},
      {R"({"type":"string"})", "no"},
      {R"({"enum":["yes","no"]})", "no"},
      {R"({"anyOf":[{"type":"null"},{"type":"boolean"}]})", "false"},
      {R"({"type":["boolean","null"]})", "false"},
      {R"({"type":"array","items":{"type":"string"}})", "[]"},
      {R"({"type":"object","properties":{"a":{"type":"number"}}})", R"({"a":0})"},
  };
  std::map<std::string, std::string> given;
  for (const auto& [schema, result] : wanted) {
    given[schema] = Result({}, Ask("", "nothing", ResultSchema(schema)));
  }
  EXPECT_THAT(given, ContainerEq(wanted));
}

TEST(VerdictTest, NoiseFlipsItsShareOfPromptsAndAlwaysTheSame) {
  Script script;
  script.noise = 0.25;
  int flipped = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::string sha = "sha" + std::to_string(i);
    const std::string result = Result(script, Ask("", "nothing"), sha);
    EXPECT_EQ(Result(script, Ask("", "nothing"), sha), result);
    flipped += result == "poor" ? 0 : 1;
  }
  EXPECT_NEAR(flipped, 500, 100);
}

TEST(VerdictTest, FaultsSpoilTheResult) {
  EXPECT_EQ(Result({}, Ask("", ""), "s", FaultKind::kWrongType), "12345");
  EXPECT_THAT(Result({}, Ask("", ""), "s", FaultKind::kOutsideValue),
              Not(AnyOf("excellent", "good", "poor")));
  EXPECT_EQ(Result({}, Ask("", ""), "s", FaultKind::kMissingResult), "(none)");
}

constexpr char kGuidelines[] =
    R"({"type":"object","properties":{"guidelines":{"type":"array","maxItems":5,"items":)"
    R"({"type":"object","properties":{"text":{"type":"string"},"weight":{"type":"number"}}}}}})";

TEST(DistillationTest, WritesRulesWhoseTriggersWereShown) {
  const Script script = RefundScript();
  EXPECT_THAT(WriteContent(script, Ask("", "case: a refund", kGuidelines), "s", FaultKind::kNone),
              AnyOf(HasSubstr(R"({"text":"Refunds must name a date.","weight":0})"),
                    HasSubstr(R"({"text":"Say when the money comes.","weight":0})")));
  EXPECT_EQ(WriteContent(script, Ask("", "case: a delay", kGuidelines), "s", FaultKind::kNone),
            R"({"guidelines":[]})");
}

constexpr char kSourced[] =
    R"({"type":"object","properties":{"guidelines":{"type":"array","items":)"
    R"({"type":"object","properties":{"guideline_text":{"type":"string"},)"
    R"("source_trace_ids":{"type":"array","items":{"type":"string"}}}}}}})";

TEST(DistillationTest, NamesTheRecordsThatShowTheRule) {
  Script script = RefundScript();
  script.rules[0].guidelines.resize(1);
  script.distillation.junk = 1;
  const std::string records =
      "=== BEGIN records 1 ===\n"
      R"({"trace":"aa","outputs":"a delay"})"
      "\n"
      R"({"trace":"bb","outputs":"a Refund"})"
      "\n=== END records 1 ===\n";
  EXPECT_EQ(
      WriteContent(script, Ask("Not about a refund.", records, kSourced), "s", FaultKind::kNone),
      R"({"guidelines":[{"guideline_text":"Refunds must name a date.","source_trace_ids":["bb"]},)"
      R"({"guideline_text":"Remember that quality is important.","source_trace_ids":["aa"]}]})");
}

TEST(DistillationTest, WritesJunkDuplicatesAndContradictionsUpToTheLimit) {
  Script script = RefundScript();
  script.distillation = {.junk = 1, .duplicates = 1, .contradictions = 1};
  const ChatRequest request = Ask("", "case: a refund", kGuidelines);
  EXPECT_EQ(Schema(WriteContent(script, request, "s", FaultKind::kNone))
                .Find("guidelines")
                ->children.size(),
            4u);
  script.distillation.junk = 50;
  EXPECT_EQ(Schema(WriteContent(script, request, "s", FaultKind::kNone))
                .Find("guidelines")
                ->children.size(),
            5u);
}

TEST(DistillationTest, CanBeMalformed) {
  Script script = RefundScript();
  script.distillation.malformed_probability = 1;
  EXPECT_FALSE(
      json::ParseJson(WriteContent(script, Ask("", "x", kGuidelines), "s", FaultKind::kNone)).ok());
}

}  // namespace
}  // namespace assay::fake_llm
