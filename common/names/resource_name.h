// Resource names: building and strict parsing.
//
// Each type has ToString() and Parse(name, field). Parse refuses all but the exact pattern:
// INVALID_ARGUMENT, reason INVALID_NAME, naming `field` (the request's field that held the name)
// and the pattern. All functions are thread-safe.
#ifndef ASSAY_COMMON_NAMES_RESOURCE_NAME_H_
#define ASSAY_COMMON_NAMES_RESOURCE_NAME_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace assay::names {

inline constexpr std::string_view kSlugPattern = "[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?";

// Whether `text` is an id that users may choose.
bool IsSlug(std::string_view text);
// OK, or INVALID_ARGUMENT (reason INVALID_ID) that names `field` and the pattern.
absl::Status CheckSlug(std::string_view text, std::string_view field);

// OpenTelemetry's ids: lower-case hex digits, not all zero.
bool IsTraceId(std::string_view text);  // 32
bool IsSpanId(std::string_view text);   // 16

// experiments/{experiment}
struct ExperimentName {
  std::string experiment;
  std::string ToString() const;
  static absl::StatusOr<ExperimentName> Parse(std::string_view name,
                                              std::string_view field = "name");
  auto operator<=>(const ExperimentName&) const = default;
};

// experiments/{experiment}/judges/{judge}
struct JudgeName {
  std::string experiment;
  std::string judge;
  std::string ToString() const;
  static absl::StatusOr<JudgeName> Parse(std::string_view name, std::string_view field = "name");
  auto operator<=>(const JudgeName&) const = default;
};

// experiments/{experiment}/judges/{judge}/revisions/{revision}; revisions count from 1.
struct JudgeRevisionName {
  std::string experiment;
  std::string judge;
  int64_t revision = 0;
  std::string ToString() const;
  JudgeName Judge() const { return {experiment, judge}; }
  static absl::StatusOr<JudgeRevisionName> Parse(std::string_view name,
                                                 std::string_view field = "name");
  auto operator<=>(const JudgeRevisionName&) const = default;
};

// A judge as callers may name it:
//   experiments/{experiment}/judges/{judge}                       the latest revision
//   experiments/{experiment}/judges/{judge}@{alias or revision}   @production, @latest, @3
//   experiments/{experiment}/judges/{judge}/revisions/{revision}
struct JudgeRef {
  std::string experiment;
  std::string judge;
  std::optional<int64_t> revision;  // Set: exactly this one.
  std::string alias =
      "latest";  // Else: this alias; "latest" is the newest revision. "" if revision is set.
  std::string ToString() const;  // …/revisions/{revision}, or …@{alias}.
  JudgeName Judge() const { return {experiment, judge}; }
  bool IsLatest() const { return !revision.has_value() && alias == "latest"; }
  static absl::StatusOr<JudgeRef> Parse(std::string_view name, std::string_view field = "judge");
  auto operator<=>(const JudgeRef&) const = default;
};

// OK for a slug that is not all digits and not "latest"; else INVALID_ARGUMENT (reason INVALID_ID).
absl::Status CheckAlias(std::string_view alias, std::string_view field);

// experiments/{experiment}/traces/{trace}
struct TraceName {
  std::string experiment;
  std::string trace;
  std::string ToString() const;
  static absl::StatusOr<TraceName> Parse(std::string_view name, std::string_view field = "name");
  auto operator<=>(const TraceName&) const = default;
};

// experiments/{experiment}/traces/{trace}/spans/{span}
struct SpanName {
  std::string experiment;
  std::string trace;
  std::string span;
  std::string ToString() const;
  TraceName Trace() const { return {experiment, trace}; }
  static absl::StatusOr<SpanName> Parse(std::string_view name, std::string_view field = "name");
  auto operator<=>(const SpanName&) const = default;
};

// experiments/{experiment}/sessions/{session}; the session id is any text of 1 to 250 characters,
// percent-escaped in the name.
struct SessionName {
  std::string experiment;
  std::string session;  // Not escaped.
  std::string ToString() const;
  static absl::StatusOr<SessionName> Parse(std::string_view name, std::string_view field = "name");
  auto operator<=>(const SessionName&) const = default;
};

// experiments/{experiment}/<collection>/{id}, for the collections that have nothing special about
// them.
#define ASSAY_CHILD_NAME_(Type, member)                                                        \
  struct Type {                                                                                \
    std::string experiment;                                                                    \
    std::string member;                                                                        \
    std::string ToString() const;                                                              \
    static absl::StatusOr<Type> Parse(std::string_view name, std::string_view field = "name"); \
    auto operator<=>(const Type&) const = default;                                             \
  }
ASSAY_CHILD_NAME_(AssessmentName, assessment);     // …/assessments/{assessment}
ASSAY_CHILD_NAME_(EvaluationName, evaluation);     // …/evaluations/{evaluation}
ASSAY_CHILD_NAME_(AlignmentName, alignment);       // …/alignments/{alignment}
ASSAY_CHILD_NAME_(DatasetName, dataset);           // …/datasets/{dataset}
ASSAY_CHILD_NAME_(MonitorName, monitor);           // …/monitors/{monitor}
ASSAY_CHILD_NAME_(ReviewQueueName, queue);         // …/reviewQueues/{queue}
ASSAY_CHILD_NAME_(LabelSchemaName, label_schema);  // …/labelSchemas/{schema}
#undef ASSAY_CHILD_NAME_

// Everything but letters, digits and -._~ as %XX with upper-case digits; and back. Unescaping gives
// nullopt for a broken escape.
std::string PercentEscape(std::string_view text);
std::optional<std::string> PercentUnescape(std::string_view text);

}  // namespace assay::names

#endif  // ASSAY_COMMON_NAMES_RESOURCE_NAME_H_
