#include "common/names/resource_name.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/json/json_reader.h"
#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::names {
namespace {

constexpr size_t kMaxSlugLength = 63;
constexpr size_t kMaxSessionChars = 250;
constexpr size_t kShownChars = 120;

bool IsSlugEnd(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool IsLowerHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool IsHexId(std::string_view text, size_t length) {
  return text.size() == length && std::all_of(text.begin(), text.end(), IsLowerHex) &&
         text.find_first_not_of('0') != text.npos;
}

// Revisions are written as decimals without sign or leading zeros.
std::optional<int64_t> ParseRevision(std::string_view text) {
  int64_t revision = 0;
  if (text.empty() || text.front() < '1' || text.front() > '9' ||
      text.find_first_not_of("0123456789") != text.npos ||
      !absl::SimpleAtoi(ToAbsl(text), &revision)) {
    return std::nullopt;
  }
  return revision;
}

absl::Status Refuse(std::string_view name, std::string_view field, std::string_view pattern) {
  if (name.empty()) {
    return InvalidField(field, StrCat("is required; it looks like ", pattern), "INVALID_NAME");
  }
  return InvalidField(field,
                      StrCat(json::JsonString(json::PreviewOf(name, kShownChars)),
                             " does not look like ", pattern, "; ids match ", kSlugPattern),
                      "INVALID_NAME");
}

// The values of the `{…}` parts of `pattern` ("experiments/{experiment}/traces/{trace}") in `name`;
// nullopt if the fixed parts differ.
std::optional<std::vector<std::string>> Split(std::string_view name, std::string_view pattern) {
  const std::vector<std::string> parts = absl::StrSplit(ToAbsl(name), '/');
  const std::vector<std::string> wanted = absl::StrSplit(ToAbsl(pattern), '/');
  if (parts.size() != wanted.size()) return std::nullopt;
  std::vector<std::string> values;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (wanted[i].front() == '{') {
      values.push_back(parts[i]);
    } else if (parts[i] != wanted[i]) {
      return std::nullopt;
    }
  }
  return values;
}

// Split, where all values are slugs.
std::optional<std::vector<std::string>> SplitSlugs(std::string_view name,
                                                   std::string_view pattern) {
  std::optional<std::vector<std::string>> values = Split(name, pattern);
  if (values && !std::all_of(values->begin(), values->end(),
                             [](const std::string& value) { return IsSlug(value); })) {
    return std::nullopt;
  }
  return values;
}

constexpr std::string_view kExperiment = "experiments/{experiment}";
constexpr std::string_view kJudge = "experiments/{experiment}/judges/{judge}";
constexpr std::string_view kJudgeRevision =
    "experiments/{experiment}/judges/{judge}/revisions/{revision}";
constexpr std::string_view kJudgeRef =
    "experiments/{experiment}/judges/{judge}, with @{alias or revision} or /revisions/{revision} "
    "after it or nothing";
constexpr std::string_view kTrace = "experiments/{experiment}/traces/{trace}";
constexpr std::string_view kTraceShown =
    "experiments/{experiment}/traces/{trace: 32 lower-case hex digits}";
constexpr std::string_view kSpan = "experiments/{experiment}/traces/{trace}/spans/{span}";
constexpr std::string_view kSpanShown =
    "experiments/{experiment}/traces/{trace: 32 lower-case hex digits}/spans/{span: 16}";
constexpr std::string_view kSession = "experiments/{experiment}/sessions/{session}";
constexpr std::string_view kSessionShown =
    "experiments/{experiment}/sessions/{session: 1 to 250 characters, percent-escaped}";

}  // namespace

bool IsSlug(std::string_view text) {
  return !text.empty() && text.size() <= kMaxSlugLength && IsSlugEnd(text.front()) &&
         IsSlugEnd(text.back()) && std::all_of(text.begin(), text.end(), [](char c) {
           return IsSlugEnd(c) || c == '_' || c == '-';
         });
}

absl::Status CheckSlug(std::string_view text, std::string_view field) {
  if (IsSlug(text)) return absl::OkStatus();
  return InvalidField(field,
                      text.empty() ? StrCat("is required; it matches ", kSlugPattern)
                                   : StrCat(json::JsonString(json::PreviewOf(text, kShownChars)),
                                            " does not match ", kSlugPattern),
                      "INVALID_ID");
}

absl::Status CheckAlias(std::string_view alias, std::string_view field) {
  ASSAY_RETURN_IF_ERROR(CheckSlug(alias, field));
  if (alias == "latest") {
    return InvalidField(field, "\"latest\" always means the newest revision; choose another name",
                        "INVALID_ID");
  }
  if (alias.find_first_not_of("0123456789") == alias.npos) {
    return InvalidField(field, "must not be a number: numbers mean revisions", "INVALID_ID");
  }
  return absl::OkStatus();
}

bool IsTraceId(std::string_view text) { return IsHexId(text, 32); }
bool IsSpanId(std::string_view text) { return IsHexId(text, 16); }

std::string ExperimentName::ToString() const { return StrCat("experiments/", experiment); }

absl::StatusOr<ExperimentName> ExperimentName::Parse(std::string_view name,
                                                     std::string_view field) {
  const auto values = SplitSlugs(name, kExperiment);
  if (!values) return Refuse(name, field, kExperiment);
  return ExperimentName{(*values)[0]};
}

