#include "common/embed/embed.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

namespace assay::embed {
namespace {

// Bytes above 0x7F are parts of words: letters of other scripts.
bool IsWordByte(unsigned char c) {
  return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (IsWordByte(byte)) {
      word += byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : c;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

// FNV-1a over the kind of feature and its text, then a mix so that all bits depend on all bytes.
uint64_t Hash(char kind, std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325u;
  const auto add = [&](char c) { hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u; };
  add(kind);
  for (const char c : text) add(c);
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdu;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53u;
  return hash ^ (hash >> 33);
}

// Where each character of `word` begins, and its end.
std::vector<size_t> CharacterStarts(std::string_view word) {
  std::vector<size_t> starts;
  for (size_t i = 0; i < word.size(); ++i) {
    if ((static_cast<unsigned char>(word[i]) & 0xC0) != 0x80) starts.push_back(i);
  }
  starts.push_back(word.size());
  return starts;
}

std::vector<uint64_t> Features(std::string_view text) {
  const std::vector<std::string> words = Words(text);
  std::vector<uint64_t> features;
  for (size_t i = 0; i < words.size(); ++i) {
    features.push_back(Hash('w', words[i]));
    if (i + 1 < words.size()) features.push_back(Hash('b', words[i] + ' ' + words[i + 1]));
    const std::string padded = '^' + words[i] + '$';
    const std::vector<size_t> starts = CharacterStarts(padded);
    for (size_t c = 0; c + 3 < starts.size(); ++c) {
      features.push_back(
          Hash('c', std::string_view(padded).substr(starts[c], starts[c + 3] - starts[c])));
    }
  }
  std::sort(features.begin(), features.end());
  return features;
}

double Norm(absl::Span<const float> vector) {
  double sum = 0;
  for (const float x : vector) sum += static_cast<double>(x) * x;
  return std::sqrt(sum);
}

}  // namespace

std::vector<float> EmbedText(std::string_view text, int dim) {
  const auto size = static_cast<size_t>(std::max(dim, 1));
  std::vector<double> sums(size, 0.0);
  const std::vector<uint64_t> features = Features(text);
  for (size_t begin = 0; begin < features.size();) {
    size_t end = begin;
    while (end < features.size() && features[end] == features[begin]) ++end;
    // The square root, not the logarithm, damps repetition: it is exact on every platform.
    const double weight = std::sqrt(static_cast<double>(end - begin));
    const bool negative = (features[begin] >> 63) != 0;
    sums[features[begin] % size] += negative ? -weight : weight;
    begin = end;
  }
  double square = 0;
  for (const double x : sums) square += x * x;
  std::vector<float> embedding(size, 0.0F);
  if (square == 0) return embedding;
  const double norm = std::sqrt(square);
  for (size_t i = 0; i < size; ++i) embedding[i] = static_cast<float>(sums[i] / norm);
  return embedding;
}

double CosineSimilarity(absl::Span<const float> a, absl::Span<const float> b) {
  if (a.size() != b.size()) return 0;
  double dot = 0;
  for (size_t i = 0; i < a.size(); ++i) dot += static_cast<double>(a[i]) * b[i];
  const double norms = Norm(a) * Norm(b);
  return norms == 0 ? 0 : std::clamp(dot / norms, -1.0, 1.0);
}

std::vector<Neighbor> NearestNeighbors(absl::Span<const float> query,
                                       absl::Span<const std::vector<float>> rows, size_t k) {
  std::vector<Neighbor> neighbors;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].size() == query.size()) neighbors.push_back({i, CosineSimilarity(query, rows[i])});
  }
  const size_t count = std::min(k, neighbors.size());
  std::partial_sort(neighbors.begin(), neighbors.begin() + static_cast<std::ptrdiff_t>(count),
                    neighbors.end(), [](const Neighbor& a, const Neighbor& b) {
                      return a.similarity != b.similarity ? a.similarity > b.similarity
                                                          : a.index < b.index;
                    });
  neighbors.resize(count);
  return neighbors;
}

}  // namespace assay::embed
