#include "services/trace/core/search/judge_calls.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "common/filter/ast.h"
#include "common/names/judge_call_metadata.h"
#include "common/status/status_macros.h"
#include "services/trace/core/trace_fields.h"

namespace assay::trace {
namespace {

using filter::Expr;

bool AsksForJudgeCalls(const Expr& expr) {
  if (expr.kind == Expr::Kind::kCompare) {
    const std::vector<std::string>& field = expr.comparison.field;
    return field.size() == 2 && field[0] == "metadata" && field[1] == names::kJudgeCallMetadata;
  }
  return std::any_of(expr.children.begin(), expr.children.end(), AsksForJudgeCalls);
}

Expr NoJudgeCall() {
  Expr present;
  present.comparison.field = {"metadata", std::string(names::kJudgeCallMetadata)};
  present.comparison.op = filter::Op::kPresent;
  Expr none;
  none.kind = Expr::Kind::kNot;
  none.children.push_back(std::move(present));
  return none;
}

}  // namespace

absl::StatusOr<filter::Filter> ParseTraceFilter(std::string_view text) {
  ASSAY_ASSIGN_OR_RETURN(filter::Filter parsed, filter::ParseFilter(text, TraceFieldSchema()));
  if (parsed.empty()) return filter::Filter(NoJudgeCall());
  if (AsksForJudgeCalls(parsed.root())) return parsed;
  Expr root = parsed.root();
  if (root.kind == Expr::Kind::kAnd && !root.scope) {
    root.children.push_back(NoJudgeCall());
    return filter::Filter(std::move(root));
  }
  Expr both;
  both.kind = Expr::Kind::kAnd;
  both.children.push_back(std::move(root));
  both.children.push_back(NoJudgeCall());
  return filter::Filter(std::move(both));
}

}  // namespace assay::trace
