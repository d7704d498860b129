// Text as the lexical stand-in sees it: words, sentences, phrases.
#ifndef ASSAY_SERVICES_JUDGE_CORE_OFFLINE_LEXICAL_TEXT_H_
#define ASSAY_SERVICES_JUDGE_CORE_OFFLINE_LEXICAL_TEXT_H_

#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"

namespace assay::judge::offline {

// A value: thread-safe to read.
class LexicalText {
 public:
  explicit LexicalText(std::string_view raw);

  const std::string& raw() const { return raw_; }
  // Words in lower case with one space before, between and after them: " i've sent it ".
  const std::string& flat() const { return flat_; }
  const std::vector<std::string>& words() const { return words_; }
  const std::vector<std::string>& sentences() const { return sentences_; }  // As written.

  // A phrase is words in lower case; a `*` at its end stands for any ending of its last word
  // ("apolog*").
  bool Has(std::string_view phrase) const;
  // How many of `phrases` occur.
  int Count(absl::Span<const std::string_view> phrases) const;
  bool HasAny(absl::Span<const std::string_view> phrases) const { return Count(phrases) > 0; }
  bool HasAny(std::initializer_list<std::string_view> phrases) const {
    return HasAny(absl::MakeConstSpan(phrases.begin(), phrases.size()));
  }
  // Those that occur.
  std::vector<std::string> Found(absl::Span<const std::string_view> phrases) const;

  // Stems of the words that carry meaning: no function words, at least three letters, or with a
  // digit.
  std::set<std::string> ContentStems() const;

 private:
  std::string raw_;
  std::string flat_;
  std::vector<std::string> words_;
  std::vector<std::string> sentences_;
};

// A crude English stem. Thread-safe, as all here.
std::string Stem(std::string_view word);
bool IsFunctionWord(std::string_view word);

// The share of `of` that is in `in`; 0 if `of` is empty.
double Coverage(const std::set<std::string>& of, const std::set<std::string>& in);

}  // namespace assay::judge::offline

#endif  // ASSAY_SERVICES_JUDGE_CORE_OFFLINE_LEXICAL_TEXT_H_
