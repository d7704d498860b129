#include "services/judge/core/offline/lexical_text.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"

namespace assay::judge::offline {

namespace {

constexpr size_t kMaxBytes = 200'000;

// The typographic apostrophe as the plain one.
std::string PlainApostrophes(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 3) == "\xE2\x80\x99") {
      plain += '\'';
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

bool IsWordChar(char c) {
  const auto u = static_cast<unsigned char>(c);
  return absl::ascii_isalnum(u) || c == '\'' || u >= 0x80;
}

std::vector<std::string> SplitSentences(std::string_view text) {
  std::vector<std::string> sentences;
  std::string current;
  for (size_t i = 0; i < text.size(); ++i) {
    current += text[i];
    const bool end = text[i] == '.' || text[i] == '!' || text[i] == '?' || text[i] == '\n';
    const bool at_gap =
        i + 1 == text.size() || absl::ascii_isspace(static_cast<unsigned char>(text[i + 1]));
    if (!end || !at_gap) continue;
    absl::StripAsciiWhitespace(&current);
    if (current.size() > 2) sentences.push_back(std::move(current));
    current.clear();
  }
  absl::StripAsciiWhitespace(&current);
  if (!current.empty()) sentences.push_back(std::move(current));
  return sentences;
}

constexpr std::string_view kFunctionWords[] = {
    "a",     "about", "after", "all",     "also",   "am",     "an",      "and",   "any",
    "are",   "as",    "at",    "be",      "been",   "before", "but",     "by",    "can",
    "could", "did",   "do",    "does",    "don't",  "for",    "from",    "get",   "got",
    "had",   "has",   "have",  "he",      "her",    "here",   "him",     "his",   "how",
    "i",     "i'd",   "i'll",  "i'm",     "i've",   "if",     "in",      "into",  "is",
    "it",    "it's",  "its",   "just",    "like",   "may",    "me",      "might", "more",
    "my",    "no",    "not",   "of",      "off",    "on",     "once",    "one",   "only",
    "or",    "our",   "out",   "over",    "please", "she",    "should",  "so",    "some",
    "still", "such",  "than",  "thank",   "thanks", "that",   "that's",  "the",   "their",
    "them",  "then",  "there", "these",   "they",   "this",   "those",   "to",    "too",
    "up",    "us",    "very",  "was",     "we",     "we'll",  "we're",   "we've", "were",
    "what",  "when",  "where", "which",   "while",  "who",    "why",     "will",  "with",
    "would", "yes",   "you",   "you'd",   "you'll", "you're", "you've",  "your",  "yours",
    "want",  "need",  "make",  "because", "until",  "does",   "doesn't", "can't", "isn't",
    "won't", "much",  "many",  "same",    "other",  "every"};

}  // namespace

LexicalText::LexicalText(std::string_view raw) : raw_(PlainApostrophes(raw.substr(0, kMaxBytes))) {
  flat_ = " ";
  for (const char c : raw_) {
    if (IsWordChar(c)) {
      flat_ += absl::ascii_tolower(static_cast<unsigned char>(c));
    } else if (flat_.back() != ' ') {
      flat_ += ' ';
    }
  }
  if (flat_.back() != ' ') flat_ += ' ';
  size_t begin = 1;
  while (begin < flat_.size()) {
    const size_t end = flat_.find(' ', begin);
    words_.push_back(flat_.substr(begin, end - begin));
    begin = end + 1;
  }
  sentences_ = SplitSentences(raw_);
}

bool LexicalText::Has(std::string_view phrase) const {
  std::string wanted(1, ' ');
  if (phrase.ends_with('*')) {
    wanted += phrase.substr(0, phrase.size() - 1);
  } else {
    wanted += phrase;
    wanted += ' ';
  }
  return flat_.find(wanted) != std::string::npos;
}

int LexicalText::Count(absl::Span<const std::string_view> phrases) const {
  return static_cast<int>(std::count_if(phrases.begin(), phrases.end(),
                                        [this](std::string_view phrase) { return Has(phrase); }));
}

std::vector<std::string> LexicalText::Found(absl::Span<const std::string_view> phrases) const {
  std::vector<std::string> found;
  for (const std::string_view phrase : phrases) {
    if (Has(phrase)) found.emplace_back(phrase.substr(0, phrase.find('*')));
  }
  return found;
}

std::set<std::string> LexicalText::ContentStems() const {
  std::set<std::string> stems;
  for (const std::string& word : words_) {
    const bool digit = std::any_of(word.begin(), word.end(),
                                   [](unsigned char c) { return absl::ascii_isdigit(c); });
    if (!digit && (word.size() < 3 || IsFunctionWord(word))) continue;
    stems.insert(Stem(word));
  }
  return stems;
}

std::string Stem(std::string_view word) {
  if (word.ends_with("'s")) word.remove_suffix(2);
  for (const std::string_view suffix : {"ations", "ation", "ings", "ing", "edly", "ied", "ies",
                                        "ed", "es", "ly", "al", "s", "e", "y"}) {
    if (word.ends_with(suffix) && word.size() >= suffix.size() + 3) {
      word.remove_suffix(suffix.size());
      break;
    }
  }
  // running, planned: one letter too many is left.
  const size_t n = word.size();
  if (n > 3 && word[n - 1] == word[n - 2] &&
      std::string_view("bdglmnprt").find(word[n - 1]) != std::string_view::npos) {
    word.remove_suffix(1);
  }
  return std::string(word);
}

bool IsFunctionWord(std::string_view word) {
  return std::find(std::begin(kFunctionWords), std::end(kFunctionWords), word) !=
         std::end(kFunctionWords);
}

double Coverage(const std::set<std::string>& of, const std::set<std::string>& in) {
  if (of.empty()) return 0;
  const auto shared =
      std::count_if(of.begin(), of.end(), [&](const auto& stem) { return in.contains(stem); });
  return static_cast<double>(shared) / static_cast<double>(of.size());
}

}  // namespace assay::judge::offline
