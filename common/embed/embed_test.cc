#include "common/embed/embed.h"

#include <cmath>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::embed {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::FloatEq;
using ::testing::IsEmpty;

TEST(EmbedTextTest, HasUnitLength) {
  const std::vector<float> embedding = EmbedText("Where is my order? Where?");
  ASSERT_EQ(embedding.size(), 512u);
  EXPECT_NEAR(CosineSimilarity(embedding, embedding), 1.0, 1e-6);
  double square = 0;
  for (const float x : embedding) square += static_cast<double>(x) * x;
  EXPECT_NEAR(square, 1.0, 1e-5);
}

TEST(EmbedTextTest, TextWithoutWordsIsZero) {
  EXPECT_THAT(EmbedText(""), Each(0.0F));
  EXPECT_THAT(EmbedText(" ?! ", 8), Each(0.0F));
  EXPECT_EQ(CosineSimilarity(EmbedText(""), EmbedText("a")), 0);
}

TEST(EmbedTextTest, FoldsCaseAndPunctuation) {
  EXPECT_EQ(EmbedText("Refund, please!"), EmbedText("refund please"));
  EXPECT_NE(EmbedText("refund please"), EmbedText("please refund"));
}

// Golden values: stored vectors must stay comparable with new ones.
TEST(EmbedTextTest, IsTheSameInEveryRun) {
  const std::vector<float> embedding = EmbedText("order 66", 4);
  EXPECT_EQ(embedding, EmbedText("order 66", 4));
  EXPECT_THAT(embedding, ElementsAre(0, FloatEq(-0.707106769F), 0, FloatEq(0.707106769F)));
}

TEST(EmbedTextTest, SimilarTextsAreNear) {
  const auto near = [](const char* a, const char* b) {
    return CosineSimilarity(EmbedText(a), EmbedText(b));
  };
  EXPECT_GT(near("How do I get a refund for my order?", "refund of an order"),
            near("How do I get a refund for my order?", "The weather is lovely in Spain"));
  EXPECT_GT(near("refunding", "refunds"), 0.2);
  EXPECT_GT(near("größe über", "größe unter"), near("größe über", "klein"));
}

TEST(CosineSimilarityTest, IsZeroForDifferentSizes) {
  EXPECT_EQ(CosineSimilarity({1.0F}, {1.0F, 0.0F}), 0);
  EXPECT_EQ(CosineSimilarity({1.0F, 0.0F}, {-2.0F, 0.0F}), -1);
}

TEST(NearestNeighborsTest, OrdersBySimilarityThenIndex) {
  const std::vector<std::vector<float>> rows = {{0, 1}, {1, 0}, {1, 1}, {2, 0}, {1, 0, 0}};
  const std::vector<float> query = {1, 0};
  const std::vector<Neighbor> nearest = NearestNeighbors(query, rows, 3);
  EXPECT_THAT(nearest, ElementsAre(Field(&Neighbor::index, 1), Field(&Neighbor::index, 3),
                                   Field(&Neighbor::index, 2)));
  EXPECT_EQ(NearestNeighbors(query, rows, 100).size(), 4u);
  EXPECT_THAT(NearestNeighbors(query, rows, 0), IsEmpty());
  EXPECT_THAT(NearestNeighbors(query, {}, 5), IsEmpty());
}

}  // namespace
}  // namespace assay::embed
