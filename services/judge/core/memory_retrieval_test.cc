#include "services/judge/core/memory_retrieval.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::judge {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

void Add(registry::v1::JudgeMemory* memory, const std::string& trace, const std::string& output,
         bool wrong) {
  registry::v1::MemoryExample& example = *memory->add_examples();
  example.set_trace("experiments/e/traces/" + trace);
  example.mutable_inputs()->set_json_text("\"where is my parcel\"");
  example.mutable_outputs()->set_json_text("\"" + output + "\"");
  example.mutable_value()->set_json_text("\"good\"");
  example.set_judge_was_wrong(wrong);
}

std::vector<std::string> Traces(const registry::v1::JudgeMemory& memory, const std::string& output,
                                const std::string& judged = "") {
  std::vector<std::string> traces;
  for (const RetrievedExample& e :
       RetrieveExamples(memory, "\"where is my parcel\"", "\"" + output + "\"", judged)) {
    traces.push_back(e.example->trace().substr(e.example->trace().rfind('/') + 1));
  }
  return traces;
}

TEST(RetrieveExamples, ComparesOutputsToo) {
  registry::v1::JudgeMemory memory;
  memory.set_retrieved_examples(1);
  Add(&memory, "a", "please contact the other department", false);
  Add(&memory, "b", "the courier brings it tomorrow at noon", false);
  EXPECT_THAT(Traces(memory, "the courier comes tomorrow"), ElementsAre("b"));
  EXPECT_THAT(Traces(memory, "contact another department please"), ElementsAre("a"));
}

TEST(RetrieveExamples, PrefersThreeWrongCasesOfFive) {
  registry::v1::JudgeMemory memory;
  for (int i = 0; i < 6; ++i)
    Add(&memory, "agree" + std::to_string(i), "the courier comes tomorrow", false);
  for (int i = 0; i < 6; ++i)
    Add(&memory, "wrong" + std::to_string(i), "something else entirely", true);
  EXPECT_THAT(Traces(memory, "the courier comes tomorrow"),
              ElementsAre("agree0", "agree1", "wrong0", "wrong1", "wrong2"));
}

TEST(RetrieveExamples, FillsUpWithWhatThereIs) {
  registry::v1::JudgeMemory memory;
  for (int i = 0; i < 6; ++i) Add(&memory, "wrong" + std::to_string(i), "x", true);
  EXPECT_EQ(Traces(memory, "x").size(), 5u);
}

TEST(RetrieveExamples, NeverShowsTheJudgedTraceItself) {
  registry::v1::JudgeMemory memory;
  Add(&memory, "0af7651916cd43dd8448eb211c80319c", "x", true);
  EXPECT_THAT(Traces(memory, "x", "experiments/e/traces/0af7651916cd43dd8448eb211c80319c"),
              IsEmpty());
  EXPECT_THAT(Traces(memory, "x", "0af7651916cd43dd8448eb211c80319c"), IsEmpty());
  EXPECT_EQ(Traces(memory, "x", "other").size(), 1u);
}

TEST(RetrieveExamples, UsesStoredEmbeddings) {
  registry::v1::JudgeMemory memory;
  Add(&memory, "stored", "the courier comes tomorrow", false);
  memory.mutable_examples(0)->mutable_embedding()->Resize(512, 0.0f);
  const auto retrieved = RetrieveExamples(memory, "", "\"the courier comes tomorrow\"", "");
  ASSERT_EQ(retrieved.size(), 1u);
  EXPECT_EQ(retrieved[0].similarity, 0.0);
}

}  // namespace
}  // namespace assay::judge
