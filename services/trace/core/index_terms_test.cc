#include "services/trace/core/index_terms.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/trace/core/facts_builder.h"
#include "services/trace/testing/otlp_requests.h"

namespace assay::trace {
namespace {

using opentelemetry::proto::common::v1::AnyValue;
using testing::ElementsAre;
using testing::Optional;

std::vector<std::string> TermsOf(const std::vector<OtlpSpan>& spans,
                                 const IndexedAttributes& attributes = IndexedAttributes()) {
  PriceMemo prices(PriceTable::BuiltIn());
  FactsBuilder builder(attributes, prices);
  std::vector<std::string> bytes;
  for (const OtlpSpan& span : spans) bytes.push_back(span.SerializeAsString());
  for (const std::string& one : bytes) {
    SpanView view;
    EXPECT_EQ(ReadSpan(one, &view), "");
    builder.Add(view);
  }
  std::vector<std::string> terms;
  for (const IndexTerm& term : AllTerms(builder.Build(), "run")) {
    terms.push_back(term.field + "=" + term.value);
  }
  return terms;
}

OtlpSpan Span(uint8_t id, uint8_t parent) {
  ExportRequest request;
  return *AddSpan(AddResource(&request), 1, id, parent);
}

TEST(IndexTermsTest, SayWhatTheSpansSay_EachOnce) {
  OtlpSpan root = Span(1, 0);
  SetText(&root, "session.id", "s");
  SetText(&root, "user.id", "u");
  SetText(&root, "gen_ai.operation.name", "chat");
  SetText(&root, "gen_ai.request.model", "m");
  SetText(&root, "gen_ai.agent.name", "helper");
  SetText(&root, "not.indexed", "x");
  OtlpSpan child = Span(2, 1);
  child.mutable_status()->set_code(opentelemetry::proto::trace::v1::Status::STATUS_CODE_ERROR);
  SetText(&child, "gen_ai.request.model", "m");
  const std::vector<std::string> terms = TermsOf({root, child});
  EXPECT_THAT(terms, testing::AllOf(testing::Contains("session=s"), testing::Contains("user=u"),
                                    testing::Contains("model=m").Times(1),
                                    testing::Contains("root_span_name=span-1"),
                                    testing::Contains("span.name=span-1"),
                                    testing::Contains("span.name=span-2"),
                                    testing::Contains("span.status=ERROR"),
                                    testing::Contains("attributes.gen_ai.agent.name=helper"),
                                    testing::Contains("evaluation=run")));
  EXPECT_THAT(terms, testing::Not(testing::Contains(testing::HasSubstr("not.indexed"))));
}

TEST(IndexTermsTest, IncludeAttributesThatAreConfigured) {
  OtlpSpan span = Span(1, 0);
  SetText(&span, "tenant", "acme");
  auto* number = span.add_attributes();
  number->set_key("retries");
  number->mutable_value()->set_double_value(3);
  const std::vector<std::string> more = {"tenant", "retries"};
  EXPECT_THAT(TermsOf({span}, IndexedAttributes(more)),
              testing::IsSupersetOf({"attributes.tenant=acme", "attributes.retries=3"}));
}

TEST(IndexTermsTest, MarkFieldsWithTooManyValues) {
  std::vector<OtlpSpan> spans;
  for (int i = 0; i < 200; ++i) {
    spans.push_back(Span(static_cast<uint8_t>(i + 1), 0));
    spans.back().set_name("step " + std::to_string(i));
  }
  const std::vector<std::string> terms = TermsOf(spans);
  EXPECT_THAT(terms, testing::Contains("span.name=\x01overflow"));
  EXPECT_LE(terms.size(), static_cast<size_t>(kMaxTerms) + 5);
}

TEST(IndexTermsTest, FindJudgementsByWhatTheyJudge) {
  OtlpSpan span = Span(1, 0);
  SetText(&span, "assay.metadata.assay_judge_call", "quality");
  SetText(&span, "assay.metadata.assay_judged", "experiments/e/sessions/s");
  EXPECT_THAT(TermsOf({span}), testing::Contains("judged=experiments/e/sessions/s"));
}

TEST(IndexTermsTest, KeepLongValuesShortAndApart) {
  const std::string a(300, 'x');
  const std::string b = a + "y";
  EXPECT_NE(ShortTermValue(a), ShortTermValue(b));
  EXPECT_EQ(ShortTermValue(a).size(), 64u);
  EXPECT_EQ(ShortTermValue(ShortTermValue(a)), ShortTermValue(a));
  EXPECT_EQ(ShortTermValue("short"), "short");
}

TEST(IndexTermsTest, WriteNumbersInOneForm) {
  AnyValue value;
  value.set_int_value(-5);
  EXPECT_THAT(TermOfAnyValue(value.SerializeAsString()), Optional(std::string("-5")));
  value.set_double_value(-5);
  EXPECT_THAT(TermOfAnyValue(value.SerializeAsString()), Optional(std::string("-5")));
  value.set_double_value(0.25);
  EXPECT_THAT(TermOfAnyValue(value.SerializeAsString()), Optional(std::string("0.25")));
  value.set_bool_value(true);
  EXPECT_THAT(TermOfAnyValue(value.SerializeAsString()), Optional(std::string("true")));
  value.mutable_array_value();
  EXPECT_EQ(TermOfAnyValue(value.SerializeAsString()), std::nullopt);
  EXPECT_EQ(TermOfNumber(5), "5");
}

TEST(IndexTermsTest, IncludeTagsAndMarkers) {
  TraceFacts facts;
  (*facts.mutable_tags())["tier"] = "gold";
  facts.add_terms(MakeTerm("span.name", "a"));
  facts.add_overflowed_fields("span.name");
  EXPECT_THAT(AllTerms(facts, ""),
              ElementsAre(IndexTerm{"span.name", std::string(kOverflowValue)},
                          IndexTerm{"span.name", "a"}, IndexTerm{"tags.tier", "gold"}));
}

}  // namespace
}  // namespace assay::trace
