#include "services/judge/core/checks/edit_distance.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace assay::judge {
namespace {

// The table of the textbook.
size_t TableDistance(const std::u32string& a, const std::u32string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

std::u32string RandomText(std::mt19937& random, size_t length, char32_t letters) {
  std::u32string text;
  for (size_t i = 0; i < length; ++i) text += U'a' + random() % letters;
  return text;
}

TEST(EditDistanceTest, IsThatOfTheTable) {
  std::mt19937 random(7);
  for (int round = 0; round < 600; ++round) {
    const char32_t letters = 2 + random() % 4;
    const std::u32string a = RandomText(random, random() % 300, letters);
    const std::u32string b = RandomText(random, random() % 300, letters);
    ASSERT_EQ(EditDistance(a, b), TableDistance(a, b)) << a.size() << " " << b.size();
    ASSERT_EQ(EditDistance(a, b), EditDistance(b, a));
  }
}

TEST(EditDistanceTest, IsThatOfTheTableAroundBlocks) {
  std::mt19937 random(11);
  for (const size_t length : {1, 63, 64, 65, 127, 128, 129, 192}) {
    for (int edits = 0; edits < 30; ++edits) {
      const std::u32string a = RandomText(random, length, 3);
      std::u32string b = a;
      for (int i = 0; i < edits && !b.empty(); ++i) {
        const size_t at = random() % b.size();
        if (i % 3 == 0) b[at] = U'z';
        if (i % 3 == 1) b.erase(at, 1);
        if (i % 3 == 2) b.insert(at, 1, U'y');
      }
      ASSERT_EQ(EditDistance(a, b), TableDistance(a, b)) << length << " " << edits;
    }
  }
}

TEST(EditDistanceTest, NeedsNoEditsForEqualTexts) {
  EXPECT_EQ(EditDistance(U"", U""), 0u);
  EXPECT_EQ(EditDistance(U"", U"abc"), 3u);
  EXPECT_EQ(EditDistance(std::u32string(1'000, U'x'), std::u32string(1'000, U'x')), 0u);
}

}  // namespace
}  // namespace assay::judge
