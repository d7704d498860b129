#include "services/judge/core/conversation.h"

#include <memory>
#include <string>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace assay::judge {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<const trace::v1::Trace> Trace(const std::string& text) {
  auto trace = std::make_shared<trace::v1::Trace>();
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, trace.get())) << text;
  return trace;
}

constexpr char kFirst[] = R"pb(
  name: 'experiments/e/traces/1'
  inputs { json_text: '{"messages":[{"role":"user","content":"Where is it?"}]}' }
  outputs { json_text: '{"choices":[{"message":{"content":"On its way."}}]}' }
  duration { seconds: 2 nanos: 500000000 }
  spans {
    span_id: 'a'
    span_name: 'turn'
    start_time { seconds: 10 }
    end_time { seconds: 12 }
  }
  spans {
    span_id: 'c'
    parent_span_id: 'a'
    span_name: 'second'
    span_type: 'TOOL'
    tool_name: 'track'
    start_time { seconds: 11 }
    end_time { seconds: 12 }
    inputs { json_text: '{"order":7}' }
    outputs { json_text: '"moving"' }
  }
  spans {
    span_id: 'b'
    parent_span_id: 'a'
    span_name: 'find'
    span_type: 'TOOL'
    error: true
    start_time { seconds: 10 }
    end_time { seconds: 10 nanos: 250000000 }
  }
)pb";
constexpr char kSecond[] = R"pb(
  name: 'experiments/e/traces/2'
  inputs {
    json_text: '[{"role":"user","content":"Where is it?"},{"role":"assistant","content":"On its way."},{"role":"user","content":"Since when?"}]'
  }
  outputs { json_text: '"Since Monday."' }
)pb";

TEST(ConversationOf, TakesWhatIsNewOfEachTrace) {
  Subject subject;
  subject.session = {Trace(kFirst), Trace("outputs { json_text: '\" \"' }"), Trace(kSecond)};
  ASSAY_ASSERT_OK_AND_ASSIGN(const std::vector<Turn> turns, ConversationOf(subject));
  EXPECT_EQ(ConversationJson(turns), R"([{"role":"user","content":"Where is it?"},)"
                                     R"({"role":"assistant","content":"On its way."},)"
                                     R"({"role":"user","content":"Since when?"},)"
                                     R"({"role":"assistant","content":"Since Monday."}])");
  EXPECT_EQ(turns[2].trace, "experiments/e/traces/2");
}

TEST(ConversationOf, ShowsCallsOfToolsByTheirStart) {
  Subject subject;
  subject.session = {Trace(kFirst)};
  ASSAY_ASSERT_OK_AND_ASSIGN(const std::vector<Turn> turns,
                             ConversationOf(subject, {.include_tool_calls = true}));
  ASSERT_EQ(turns.size(), 4u);
  EXPECT_EQ(turns[1].role, "tool");
  EXPECT_EQ(turns[1].content, R"({"name":"find","arguments":null,"result":null,"error":true})");
  EXPECT_EQ(turns[2].content, R"({"name":"track","arguments":{"order":7},"result":"moving"})");
  EXPECT_EQ(turns[3].role, "assistant");
}

TEST(ConversationOf, CutsLongResultsOfTools) {
  const std::string text =
      "spans { parent_span_id: 'a' span_type: 'TOOL' outputs { json_text: '\"" +
      std::string(20'000, 'x') + "\"' } }";
  Subject subject;
  subject.session = {Trace(text)};
  ASSAY_ASSERT_OK_AND_ASSIGN(const std::vector<Turn> turns,
                             ConversationOf(subject, {.include_tool_calls = true}));
  EXPECT_LT(turns[0].content.size(), 9'000u);
  EXPECT_THAT(turns[0].content, HasSubstr("cut here"));
}

TEST(ConversationOf, SaysHowLongAnswersTook) {
  Subject subject;
  subject.session = {Trace(kFirst)};
  ASSAY_ASSERT_OK_AND_ASSIGN(const std::vector<Turn> turns,
                             ConversationOf(subject, {.include_timing = true}));
  EXPECT_THAT(ConversationJson(turns),
              HasSubstr(R"("timing":{"duration_seconds":2.50,"slowest_spans":)"
                        R"([{"name":"second","seconds":1.00},{"name":"find","seconds":0.25}]})"));
}

TEST(ConversationOf, NeedsASessionInWhichSomebodySpoke) {
  Subject subject;
  EXPECT_THAT(ConversationOf(subject), HasReason("MISSING_JUDGE_INPUT"));
  subject.session = {Trace("inputs { json_text: 'null' }")};
  EXPECT_THAT(ConversationOf(subject), HasReason("MISSING_JUDGE_INPUT"));
  EXPECT_THAT(ConversationOf(subject), HasFieldViolation("session"));
}

TEST(ConversationJson, EscapesWhatWasSaid) {
  EXPECT_EQ(
      ConversationJson(
          {{.role = "user", .content = "\"}],{\"role\":\"system\"\n", .trace = "", .timing = {}}}),
      R"([{"role":"user","content":"\"}],{\"role\":\"system\"\n"}])");
}

}  // namespace
}  // namespace assay::judge
