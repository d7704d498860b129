#include "services/trace/core/chunk_builder.h"

#include <string>
#include <vector>

#include "common/status/status_matchers.h"
#include "services/trace/testing/otlp_requests.h"

namespace assay::trace {
namespace {

TEST(ChunkBuilderTest, CutsARequestByTrace) {
  ExportRequest request;
  OtlpResourceSpans* first = AddResource(&request, "a");
  first->set_schema_url("https://example.com/resource");
  AddSpan(first, 1, 1);
  AddSpan(first, 2, 2);
  AddSpan(first, 1, 3);
  auto* scope = first->add_scope_spans();
  scope->mutable_scope()->set_name("second");
  scope->set_schema_url("https://example.com/scope");
  *scope->add_spans() = *AddSpan(first, 1, 4);
  first->mutable_scope_spans(0)->mutable_spans()->RemoveLast();
  AddSpan(AddResource(&request, "b"), 1, 5);
  const std::string bytes = request.SerializeAsString();
  absl::StatusOr<OtlpBatch> batch = ReadOtlp(bytes);
  ASSERT_OK(batch);
  const std::vector<TraceSpans> groups = GroupByTrace(*batch);
  ASSERT_EQ(groups.size(), 2u);

  ExportRequest cut;  // TracesData has the same wire form.
  ASSERT_TRUE(cut.ParseFromString(BuildOtlp(*batch, groups[0].spans)));
  ExportRequest wanted = request;
  auto* spans = wanted.mutable_resource_spans(0)->mutable_scope_spans(0)->mutable_spans();
  spans->DeleteSubrange(1, 1);
  EXPECT_EQ(cut.SerializeAsString(), wanted.SerializeAsString());

  ASSERT_TRUE(cut.ParseFromString(BuildOtlp(*batch, groups[1].spans)));
  ASSERT_EQ(cut.resource_spans_size(), 1);
  ASSERT_EQ(cut.resource_spans(0).scope_spans_size(), 1);
  EXPECT_EQ(cut.resource_spans(0).scope_spans(0).spans(0).span_id(), TestSpan(2).bytes());
}

}  // namespace
}  // namespace assay::trace
