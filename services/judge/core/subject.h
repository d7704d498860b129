// What a judge looks at.
#ifndef ASSAY_SERVICES_JUDGE_CORE_SUBJECT_H_
#define ASSAY_SERVICES_JUDGE_CORE_SUBJECT_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "assay/trace/v1/trace.pb.h"

namespace assay::judge {

// JSON texts must be valid JSON already (json::JsonText).
struct Subject {
  std::optional<std::string> inputs;        // JSON text. Absent: the trace's.
  std::optional<std::string> outputs;       // JSON text. Absent: the trace's.
  std::optional<std::string> expectations;  // JSON text of an object.
  // For `{{ trace }}`, with its spans. Its assessments are never shown to the model. May be null.
  std::shared_ptr<const trace::v1::Trace> trace;
  // The trace's resource name where `trace` is not loaded but known: its labelled example is not
  // shown.
  std::string trace_name;
  // Names to JSON texts. When not empty, it replaces the context of a guidelines judge.
  std::map<std::string, std::string> context;
  std::optional<std::string> compared_outputs;  // JSON text. The second answer of a comparison.
  // The traces of a session, by their time, with their spans; for judges of conversations.
  std::vector<std::shared_ptr<const trace::v1::Trace>> session;
  std::string session_name;  // experiments/{experiment}/sessions/{session}, or "".
};

// What people expect of a trace as a whole, by name, as JSON texts: its expectations with a HUMAN
// source. Feedback is no part of it: a judge that is measured against people must not see what they
// said. Of two of one name the later one counts. Thread-safe, as all here.
std::map<std::string, std::string> HumanExpectations(const trace::v1::Trace& trace);

// The trace whose expectations are the subject's: its own, or the first one of its session. Null if
// there is none.
const trace::v1::Trace* ExpectationsTrace(const Subject& subject);

// Inputs and outputs that are not given become the trace's; expectations that are not given become
// HumanExpectations of ExpectationsTrace, if there are any; and so does the trace's name.
// INVALID_ARGUMENT if the trace's inputs or outputs are no JSON.
absl::Status FillFromTrace(Subject* subject);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_SUBJECT_H_
