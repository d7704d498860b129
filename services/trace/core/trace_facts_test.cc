#include "services/trace/core/trace_facts.h"

#include <algorithm>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/trace/testing/otlp_requests.h"

namespace assay::trace {
namespace {

TraceFacts FactsOf(const OtlpSpan& span, uint64_t sequence = 0) {
  const std::string bytes = span.SerializeAsString();
  SpanView view;
  EXPECT_EQ(ReadSpan(bytes, &view), "");
  FactsBuilder builder;
  builder.Add(view);
  TraceFacts facts = builder.Build();
  if (facts.has_root()) facts.mutable_root()->set_sequence(sequence);
  return facts;
}

OtlpSpan Span(uint8_t id, uint8_t parent, uint64_t start) {
  ExportRequest request;
  return *AddSpan(AddResource(&request), 1, id, parent, start);
}

TEST(TraceFactsTest, SumUpTheSame_InWhateverOrder) {
  OtlpSpan root = Span(1, 0, 50);
  SetText(&root, "session.id", "s");
  std::vector<TraceFacts> parts = {FactsOf(root, 7), FactsOf(Span(2, 1, 60)),
                                   FactsOf(Span(3, 1, 40))};
  std::sort(parts.begin(), parts.end(),
            [](const auto& a, const auto& b) { return a.span_ids() < b.span_ids(); });
  std::vector<size_t> order = {0, 1, 2};
  do {
    TraceFacts sum;
    for (size_t i : order) MergeFacts(parts[i], &sum);
    EXPECT_EQ(sum.start_unix_nano(), 40'000'000'000u);
    EXPECT_EQ(sum.end_unix_nano(), 61'000'000'000u);
    EXPECT_EQ(SpanCount(sum), 3);
    EXPECT_EQ(sum.root().name(), "span-1");
    EXPECT_EQ(sum.root().sequence(), 7u);
    EXPECT_EQ(sum.first_span_name(), "span-3");
    EXPECT_EQ(sum.session(), "s");
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(TraceFactsTest, CountASpanThatIsSentTwiceOnce) {
  TraceFacts sum = FactsOf(Span(1, 0, 50), 1);
  OtlpSpan again = Span(1, 0, 50);
  again.mutable_status()->set_code(opentelemetry::proto::trace::v1::Status::STATUS_CODE_ERROR);
  MergeFacts(FactsOf(again, 2), &sum);
  EXPECT_EQ(SpanCount(sum), 1);
  EXPECT_TRUE(sum.root().error());
  MergeFacts(FactsOf(Span(1, 0, 50), 1), &sum);
  EXPECT_TRUE(sum.root().error()) << "an older chunk must not win";
}

TEST(TraceFactsTest, TakeTheEarliestOfSeveralRoots) {
  TraceFacts sum = FactsOf(Span(1, 0, 50), 1);
  MergeFacts(FactsOf(Span(2, 0, 40), 2), &sum);
  MergeFacts(FactsOf(Span(3, 0, 60), 3), &sum);
  EXPECT_EQ(sum.root().name(), "span-2");
}

TEST(TraceFactsTest, CountBeyondTheIdsTheyKeep) {
  TraceFacts sum;
  for (int i = 0; i < 1500; ++i) {
    TraceFacts one;
    one.set_schema_version(1);
    one.set_span_ids(std::string(6, 'a') + static_cast<char>(i / 256) + static_cast<char>(i % 256));
    MergeFacts(one, &sum);
  }
  EXPECT_EQ(SpanCount(sum), 1500);
  EXPECT_EQ(sum.span_ids().size(), kMaxCountedSpans * SpanId::kSize);
}

TEST(TraceFactsTest, AreNothingWithoutSpans) {
  TraceFacts sum;
  MergeFacts(TraceFacts(), &sum);
  EXPECT_EQ(sum.schema_version(), 0u);
  MergeFacts(FactsOf(Span(1, 0, 50)), &sum);
  EXPECT_EQ(SpanCount(sum), 1);
}

}  // namespace
}  // namespace assay::trace
