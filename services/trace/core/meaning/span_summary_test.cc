#include "services/trace/core/meaning/span_summary.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/trace/testing/otlp_requests.h"

namespace assay::trace {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

void SetInt(OtlpSpan* span, std::string_view key, int64_t value) {
  auto* attribute = span->add_attributes();
  attribute->set_key(std::string(key));
  attribute->mutable_value()->set_int_value(value);
}

// A span in memory with its summary.
struct Summarized {
  explicit Summarized(const OtlpSpan& span)
      : bytes(span.SerializeAsString()), summary(SummarizeSpan(bytes)) {}
  const SpanSummary* operator->() const { return &summary; }
  std::string bytes;
  SpanSummary summary;
};

TEST(SpanSummaryTest, SaysNothingOfAPlainSpan) {
  OtlpSpan span;
  SetText(&span, "http.method", "GET");
  SetText(&span, "llm.is_streaming", "true");
  Summarized said(span);
  EXPECT_EQ(said->span_type, "");
  EXPECT_FALSE(said->tokens.any());
  EXPECT_FALSE(said->cost.any());
  EXPECT_FALSE(said->error);
  EXPECT_FALSE(said->CallsModel());
  EXPECT_TRUE(said->owned.empty());
}

TEST(SpanSummaryTest, ReadsMlflowsJsonEncodedAttributes) {
  OtlpSpan span;
  SetText(&span, "mlflow.spanType", R"("CHAT_MODEL")");
  SetText(&span, "mlflow.llm.model", R"("gpt-4o")");
  SetText(&span, "mlflow.llm.provider", R"("OpenAI")");
  SetText(&span, "mlflow.chat.tokenUsage",
          R"({"input_tokens": 12, "output_tokens": 3, "cache_read_input_tokens": 8})");
  SetText(&span, "mlflow.llm.cost", R"({"input_cost": 0.25, "output_cost": 0.5})");
  Summarized said(span);
  EXPECT_EQ(said->span_type, "CHAT_MODEL");
  EXPECT_EQ(said->model, "gpt-4o");
  EXPECT_EQ(said->provider, "openai");
  EXPECT_EQ(said->tokens.input, 12);
  EXPECT_EQ(said->tokens.output, 3);
  EXPECT_EQ(said->tokens.total, 15);
  EXPECT_EQ(said->tokens.cache_read, 8);
  EXPECT_EQ(said->tokens.cache_write, std::nullopt);
  EXPECT_EQ(said->cost.total, 0.75);
  EXPECT_TRUE(said->CallsModel());
}

TEST(SpanSummaryTest, LetsOpenInferenceWinAndGenAiFillGaps) {
  OtlpSpan span;
  SetText(&span, "gen_ai.operation.name", "chat");
  SetText(&span, "openinference.span.kind", "LLM");
  SetText(&span, "gen_ai.response.model", "from-gen-ai");
  SetText(&span, "llm.model_name", "from-openinference");
  SetInt(&span, "gen_ai.usage.input_tokens", 5);
  SetInt(&span, "llm.token_count.prompt", 6);
  SetInt(&span, "gen_ai.usage.output_tokens", 7);
  SetInt(&span, "gen_ai.usage.reasoning.output_tokens", 2);
  Summarized said(span);
  EXPECT_EQ(said->span_type, "LLM");
  EXPECT_EQ(said->model, "from-openinference");
  EXPECT_EQ(said->tokens.input, 6);
  EXPECT_EQ(said->tokens.output, 7);
  EXPECT_EQ(said->tokens.total, 13);
  EXPECT_EQ(said->tokens.reasoning, 2);
}

TEST(SpanSummaryTest, ReadsOldNamesOfGenAiAndTraceloop) {
  OtlpSpan span;
  SetText(&span, "gen_ai.system", "OpenAI");
  SetText(&span, "llm.request.type", "chat");
  SetText(&span, "gen_ai.request.model", "gpt-3.5-turbo");
  SetInt(&span, "gen_ai.usage.prompt_tokens", 20);
  SetInt(&span, "gen_ai.usage.completion_tokens", 22);
  SetInt(&span, "llm.usage.total_tokens", 50);
  SetInt(&span, "gen_ai.usage.cache_read_input_tokens", 4);
  SetText(&span, "traceloop.association.properties.session_id", "s-1");
  SetText(&span, "traceloop.association.properties.plan", "pro");
  Summarized said(span);
  EXPECT_EQ(said->span_type, "CHAT_MODEL");
  EXPECT_EQ(said->provider, "openai");
  EXPECT_EQ(said->tokens.input, 20);
  EXPECT_EQ(said->tokens.output, 22);
  EXPECT_EQ(said->tokens.total, 50);
  EXPECT_EQ(said->tokens.cache_read, 4);
  EXPECT_EQ(said->session, "s-1");
  EXPECT_THAT(said->metadata, ElementsAre(Pair("plan", "pro")));
}

TEST(SpanSummaryTest, NamesToolsAndAgentsByTheTypeOfTheSpan) {
  for (auto [kind, tool, agent] :
       {std::tuple("tool", "look_up", ""), {"agent", "", "look_up"}, {"task", "", ""}}) {
    OtlpSpan span;
    SetText(&span, "traceloop.entity.name", "look_up");
    SetText(&span, "traceloop.span.kind", kind);
    Summarized said(span);
    EXPECT_EQ(said->tool_name, tool);
    EXPECT_EQ(said->agent_name, agent);
    EXPECT_FALSE(said->CallsModel());
  }
}

TEST(SpanSummaryTest, TellsVercelsOuterSpansFromItsCalls) {
  OtlpSpan outer;
  SetText(&outer, "operation.name", "ai.generateText my-function");
  SetText(&outer, "ai.model.id", "gpt-4o");
  EXPECT_EQ(Summarized(outer)->span_type, "AGENT");
  EXPECT_FALSE(Summarized(outer)->CallsModel());
  OtlpSpan inner;
  SetText(&inner, "ai.operationId", "ai.generateText.doGenerate");
  SetInt(&inner, "ai.usage.promptTokens", 10);
  SetInt(&inner, "ai.usage.completionTokens", 5);
  Summarized said(inner);
  EXPECT_TRUE(said->CallsModel());
  EXPECT_EQ(said->tokens.total, 15);
}

TEST(SpanSummaryTest, CollectsTagsAndMetadataByPrecedence) {
  OtlpSpan span;
  auto* tags = span.add_attributes();
  tags->set_key("tag.tags");
  tags->mutable_value()->mutable_array_value()->add_values()->set_string_value("travel");
  SetText(&span, "langfuse.trace.tags", R"(["a", "b"])");
  SetText(&span, "metadata", R"({"tier": 3, "region": "eu", "tenant": "from-json"})");
  SetText(&span, "assay.metadata.tenant", "own");
  SetText(&span, "assay.tag.release", "7");
  Summarized said(span);
  EXPECT_THAT(said->tags, UnorderedElementsAre(Pair("travel", ""), Pair("a", ""), Pair("b", ""),
                                               Pair("release", "7")));
  EXPECT_THAT(said->metadata,
              UnorderedElementsAre(Pair("tier", "3"), Pair("region", "eu"), Pair("tenant", "own")));
}

TEST(SpanSummaryTest, ReadsErrorsOfStatusAndException) {
  OtlpSpan span;
  span.mutable_status()->set_code(opentelemetry::proto::trace::v1::Status::STATUS_CODE_ERROR);
  auto* event = span.add_events();
  event->set_name("exception");
  auto* type = event->add_attributes();
  type->set_key("exception.type");
  type->mutable_value()->set_string_value("TimeoutError");
  Summarized said(span);
  EXPECT_TRUE(said->error);
  EXPECT_EQ(said->error_type, "TimeoutError");
}

TEST(SpanSummaryTest, TakesTheDetailsEventForWhatTheSpanLacks) {
  OtlpSpan span;
  SetText(&span, "gen_ai.request.model", "asked");
  auto* event = span.add_events();
  event->set_name("gen_ai.client.inference.operation.details");
  for (auto [key, text] : {std::pair("gen_ai.usage.input_tokens", "9"),
                           {"gen_ai.operation.name", "chat"},
                           {"gen_ai.request.model", "other"}}) {
    auto* attribute = event->add_attributes();
    attribute->set_key(key);
    attribute->mutable_value()->set_string_value(text);
  }
  Summarized said(span);
  EXPECT_EQ(said->model, "asked");
  EXPECT_EQ(said->span_type, "CHAT_MODEL");
  EXPECT_EQ(said->tokens.input, 9);
}

TEST(SpanSummaryTest, LeavesOutNumbersThatCannotBe) {
  OtlpSpan span;
  SetInt(&span, "gen_ai.usage.input_tokens", -1);
  SetText(&span, "gen_ai.usage.output_tokens", "many");
  SetText(&span, "llm.cost.total", "nan");
  SetText(&span, "mlflow.chat.tokenUsage", std::string(300, '['));
  Summarized said(span);
  EXPECT_FALSE(said->tokens.any());
  EXPECT_FALSE(said->cost.any());
}

TEST(SpanSummaryTest, BoundsTextsAndEntries) {
  OtlpSpan span;
  SetText(&span, "session.id", std::string(300, 's'));
  SetInt(&span, "user.id", 42);
  for (int i = 0; i < 200; ++i) {
    SetText(&span, "assay.tag." + std::to_string(i), std::string(5000, 'v'));
  }
  Summarized said(span);
  EXPECT_EQ(said->session, std::string(kMaxIdentityChars, 's'));
  EXPECT_EQ(said->user, "42");
  ASSERT_EQ(said->tags.size(), kMaxSummaryEntries);
  EXPECT_EQ(said->tags[0].second.size(), kMaxEntryValueChars);
  EXPECT_EQ(said->truncated, kTruncatedTags | kTruncatedSession);
}

TEST(SpanSummaryTest, SaysWhatItTruncates) {
  const auto truncated = [](std::string_view key, const std::string& text) {
    OtlpSpan span;
    SetText(&span, key, text);
    return Summarized(span)->truncated;
  };
  const std::string most(kMaxIdentityChars, 'x');
  for (const char* key : {"session.id", "user.id", "gen_ai.request.model", "assay.tag.a"}) {
    EXPECT_EQ(truncated(key, most), 0u) << key;
  }
  EXPECT_EQ(truncated("session.id", most + "y"), kTruncatedSession);
  EXPECT_EQ(truncated("user.id", most + "y"), kTruncatedUser);
  EXPECT_EQ(truncated("gen_ai.request.model", most + "y"), kTruncatedModel);
  EXPECT_EQ(truncated("assay.tag." + most + "y", "v"), kTruncatedTags);
  EXPECT_EQ(truncated("assay.metadata.a", std::string(kMaxEntryValueChars, 'v')), 0u);
  EXPECT_EQ(truncated("assay.metadata.a", std::string(kMaxEntryValueChars + 1, 'v')),
            kTruncatedMetadata);
  EXPECT_EQ(truncated("metadata", "{\"a\":\"" + std::string(70'000, 'v') + "\"}"),
            kTruncatedMetadata);
  std::string many = "{\"k\":1";
  for (int i = 0; i < 49; ++i) many += ",\"k" + std::to_string(i) + "\":1";
  EXPECT_EQ(truncated("metadata", many + "}"), 0u);
  EXPECT_EQ(truncated("metadata", many + ",\"one more\":1}"), kTruncatedMetadata);
}

TEST(SpanSummaryTest, SaysNothingOfTextsThatAnotherOneReplaces) {
  OtlpSpan span;
  SetText(&span, "session.id", std::string(300, 's'));
  SetText(&span, "session.id", "short");
  EXPECT_EQ(Summarized(span)->truncated, 0u);
}

TEST(SpanSummaryTest, LetsTheLastOfEqualKeysWin) {
  OtlpSpan span;
  SetText(&span, "session.id", "first");
  SetText(&span, "session.id", "last");
  EXPECT_EQ(Summarized(span)->session, "last");
}

}  // namespace
}  // namespace assay::trace
