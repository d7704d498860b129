// A local embedding of text by hashed n-grams: no model, no network. Texts that share words and
// word parts come out near each other, which is enough to find similar examples.
#ifndef ASSAY_COMMON_EMBED_EMBED_H_
#define ASSAY_COMMON_EMBED_EMBED_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "absl/types/span.h"

namespace assay::embed {

inline constexpr int kDefaultDimensions = 512;
// Names this embedding where vectors are stored; another version's vectors cannot be compared with
// its.
inline constexpr std::string_view kEmbeddingVersion = "assay-hashed-ngrams-v1";

// Words and pairs of words (ASCII case folded), and character trigrams of words, hashed with a sign
// into `dim` buckets (at least 1), each weighted by the square root of its count, scaled to
// length 1. Text without any word gives the zero vector. The same on every platform and in every
// run. Thread-safe, as all here.
std::vector<float> EmbedText(std::string_view text, int dim = kDefaultDimensions);

// Cosine of the angle, in [-1, 1]; 0 if a vector is zero or the sizes differ.
double CosineSimilarity(absl::Span<const float> a, absl::Span<const float> b);

struct Neighbor {
  size_t index = 0;
  double similarity = 0;
  bool operator==(const Neighbor&) const = default;
};

// The `k` rows most similar to `query` by cosine, best first, ties by lower index; exact. Rows of
// another size than the query's are left out.
std::vector<Neighbor> NearestNeighbors(absl::Span<const float> query,
                                       absl::Span<const std::vector<float>> rows, size_t k);

}  // namespace assay::embed

#endif  // ASSAY_COMMON_EMBED_EMBED_H_
