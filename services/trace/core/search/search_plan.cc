#include "services/trace/core/search/search_plan.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "common/names/resource_name.h"
#include "common/strings/strings.h"

namespace assay::trace {
namespace {

using filter::Comparison;
using filter::Expr;
using filter::Literal;
using filter::Op;

constexpr size_t kMaxCandidates = 8;

// What is indexed for the traces that a filter asks for.
struct Indexed {
  const IndexedAttributes& attributes;
  const IndexedSince* since = nullptr;
  uint64_t created_ms = 0;  // Matches were bound then or later.

  bool Serves(const std::string& key) const {
    if (!attributes.Contains(key)) return false;
    if (since == nullptr) return true;
    const auto found = since->find(key);
    return found == since->end() || found->second <= created_ms;
  }
};

bool IsText(const Literal& literal) {
  return literal.kind == Literal::Kind::kString || literal.kind == Literal::Kind::kWord;
}

// The term of an attribute that equals the literal; nullopt if the index would miss some.
std::optional<std::string> TermOfLiteral(const Literal& literal) {
  constexpr double kExact = 9007199254740992;  // Beyond 2^53 numbers have several spellings.
  switch (literal.kind) {
    case Literal::Kind::kString:
    case Literal::Kind::kWord:
      if (literal.text.empty()) return std::nullopt;
      return literal.text;
    case Literal::Kind::kBool:
      return literal.boolean ? "true" : "false";
    case Literal::Kind::kNumber:
      if (std::abs(literal.number) >= kExact) return std::nullopt;
      return TermOfNumber(literal.number);
    default:
      return std::nullopt;
  }
}

// The evaluation's id, whether the filter says that or its resource name.
std::string EvaluationId(const std::string& text) {
  const auto name = names::EvaluationName::Parse(text, "evaluation");
  return name.ok() ? name->evaluation : text;
}

struct Term {
  IndexTerm term;
  bool overflows = true;
};

std::optional<Term> TermOf(const Comparison& comparison, const Indexed& indexed) {
  const std::vector<std::string>& field = comparison.field;
  const Literal& literal = comparison.literal;
  if (comparison.op != Op::kEquals) return std::nullopt;
  const std::string name = StrCat(field[0], field.size() > 1 ? "." : "", filter::MapKey(field, 1));
  if (field[0] == "tags" && IsText(literal)) return Term{{name, literal.text}, false};
  const bool of_root = field[0] == "attributes";
  if (of_root || (field.size() > 2 && field[0] == "span" && field[1] == "attributes")) {
    const std::string key = filter::MapKey(field, of_root ? 1 : 2);
    if (!indexed.Serves(key)) return std::nullopt;
    std::optional<std::string> value = TermOfLiteral(literal);
    if (!value.has_value()) return std::nullopt;
    return Term{{StrCat(kTermAttributes, key), *std::move(value)}};
  }
  if (!IsText(literal) || literal.text.empty()) return std::nullopt;
  if (name == kTermEvaluation) return Term{{name, EvaluationId(literal.text)}, false};
  if (name == "span.model") return Term{{std::string(kTermModel), literal.text}};
  if (name == "span.provider") return Term{{std::string(kTermProvider), literal.text}};
  if (name == kTermSpanStatus && literal.text != kStatusError) return std::nullopt;
  for (const std::string_view indexed :
       {kTermSession, kTermUser, kTermRootSpanName, kTermSpanName, kTermSpanType, kTermModel,
        kTermProvider, kTermSpanStatus}) {
    if (name == indexed) return Term{{name, literal.text}};
  }
  return std::nullopt;
}

std::optional<Candidate> CandidateOf(const Comparison& comparison, const Indexed& indexed) {
  const std::vector<std::string>& field = comparison.field;
  if (field[0] == "trace_id" && comparison.op == Op::kEquals) {
    TraceIdCandidate ids;
    if (auto id = TraceId::FromHex(comparison.literal.text)) ids.traces.push_back(*id);
    return Candidate{"trace_id", std::move(ids)};
  }
  if (field.size() >= 2 && (field[0] == "feedback" || field[0] == "expectation")) {
    return Candidate{StrCat(field[0], ".", field[1]),
                     AssessmentCandidate{{"", field[0] == "expectation", field[1]}}};
  }
  std::optional<Term> term = TermOf(comparison, indexed);
  if (!term.has_value()) return std::nullopt;
  Candidate candidate{filter::FieldText(field), {}};
  TermCandidate terms;
  if (term->overflows) terms.terms.push_back({term->term.field, std::string(kOverflowValue)});
  terms.terms.push_back(std::move(term->term));
  candidate.source = std::move(terms);
  return candidate;
}

std::optional<Candidate> AnyOf(const std::vector<Expr>& children, const Indexed& indexed);

// Every candidate of what must hold.
void Collect(const Expr& expr, const Indexed& indexed, std::vector<Candidate>* candidates) {
  std::optional<Candidate> candidate;
  switch (expr.kind) {
    case Expr::Kind::kNot:
      return;
    case Expr::Kind::kAnd:
      for (const Expr& child : expr.children) Collect(child, indexed, candidates);
      return;
    case Expr::Kind::kOr:
      candidate = AnyOf(expr.children, indexed);
      break;
    case Expr::Kind::kCompare:
      candidate = CandidateOf(expr.comparison, indexed);
      break;
  }
  if (!candidate.has_value() || candidates->size() >= kMaxCandidates) return;
  const bool known =
      std::holds_alternative<AssessmentCandidate>(candidate->source) &&
      std::any_of(candidates->begin(), candidates->end(),
                  [&](const Candidate& other) { return other.name == candidate->name; });
  if (!known) candidates->push_back(*std::move(candidate));
}

// Adds to `all` what `more` finds as well; false if they are of different kinds.
bool Unite(Candidate more, Candidate* all) {
  if (auto* ids = std::get_if<TraceIdCandidate>(&all->source)) {
    auto* others = std::get_if<TraceIdCandidate>(&more.source);
    if (others == nullptr) return false;
    ids->traces.insert(ids->traces.end(), others->traces.begin(), others->traces.end());
    return true;
  }
  auto* terms = std::get_if<TermCandidate>(&all->source);
  auto* others = std::get_if<TermCandidate>(&more.source);
  if (terms == nullptr || others == nullptr) return false;
  for (IndexTerm& term : others->terms) {
    if (std::find(terms->terms.begin(), terms->terms.end(), term) == terms->terms.end()) {
      terms->terms.push_back(std::move(term));
    }
  }
  if (StrCat(", ", all->name, ",").find(StrCat(", ", more.name, ",")) == std::string::npos) {
    StrAppend(&all->name, ", ", more.name);
  }
  return true;
}

// One candidate for a disjunction: its alternatives together.
std::optional<Candidate> AnyOf(const std::vector<Expr>& children, const Indexed& indexed) {
  std::optional<Candidate> all;
  for (const Expr& child : children) {
    std::vector<Candidate> of_child;
    Collect(child, indexed, &of_child);
    if (of_child.empty()) return std::nullopt;
    if (!all.has_value()) {
      all = std::move(of_child[0]);
    } else if (!Unite(std::move(of_child[0]), &*all)) {
      return std::nullopt;
    }
  }
  return all;
}

void Narrow(const Comparison& comparison, StartRange* starts) {
  if (comparison.field[0] != "start_time" || !comparison.literal.time.has_value()) return;
  // Saturates: times before 1970 and after 2262 are compared later, by the filter.
  const int64_t nanos = absl::ToUnixNanos(*comparison.literal.time);
  const bool late = nanos == std::numeric_limits<int64_t>::max();
  const auto at = static_cast<uint64_t>(std::max<int64_t>(nanos, 0));
  const bool lower = comparison.op == Op::kGreater || comparison.op == Op::kGreaterEquals ||
                     comparison.op == Op::kEquals;
  const bool upper = comparison.op == Op::kLess || comparison.op == Op::kLessEquals ||
                     comparison.op == Op::kEquals;
  if (lower) starts->first = std::max(starts->first, at);
  if (upper && !late) starts->last = std::min(starts->last, at);
}

void NarrowAll(const Expr& expr, StartRange* starts) {
  if (expr.kind == Expr::Kind::kCompare) Narrow(expr.comparison, starts);
  if (expr.kind != Expr::Kind::kAnd) return;
  for (const Expr& child : expr.children) NarrowAll(child, starts);
}

// When every match was created, or later.
uint64_t CreatedMs(const Expr& expr) {
  uint64_t created_ms = 0;
  if (expr.kind == Expr::Kind::kAnd) {
    for (const Expr& child : expr.children) created_ms = std::max(created_ms, CreatedMs(child));
  }
  if (expr.kind != Expr::Kind::kCompare) return created_ms;
  const Comparison& comparison = expr.comparison;
  const bool lower = comparison.op == Op::kGreater || comparison.op == Op::kGreaterEquals ||
                     comparison.op == Op::kEquals;
  if (comparison.field[0] != "create_time" || !lower || !comparison.literal.time.has_value()) {
    return 0;
  }
  return static_cast<uint64_t>(std::max<int64_t>(absl::ToUnixMillis(*comparison.literal.time), 0));
}

// How narrow a candidate is when nothing else tells them apart.
int RankOf(const Candidate& candidate) {
  if (std::holds_alternative<TraceIdCandidate>(candidate.source)) return 0;
  if (std::holds_alternative<AssessmentCandidate>(candidate.source)) return 5;
  if (candidate.name == kTermSession) return 1;
  if (candidate.name == kTermUser || candidate.name == kTermEvaluation) return 2;
  if (candidate.name.starts_with(kTermTags) || candidate.name.find(kTermAttributes) == 0) return 3;
  return 4;
}

bool AsksFor(const Expr& expr, std::string_view segment) {
  if (expr.kind == Expr::Kind::kCompare) return expr.comparison.field[0] == segment;
  return std::any_of(expr.children.begin(), expr.children.end(),
                     [&](const Expr& child) { return AsksFor(child, segment); });
}

}  // namespace

SearchPlan PlanSearch(const filter::Filter& filter, const IndexedAttributes& attributes,
                      const IndexedSince* since) {
  SearchPlan plan;
  if (filter.empty()) return plan;
  NarrowAll(filter.root(), &plan.starts);
  const Indexed indexed{attributes, since, CreatedMs(filter.root())};
  Collect(filter.root(), indexed, &plan.candidates);
  std::stable_sort(plan.candidates.begin(), plan.candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return RankOf(a) < RankOf(b); });
  return plan;
}

bool AsksFor(const filter::Filter& filter, std::string_view segment) {
  return !filter.empty() && AsksFor(filter.root(), segment);
}

}  // namespace assay::trace
