// A part of a text that is too long to be made as a whole.
#ifndef ASSAY_SERVICES_JUDGE_CORE_AGENT_TEXT_WINDOW_H_
#define ASSAY_SERVICES_JUDGE_CORE_AGENT_TEXT_WINDOW_H_

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace assay::judge {

// Takes a text piece by piece and keeps only the bytes from `begin` to `begin + size`. Not
// thread-safe.
class TextWindow {
 public:
  TextWindow(size_t begin, size_t size) : begin_(begin), end_(begin + size) {}

  void Append(std::string_view piece) {
    const size_t from = std::max(begin_, total_);
    const size_t to = std::min(end_, total_ + piece.size());
    if (from < to) kept_.append(piece.substr(from - total_, to - from));
    total_ += piece.size();
  }

  size_t total() const { return total_; }  // Bytes of the whole text so far.
  const std::string& kept() const { return kept_; }

 private:
  const size_t begin_;
  const size_t end_;
  size_t total_ = 0;
  std::string kept_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_AGENT_TEXT_WINDOW_H_