std::string JudgeName::ToString() const {
  return StrCat("experiments/", experiment, "/judges/", judge);
}

absl::StatusOr<JudgeName> JudgeName::Parse(std::string_view name, std::string_view field) {
  const auto values = SplitSlugs(name, kJudge);
  if (!values) return Refuse(name, field, kJudge);
  return JudgeName{(*values)[0], (*values)[1]};
}

std::string JudgeRevisionName::ToString() const {
  return StrCat(Judge().ToString(), "/revisions/", revision);
}

absl::StatusOr<JudgeRevisionName> JudgeRevisionName::Parse(std::string_view name,
                                                           std::string_view field) {
  const auto values = Split(name, kJudgeRevision);
  if (!values || !IsSlug((*values)[0]) || !IsSlug((*values)[1])) {
    return Refuse(name, field, kJudgeRevision);
  }
  const std::optional<int64_t> revision = ParseRevision((*values)[2]);
  if (!revision) return Refuse(name, field, kJudgeRevision);
  return JudgeRevisionName{(*values)[0], (*values)[1], *revision};
}

std::string JudgeRef::ToString() const {
  if (revision) return JudgeRevisionName{experiment, judge, *revision}.ToString();
  return StrCat(Judge().ToString(), "@", alias);
}

absl::StatusOr<JudgeRef> JudgeRef::Parse(std::string_view name, std::string_view field) {
  if (const auto exact = JudgeRevisionName::Parse(name, field); exact.ok()) {
    return JudgeRef{exact->experiment, exact->judge, exact->revision, ""};
  }
  const size_t at = name.find('@');
  const auto judge = JudgeName::Parse(name.substr(0, at), field);
  if (!judge.ok()) return Refuse(name, field, kJudgeRef);
  if (at == name.npos) return JudgeRef{judge->experiment, judge->judge};
  const std::string_view version = name.substr(at + 1);
  if (const std::optional<int64_t> revision = ParseRevision(version)) {
    return JudgeRef{judge->experiment, judge->judge, revision, ""};
  }
  if (version != "latest" && !CheckAlias(version, field).ok()) {
    return Refuse(name, field, kJudgeRef);
  }
  return JudgeRef{judge->experiment, judge->judge, std::nullopt, std::string(version)};
}

std::string TraceName::ToString() const {
  return StrCat("experiments/", experiment, "/traces/", trace);
}

absl::StatusOr<TraceName> TraceName::Parse(std::string_view name, std::string_view field) {
  const auto values = Split(name, kTrace);
  if (!values || !IsSlug((*values)[0]) || !IsTraceId((*values)[1])) {
    return Refuse(name, field, kTraceShown);
  }
  return TraceName{(*values)[0], (*values)[1]};
}

std::string SpanName::ToString() const { return StrCat(Trace().ToString(), "/spans/", span); }

absl::StatusOr<SpanName> SpanName::Parse(std::string_view name, std::string_view field) {
  const auto values = Split(name, kSpan);
  if (!values || !IsSlug((*values)[0]) || !IsTraceId((*values)[1]) || !IsSpanId((*values)[2])) {
    return Refuse(name, field, kSpanShown);
  }
  return SpanName{(*values)[0], (*values)[1], (*values)[2]};
}

std::string SessionName::ToString() const {
  return StrCat("experiments/", experiment, "/sessions/", PercentEscape(session));
}

absl::StatusOr<SessionName> SessionName::Parse(std::string_view name, std::string_view field) {
  const auto values = Split(name, kSession);
  if (!values || !IsSlug((*values)[0])) return Refuse(name, field, kSessionShown);
  const std::optional<std::string> session = PercentUnescape((*values)[1]);
  if (!session || session->empty() || !json::IsValidUtf8(*session) ||
      json::CountChars(*session) > kMaxSessionChars) {
    return Refuse(name, field, kSessionShown);
  }
  return SessionName{(*values)[0], *session};
}

#define ASSAY_CHILD_NAME_(Type, member, collection)                                                \
  std::string Type::ToString() const {                                                             \
    return StrCat("experiments/", experiment, "/" collection "/", member);                         \
  }                                                                                                \
  absl::StatusOr<Type> Type::Parse(std::string_view name, std::string_view field) {                \
    constexpr std::string_view kPattern = "experiments/{experiment}/" collection "/{" #member "}"; \
    const auto values = SplitSlugs(name, kPattern);                                                \
    if (!values) return Refuse(name, field, kPattern);                                             \
    return Type{(*values)[0], (*values)[1]};                                                       \
  }
ASSAY_CHILD_NAME_(AssessmentName, assessment, "assessments")
ASSAY_CHILD_NAME_(EvaluationName, evaluation, "evaluations")
ASSAY_CHILD_NAME_(AlignmentName, alignment, "alignments")
ASSAY_CHILD_NAME_(DatasetName, dataset, "datasets")
ASSAY_CHILD_NAME_(MonitorName, monitor, "monitors")
ASSAY_CHILD_NAME_(ReviewQueueName, queue, "reviewQueues")
ASSAY_CHILD_NAME_(LabelSchemaName, label_schema, "labelSchemas")
#undef ASSAY_CHILD_NAME_

std::string PercentEscape(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

std::optional<std::string> PercentUnescape(std::string_view text) {
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size() || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0) {
      return std::nullopt;
    }
    out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
    i += 2;
  }
  return out;
}

}  // namespace assay::names
