#include "services/judge/core/builtin/retrieved.h"

#include <string>

#include "common/strings/strings.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace assay::judge {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

trace::v1::Trace Parse(const std::string& text) {
  trace::v1::Trace trace;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &trace)) << text;
  return trace;
}

std::string Ids(const std::string& text) {
  std::string ids;
  for (const RetrieverSpan& span : TopLevelRetrievers(Parse(text))) StrAppend(&ids, span.span_id);
  return ids;
}

TEST(TopLevelRetrievers, LeavesOutThoseBelowAnother) {
  EXPECT_EQ(Ids("spans { span_id: 'a' span_type: 'RETRIEVER' } "
                "spans { span_id: 'b' parent_span_id: 'a' } "
                "spans { span_id: 'c' parent_span_id: 'b' span_type: 'RETRIEVER' } "
                "spans { span_id: 'd' parent_span_id: 'x' span_type: 'RETRIEVER' }"),
            "ad");
}

TEST(TopLevelRetrievers, EndsWhereParentsFormACycle) {
  EXPECT_EQ(Ids("spans { span_id: 'a' parent_span_id: 'b' span_type: 'RETRIEVER' } "
                "spans { span_id: 'b' parent_span_id: 'a' } "
                "spans { span_id: 'c' parent_span_id: 'c' span_type: 'RETRIEVER' }"),
            "ac");
}

TEST(TopLevelRetrievers, ReadsDocumentsBeforeOutputs) {
  const auto spans = TopLevelRetrievers(
      Parse("spans { span_type: 'RETRIEVER' outputs { json_text: '[\"no\"]' } documents { id: 'd' "
            "content: 'yes' metadata { json_text: '{\"doc_uri\":\"kb://1\"}' } } documents { id: "
            "'e' content: 'also' } }"));
  ASSERT_EQ(spans.size(), 1u);
  ASSERT_EQ(spans[0].chunks.size(), 2u);
  EXPECT_EQ(spans[0].chunks[0].content, "yes");
  EXPECT_EQ(spans[0].chunks[0].uri, "kb://1");
  EXPECT_EQ(spans[0].chunks[1].uri, "e");
}

TEST(DocumentsBlock, CutsWhatExceedsTheBoundsAndSaysSo) {
  RetrieverSpan span;
  for (int i = 0; i < 14; ++i) span.chunks.push_back({"", std::string(kMaxDocumentBytes + 7, 'x')});
  const std::string block = DocumentsBlock(absl::MakeConstSpan(&span, 1));
  EXPECT_THAT(block, HasSubstr("(7 more bytes are left out)"));
  EXPECT_THAT(block, HasSubstr("(2 more documents are left out)"));
  EXPECT_LT(block.size(), kMaxDocumentsBytes + 2'000);
  EXPECT_THAT(DocumentsBlock({}), Not(HasSubstr("left out")));
}

}  // namespace
}  // namespace assay::judge
