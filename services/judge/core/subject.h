// What a judge looks at.
#ifndef ASSAY_SERVICES_JUDGE_CORE_SUBJECT_H_
#define ASSAY_SERVICES_JUDGE_CORE_SUBJECT_H_

#include <map>
#include <memory>
#include <optional>
#include <string>

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
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_SUBJECT_H_
