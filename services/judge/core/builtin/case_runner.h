// Replays a labelled case against a built-in judge. For tests.
//
// A case is one line of testdata/<judge>.jsonl, an object:
//   name          what it shows
//   options       members of BuiltinJudge, and `memory`, in proto JSON; the judge's name is the file's
//   inputs, outputs, expectations, trace, session
//                 the subject; traces in the short form of case_trace.h
//   answers       what the model answers, in the order in which it is asked: a text, or
//                 {"text", "truncated"}, or {"error": reason}
//   expect        what must come out; see ExpectOutcome in case_runner.cc
#ifndef ASSAY_SERVICES_JUDGE_CORE_BUILTIN_CASE_RUNNER_H_
#define ASSAY_SERVICES_JUDGE_CORE_BUILTIN_CASE_RUNNER_H_

#include <string>

#include "common/json/safe_json.h"

namespace assay::judge {

// "" if the case comes out as it says, else what is different, a line each.
std::string ReplayCase(const std::string& judge, const json::Node& labelled);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_BUILTIN_CASE_RUNNER_H_
