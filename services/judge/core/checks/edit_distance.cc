#include "services/judge/core/checks/edit_distance.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace assay::judge {

namespace {

constexpr size_t kBits = 64;

// One column of the table of distances between a pattern and the text so far, as the differences
// between neighbours: a bit of `plus` says that the distance grows from one row to the next, a bit
// of `minus` that it shrinks.
struct Block {
  uint64_t plus = ~uint64_t{0};
  uint64_t minus = 0;
};

// Advances a block by one character of the text. `carry` is the difference that comes in from the
// row above, `top` the bit whose outgoing difference is returned.
int Step(Block* block, uint64_t matches, int carry, uint64_t top) {
  const uint64_t negative = carry < 0 ? 1 : 0;
  const uint64_t positive = carry > 0 ? 1 : 0;
  const uint64_t vertical = matches | block->minus;
  const uint64_t equal = matches | negative;
  const uint64_t diagonal = (((equal & block->plus) + block->plus) ^ block->plus) | equal;
  uint64_t grows = block->minus | ~(diagonal | block->plus);
  uint64_t shrinks = block->plus & diagonal;
  const int out = (grows & top) != 0 ? 1 : (shrinks & top) != 0 ? -1 : 0;
  grows = (grows << 1) | positive;
  shrinks = (shrinks << 1) | negative;
  block->plus = shrinks | ~(vertical | grows);
  block->minus = grows & vertical;
  return out;
}

// The masks of where each character stands in the pattern, block by block.
std::unordered_map<char32_t, std::vector<uint64_t>> Places(std::u32string_view pattern,
                                                           size_t blocks) {
  std::unordered_map<char32_t, std::vector<uint64_t>> places;
  for (size_t i = 0; i < pattern.size(); ++i) {
    std::vector<uint64_t>& masks = places[pattern[i]];
    if (masks.empty()) masks.resize(blocks);
    masks[i / kBits] |= uint64_t{1} << (i % kBits);
  }
  return places;
}

size_t BitDistance(std::u32string_view pattern, std::u32string_view text) {
  const size_t count = (pattern.size() + kBits - 1) / kBits;
  const auto places = Places(pattern, count);
  const std::vector<uint64_t> nowhere(count);
  std::vector<Block> blocks(count);
  const uint64_t last = uint64_t{1} << ((pattern.size() - 1) % kBits);
  size_t distance = pattern.size();
  for (const char32_t c : text) {
    const auto found = places.find(c);
    const std::vector<uint64_t>& masks = found == places.end() ? nowhere : found->second;
    int carry = 1;  // The row above the first counts the characters of the text.
    for (size_t i = 0; i < count; ++i) {
      const uint64_t top = i + 1 == count ? last : uint64_t{1} << (kBits - 1);
      carry = Step(&blocks[i], masks[i], carry, top);
    }
    distance = carry > 0 ? distance + 1 : carry < 0 ? distance - 1 : distance;
  }
  return distance;
}

}  // namespace

size_t EditDistance(const std::u32string& a, const std::u32string& b) {
  std::u32string_view x(a);
  std::u32string_view y(b);
  while (!x.empty() && !y.empty() && x.front() == y.front()) {
    x.remove_prefix(1);
    y.remove_prefix(1);
  }
  while (!x.empty() && !y.empty() && x.back() == y.back()) {
    x.remove_suffix(1);
    y.remove_suffix(1);
  }
  if (x.empty() || y.empty()) return std::max(x.size(), y.size());
  return x.size() <= y.size() ? BitDistance(x, y) : BitDistance(y, x);
}

}  // namespace assay::judge
