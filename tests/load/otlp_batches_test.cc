#include "tests/load/otlp_batches.h"

#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"

namespace assay::load {
namespace {

using Request = opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;

Request Parsed(const std::string& bytes) {
  Request request;
  EXPECT_TRUE(request.ParseFromString(bytes));
  return request;
}

TEST(OtlpBatchesTest, BatchHasHundredSpansOfAKilobyte) {
  const std::string bytes = OtlpBatches().Batch(3);
  const Request request = Parsed(bytes);
  const auto& spans = request.resource_spans(0).scope_spans(0).spans();
  ASSERT_EQ(spans.size(), kSpansPerBatch);
  EXPECT_GT(bytes.size(), 95'000U);
  EXPECT_LT(bytes.size(), 115'000U);
  for (const auto& span : spans) {
    EXPECT_EQ(span.attributes_size(), kAttributesPerSpan);
    EXPECT_EQ(span.trace_id().size(), 16U);
    EXPECT_EQ(span.span_id().size(), 8U);
    EXPECT_LT(span.start_time_unix_nano(), span.end_time_unix_nano());
  }
}

TEST(OtlpBatchesTest, EachTraceIsWholeAndInOneBatchOnly) {
  const OtlpBatches batches;
  std::set<std::string> traces;
  std::set<std::string> spans;
  for (uint64_t number = 0; number < 40; ++number) {
    const Request request = Parsed(batches.Batch(number));
    for (const auto& span : request.resource_spans(0).scope_spans(0).spans()) {
      traces.insert(span.trace_id());
      EXPECT_TRUE(spans.insert(span.trace_id() + span.span_id()).second);
      if (!span.parent_span_id().empty()) {
        EXPECT_TRUE(spans.contains(span.trace_id() + span.parent_span_id()));
      }
    }
  }
  EXPECT_EQ(traces.size(), 40U * kSpansPerBatch / kSpansPerTrace);
}

}  // namespace
}  // namespace assay::load
