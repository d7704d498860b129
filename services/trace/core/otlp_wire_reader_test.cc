#include "services/trace/core/otlp_wire_reader.h"

#include <string>

#include "common/status/status_matchers.h"
#include "services/trace/core/wire_cursor.h"
#include "services/trace/testing/otlp_requests.h"

namespace assay::trace {
namespace {

using testing::ElementsAre;
using testing::Pair;

OtlpBatch Read(const ExportRequest& request) {
  absl::StatusOr<OtlpBatch> batch = ReadOtlp(request.SerializeAsString());
  EXPECT_OK(batch);
  return batch.ok() ? *std::move(batch) : OtlpBatch();
}

// The reason for which a request with one good span and `span` changed by `spoil` loses the latter.
template <class Spoil>
std::string ReasonFor(Spoil spoil) {
  ExportRequest request;
  OtlpResourceSpans* resource = AddResource(&request);
  AddSpan(resource, 1, 1);
  spoil(AddSpan(resource, 1, 2, 1));
  const std::string bytes = request.SerializeAsString();
  absl::StatusOr<OtlpBatch> batch = ReadOtlp(bytes);
  if (!batch.ok() || batch->spans.size() != 1 || batch->rejected.size() != 1) return "";
  EXPECT_EQ(batch->spans[0].span_id, TestSpan(1));
  return std::string(batch->rejected.begin()->first);
}

TEST(OtlpWireReaderTest, ReadsWhatMatters) {
  ExportRequest request;
  OtlpSpan* span = AddSpan(AddResource(&request, "support"), 1, 2, 3, 7);
  span->mutable_status()->set_code(opentelemetry::proto::trace::v1::Status::STATUS_CODE_ERROR);
  span->mutable_status()->set_message("went wrong");
  span->add_events()->set_name("event");
  span->add_links()->set_trace_state("a=b");
  const std::string bytes = request.SerializeAsString();
  absl::StatusOr<OtlpBatch> batch = ReadOtlp(bytes);
  ASSERT_OK(batch);
  ASSERT_EQ(batch->spans.size(), 1u);
  const SpanView& read = batch->spans[0];
  EXPECT_EQ(read.trace_id, TestTrace(1));
  EXPECT_EQ(read.span_id, TestSpan(2));
  EXPECT_EQ(read.parent_span_id, TestSpan(3));
  EXPECT_EQ(read.name, "span-2");
  EXPECT_EQ(read.start_unix_nano, 7'000'000'000u);
  EXPECT_EQ(read.end_unix_nano, 8'000'000'000u);
  EXPECT_TRUE(read.error);
  EXPECT_EQ(read.status_message, "went wrong");
  EXPECT_EQ(read.bytes, span->SerializeAsString());
  EXPECT_EQ(batch->scopes.size(), 1u);
  EXPECT_EQ(batch->resources.size(), 1u);
  EXPECT_EQ(batch->RejectedCount(), 0);
}

TEST(OtlpWireReaderTest, AcceptsAnEmptyRequest) { EXPECT_TRUE(Read({}).spans.empty()); }

TEST(OtlpWireReaderTest, FindsTheResourceBehindItsSpans) {
  ExportRequest request;
  AddSpan(AddResource(&request, "e"), 1, 1);
  const OtlpResourceSpans& resource = request.resource_spans(0);
  // Field 2 before field 1.
  std::string body;
  AppendBytesField(2, resource.scope_spans(0).SerializeAsString(), &body);
  AppendBytesField(1, resource.resource().SerializeAsString(), &body);
  std::string bytes;
  AppendBytesField(1, body, &bytes);
  absl::StatusOr<OtlpBatch> batch = ReadOtlp(bytes);
  ASSERT_OK(batch);
  ASSERT_EQ(batch->spans.size(), 1u);
  EXPECT_EQ(batch->resources[0].resource, resource.resource().SerializeAsString());
}

TEST(OtlpWireReaderTest, RejectsOnlyTheSpanWithInvalidUtf8) {
  EXPECT_EQ(ReasonFor([](OtlpSpan* span) { span->set_name("\xff\xfe"); }), kRejectUtf8);
  EXPECT_EQ(ReasonFor([](OtlpSpan* span) { SetText(span, "key", "\xc0\x80"); }), kRejectUtf8);
  EXPECT_EQ(ReasonFor([](OtlpSpan* span) { SetText(span, "\xed\xa0\x80", "x"); }), kRejectUtf8);
  EXPECT_EQ(ReasonFor([](OtlpSpan* span) { span->add_events()->set_name("\xff"); }), kRejectUtf8);
  EXPECT_EQ(ReasonFor([](OtlpSpan* span) { span->add_links()->set_trace_state("\xff"); }),
            kRejectUtf8);
  EXPECT_EQ(ReasonFor([](OtlpSpan* span) { span->mutable_status()->set_message("\xff"); }),
            kRejectUtf8);
  EXPECT_EQ(ReasonFor([](OtlpSpan* span) { span->set_trace_state("\xff"); }), kRejectUtf8);
}

TEST(OtlpWireReaderTest, RejectsOnlyTheSpanWithBadIds) {
  EXPECT_EQ(ReasonFor([](OtlpSpan* span) { span->set_trace_id("short"); }), kRejectTraceId);
  EXPECT_EQ(ReasonFor([](OtlpSpan* span) { span->clear_trace_id(); }), kRejectTraceId);
  EXPECT_EQ(ReasonFor([](OtlpSpan* span) { span->set_trace_id(std::string(16, '\0')); }),
            kRejectTraceId);
  EXPECT_EQ(ReasonFor([](OtlpSpan* span) { span->set_span_id(std::string(8, '\0')); }),
            kRejectSpanId);
  EXPECT_EQ(ReasonFor([](OtlpSpan* span) { span->set_span_id(std::string(9, 'x')); }),
            kRejectSpanId);
  EXPECT_EQ(ReasonFor([](OtlpSpan* span) { span->set_parent_span_id("1234567"); }),
            kRejectParentSpanId);
}

TEST(OtlpWireReaderTest, RejectsDeepNestingAndKeepsTheBound) {
  auto nest = [](OtlpSpan* span, int depth) {
    auto* attribute = span->add_attributes();
    attribute->set_key("deep");
    auto* value = attribute->mutable_value();
    for (int i = 0; i < depth; ++i) {
      value = i % 2 == 0 ? value->mutable_array_value()->add_values()
                         : value->mutable_kvlist_value()->add_values()->mutable_value();
    }
    value->set_string_value("bottom");
  };
  EXPECT_EQ(ReasonFor([&](OtlpSpan* span) { nest(span, kMaxAttributeDepth + 1); }), kRejectDepth);
  ExportRequest request;
  nest(AddSpan(AddResource(&request), 1, 1), kMaxAttributeDepth);
  EXPECT_EQ(Read(request).spans.size(), 1u);
}

TEST(OtlpWireReaderTest, RejectsOnlyTheSpanThatIsMalformed) {
  const std::string good = OneSpan(1).resource_spans(0).scope_spans(0).spans(0).SerializeAsString();
  for (const std::string& bad : {good + '\x4a',
                                 good + std::string("\x4a\x05"
                                                    "ab"),
                                 good + std::string("\x29\x01")}) {
    std::string scope;
    AppendBytesField(2, bad, &scope);
    AppendBytesField(2, good, &scope);
    std::string resource;
    AppendBytesField(2, scope, &resource);
    std::string bytes;
    AppendBytesField(1, resource, &bytes);
    absl::StatusOr<OtlpBatch> batch = ReadOtlp(bytes);
    ASSERT_OK(batch);
    EXPECT_EQ(batch->spans.size(), 1u);
    EXPECT_THAT(batch->rejected, ElementsAre(Pair(kRejectMalformed, 1)));
  }
}

TEST(OtlpWireReaderTest, RejectsSpansOfABadResourceOrScope) {
  ExportRequest request;
  OtlpResourceSpans* resource = AddResource(&request);
  AddSpan(resource, 1, 1);
  resource->mutable_resource()->add_attributes()->set_key("\xff");
  OtlpResourceSpans* scoped = AddResource(&request);
  AddSpan(scoped, 1, 2);
  scoped->mutable_scope_spans(0)->mutable_scope()->set_version("\xff");
  AddSpan(AddResource(&request), 1, 3);
  const OtlpBatch batch = Read(request);
  EXPECT_EQ(batch.spans.size(), 1u);
  EXPECT_THAT(batch.rejected, ElementsAre(Pair(kRejectResource, 1), Pair(kRejectScope, 1)));
}

TEST(OtlpWireReaderTest, RefusesBrokenFraming) {
  const std::string good = OneSpan(1).SerializeAsString();
  for (const std::string& bad :
       {std::string("not a protobuf"), good.substr(0, good.size() - 1), good + '\x0a',
        std::string("\x0a\x02\x12\x05"), std::string("\x0a\x04\x12\x02\x12\x05"),
        std::string("\x08\x01")}) {
    EXPECT_THAT(ReadOtlp(bad), HasReason("MALFORMED_OTLP"));
    EXPECT_THAT(ReadOtlp(bad), StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST(OtlpWireReaderTest, NeverReadsOutsideAnyPrefix) {
  ExportRequest request = OneSpan(1, "e");
  SetText(request.mutable_resource_spans(0)->mutable_scope_spans(0)->mutable_spans(0), "k", "v");
  const std::string good = request.SerializeAsString();
  for (size_t size = 0; size < good.size(); ++size) {
    const std::string prefix = good.substr(0, size);  // A heap block of its own, for sanitizers.
    ReadOtlp(prefix).IgnoreError();
    for (char c : {'\xff', '\0', '\x7f'}) {
      std::string changed = good;
      changed[size] = c;
      ReadOtlp(changed).IgnoreError();
    }
  }
}

TEST(OtlpWireReaderTest, BoundsTheSpansOfARequest) {
  ExportRequest request;
  OtlpResourceSpans* resource = AddResource(&request);
  for (uint8_t i = 1; i <= 3; ++i) AddSpan(resource, 1, i);
  EXPECT_OK(ReadOtlp(request.SerializeAsString(), 3));
  EXPECT_THAT(ReadOtlp(request.SerializeAsString(), 2), HasReason("MESSAGE_TOO_LARGE"));
}

TEST(OtlpWireReaderTest, KeepsAndFlagsASpanThatEndsBeforeItStarts) {
  ExportRequest request;
  OtlpSpan* span = AddSpan(AddResource(&request), 1, 1);
  span->set_end_time_unix_nano(1);
  const OtlpBatch batch = Read(request);
  ASSERT_EQ(batch.spans.size(), 1u);
  EXPECT_TRUE(batch.spans[0].EndsBeforeStart());
}

}  // namespace
}  // namespace assay::trace
