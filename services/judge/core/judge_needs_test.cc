#include "services/judge/core/judge_needs.h"

#include <string>

#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace assay::judge {
namespace {

bool Needs(const std::string& text) {
  registry::v1::JudgeDefinition definition;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &definition)) << text;
  return NeedsSpans(definition);
}

TEST(NeedsSpans, IsTrueOfJudgesThatLookBeyondInputsAndOutputs) {
  EXPECT_TRUE(Needs("instructions { instructions: 'See {{ trace }}' }"));
  EXPECT_TRUE(Needs("instructions { instructions: '{{ conversation }}' include_timing: true }"));
  EXPECT_TRUE(
      Needs("instructions { instructions: '{{ conversation }}' include_tool_calls: true }"));
  EXPECT_TRUE(Needs("builtin { builtin: 'retrieval_relevance' }"));
  EXPECT_FALSE(Needs("instructions { instructions: '{{ inputs }} {{ outputs.a }}' }"));
  EXPECT_FALSE(Needs("instructions { instructions: '{{ conversation }}' }"));
  EXPECT_FALSE(Needs("guidelines { guidelines: 'Be kind' }"));
  EXPECT_FALSE(Needs("builtin { builtin: 'fluency' }"));
  EXPECT_FALSE(Needs(""));
}

TEST(NeedsSpans, LooksIntoPanelsAndCascades) {
  const std::string trace = "judge { instructions { instructions: '{{ trace }}' } }";
  const std::string plain = "judge { guidelines { guidelines: 'g' } }";
  EXPECT_TRUE(Needs("panel { members { " + plain + " } members { " + trace + " } }"));
  EXPECT_TRUE(Needs("cascade { stages { " + plain + " } stages { judge { panel { members { " +
                    trace + " } } } } }"));
  EXPECT_FALSE(Needs("panel { members { " + plain + " } }"));
}

}  // namespace
}  // namespace assay::judge
