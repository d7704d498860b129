#include "services/judge/core/prompt_trace.h"

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace assay::judge {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

trace::v1::Trace ParseTrace(const std::string& text) {
  trace::v1::Trace trace;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &trace));
  return trace;
}

TEST(TraceText, ShowsTheTreeWithInputsAndOutputs) {
  const std::string text = TraceText(ParseTrace(R"(
    span_count: 2 state: TRACE_STATE_OK duration { seconds: 1 nanos: 500000000 }
    spans { span_id: "a" span_name: "answer" start_time { seconds: 10 } end_time { seconds: 11 }
            attributes { key: "input.value" value { json_text: "\"where is it?\"" } } }
    spans { span_id: "b" parent_span_id: "a" span_name: "lookup" error: true status_message: "not\nfound"
            attributes { key: "db" value { json_text: "\"orders\"" } } }
  )"));
  EXPECT_THAT(text, HasSubstr("Trace of 2 spans, state ok, 1500 ms."));
  EXPECT_THAT(text, HasSubstr("\n- answer (1000 ms)\n  inputs: \"where is it?\"\n"));
  EXPECT_THAT(text, HasSubstr("\n  - lookup ERROR not found\n    db = \"orders\"\n"));
}

TEST(TraceText, ReadsTheSameOnceTheRootHasEnded) {
  EXPECT_THAT(TraceText(ParseTrace("state: TRACE_STATE_IN_PROGRESS")),
              HasSubstr("state in progress"));
  EXPECT_THAT(TraceText(ParseTrace(R"(
    state: TRACE_STATE_IN_PROGRESS root_ended: true spans { span_id: "a" }
    spans { span_id: "b" parent_span_id: "a" error: true }
  )")),
              HasSubstr("state ok"));
  EXPECT_THAT(TraceText(ParseTrace(R"(
    state: TRACE_STATE_IN_PROGRESS root_ended: true spans { span_id: "a" error: true }
  )")),
              HasSubstr("state error"));
}

TEST(TraceText, NeverShowsAssessments) {
  const std::string text = TraceText(ParseTrace(R"(
    assessments { assessment_name: "support_quality" value { json_text: "\"canary-label\"" }
                  source { kind: SOURCE_KIND_HUMAN id: "canary-person" } }
    spans { span_id: "a" span_name: "answer" }
  )"));
  EXPECT_THAT(text, Not(HasSubstr("canary")));
}

TEST(TraceText, StaysWithinItsBoundAndSaysWhatIsLeftOut) {
  trace::v1::Trace trace;
  for (int i = 0; i < 1000; ++i) {
    trace::v1::Span& span = *trace.add_spans();
    span.set_span_id(std::to_string(i));
    if (i > 0) span.set_parent_span_id(std::to_string(i - 1));
    span.set_span_name("step");
    (*span.mutable_attributes())["input.value"].set_json_text("\"" + std::string(20'000, 'x') +
                                                              "\"");
  }
  const std::string text = TraceText(trace);
  EXPECT_LE(text.size(), kMaxTraceTextBytes);
  EXPECT_THAT(text, HasSubstr("more bytes are left out"));
  EXPECT_THAT(text, HasSubstr("further spans are left out"));
}

TEST(TraceText, ShowsLongValuesWholeWhereTheTraceFits) {
  trace::v1::Trace trace;
  trace::v1::Span& span = *trace.add_spans();
  span.set_span_id("a");
  (*span.mutable_attributes())["input.value"].set_json_text("\"" + std::string(60'000, 'x') + "\"");
  EXPECT_TRUE(TraceTextFits(trace));
  EXPECT_THAT(TraceText(trace), HasSubstr(std::string(60'000, 'x')));
  (*span.mutable_attributes())["output.value"].set_json_text("\"" + std::string(60'000, 'y') +
                                                             "\"");
  EXPECT_FALSE(TraceTextFits(trace));
  EXPECT_THAT(TraceText(trace), HasSubstr("more bytes are left out"));
}

TEST(TraceText, DoesNotFitWhereSpansAreMissing) {
  EXPECT_FALSE(TraceTextFits(ParseTrace(R"(spans { span_id: "a" } spans_truncated: true)")));
}

TEST(TraceText, ShowsSpansOfACycleOnce) {
  const std::string text = TraceText(ParseTrace(R"(
    spans { span_id: "a" parent_span_id: "b" span_name: "one" }
    spans { span_id: "b" parent_span_id: "a" span_name: "two" }
  )"));
  EXPECT_THAT(text, HasSubstr("- one\n  - two\n"));
  EXPECT_EQ(text.find("one", text.find("one") + 1), std::string::npos);
}

}  // namespace
}  // namespace assay::judge
