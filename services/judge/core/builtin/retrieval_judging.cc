#include "services/judge/core/builtin/retrieval_judging.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_format.h"
#include "common/json/json_value.h"
#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/core/builtin/chunk_verdicts.h"
#include "services/judge/core/builtin/finished_judging.h"
#include "services/judge/core/builtin/material.h"
#include "services/judge/core/builtin/prompts.h"
#include "services/judge/core/builtin/question.h"
#include "services/judge/core/builtin/retrieved.h"
#include "services/judge/core/provenance_sum.h"

namespace assay::judge {

namespace {

using Verdicts = std::vector<absl::StatusOr<JudgeVerdict>>;
using VerdictSpan = absl::Span<const absl::StatusOr<JudgeVerdict>>;

constexpr size_t kMaxNameChars = 240;  // So that `<name>/precision` is a name too.

// What both machines start from.
struct RetrievalCase {
  std::string assessment_name;
  std::string judge_revision;
  std::string model_uri;
  std::vector<RetrieverSpan> spans;
  std::map<std::string, std::string> metadata;
};

absl::StatusOr<RetrievalCase> CollectCase(const JudgingSetup& setup) {
  if (setup.subject->trace == nullptr) {
    return MissingBuiltinInput("trace",
                               "is needed: this judge looks at what its searches returned");
  }
  const trace::v1::Trace& trace = *setup.subject->trace;
  RetrievalCase found;
  found.assessment_name = setup.assessment_name;
  found.judge_revision = setup.judge_revision;
  ASSAY_ASSIGN_OR_RETURN(found.model_uri, setup.ModelUri());
  found.spans = TopLevelRetrievers(trace);
  if (trace.spans_truncated()) found.metadata["spans_truncated"] = "true";
  if (found.spans.size() > kMaxJudgedSpans) {
    found.metadata["spans_left_out"] = StrCat(found.spans.size() - kMaxJudgedSpans);
    found.spans.resize(kMaxJudgedSpans);
  }
  return found;
}

std::unique_ptr<Judging> NoRetriever(const JudgingSetup& setup) {
  return FailedJudging(setup, "NO_RETRIEVER_SPAN",
                       "The trace has no span of the type RETRIEVER: nothing was searched for.");
}

// Cuts what is beyond the bound, from the end.
void BoundChunks(RetrievalCase* found) {
  size_t kept = 0;
  size_t left_out = 0;
  size_t spans =
      0;  // Those of which something is left: a search of which nothing is judged is none.
  for (RetrieverSpan& span : found->spans) {
    const size_t keep = std::min(span.chunks.size(), kMaxJudgedChunks - kept);
    left_out += span.chunks.size() - keep;
    const bool judged = keep > 0 || span.chunks.empty();
    span.chunks.resize(keep);
    kept += keep;
    if (!judged) continue;
    if (&found->spans[spans] != &span) found->spans[spans] = std::move(span);
    ++spans;
  }
  found->spans.resize(spans);
  if (left_out > 0) found->metadata["chunks_left_out"] = StrCat(left_out);
}

std::string SpanLabel(const RetrieverSpan& span) { return StrCat("span ", span.span_id); }

std::string Quoted(const RetrieverSpan& span) {
  return StrCat("`", json::PreviewOf(span.name, 100), "`");
}

// Asks all questions, then sums up.
class RetrievalJudging : public Judging {
 public:
  RetrievalJudging(RetrievalCase found, std::vector<std::unique_ptr<Judging>> questions)
      : case_(std::move(found)), questions_(std::move(questions)) {}

  JudgeStep Next(JudgeEvent event) final {
    if (std::holds_alternative<JudgeStarted>(event)) return CallAll{std::move(questions_)};
    Verdicts verdicts = std::move(std::get<AllFinished>(event).verdicts);
    if (absl::Status error = FirstCallError(verdicts); !error.ok()) return JudgeFinished{error};
    JudgeVerdict verdict = Conclude(verdicts);
    common::v1::Provenance provenance = SumProvenance(verdicts, AskedHow::kAtTheSameTime);
    provenance.set_judge_revision(case_.judge_revision);
    if (provenance.model().empty()) provenance.set_model(case_.model_uri);
    // The raw answer of a verdict that cannot be read stays.
    provenance.set_raw_answer(verdict.feedback.provenance().raw_answer());
    *verdict.feedback.mutable_provenance() = std::move(provenance);
    verdict.metadata.insert(case_.metadata.begin(), case_.metadata.end());
    return JudgeFinished{std::move(verdict)};
  }

 protected:
  virtual JudgeVerdict Conclude(const Verdicts& verdicts) const = 0;

  AdditionalFeedback OnSpan(const RetrieverSpan& span, const JudgeVerdict& verdict) const {
    AdditionalFeedback additional;
    additional.assessment_name = case_.assessment_name;
    additional.feedback = verdict.feedback;
    additional.source = verdict.source;
    additional.span_id = span.span_id;
    additional.metadata = verdict.metadata;
    return additional;
  }

  const RetrievalCase case_;

 private:
  std::vector<std::unique_ptr<Judging>> questions_;
};

class RelevanceJudging final : public RetrievalJudging {
 public:
  using RetrievalJudging::RetrievalJudging;

 private:
  JudgeVerdict Conclude(const Verdicts& verdicts) const override {
    JudgeVerdict whole;
    whole.source.set_kind(common::v1::SOURCE_KIND_LLM_JUDGE);
    whole.source.set_id(case_.model_uri);
    std::vector<SpanRelevance> spans;
    size_t at = 0;
    for (const RetrieverSpan& span : case_.spans) {
      const VerdictSpan chunks = VerdictSpan(verdicts).subspan(at, span.chunks.size());
      at += span.chunks.size();
      for (size_t i = 0; i < chunks.size(); ++i) {
        whole.additional.push_back(OnChunk(span, i, *chunks[i]));
      }
      spans.push_back(CountRelevant(chunks));
      if (spans.back().chunks > 0) whole.additional.push_back(Precision(span, spans.back()));
      AddPart(span, spans.back(), &whole.feedback);
    }
    SumUp(spans, &whole.feedback);
    return whole;
  }

  AdditionalFeedback OnChunk(const RetrieverSpan& span, size_t index,
                             const JudgeVerdict& verdict) const {
    AdditionalFeedback additional = OnSpan(span, verdict);
    additional.metadata["chunk_index"] = StrCat(index);
    const std::string& uri = span.chunks[index].uri;
    if (!uri.empty()) additional.metadata["doc_uri"] = json::PreviewOf(uri, 1'000);
    return additional;
  }

  AdditionalFeedback Precision(const RetrieverSpan& span, const SpanRelevance& counts) const {
    AdditionalFeedback additional;
    additional.assessment_name = StrCat(case_.assessment_name, "/precision");
    additional.source.set_kind(common::v1::SOURCE_KIND_LLM_JUDGE);
    additional.source.set_id(case_.model_uri);
    additional.span_id = span.span_id;
    additional.metadata["judged_chunks"] = StrCat(counts.judged);
    additional.feedback.mutable_provenance()->set_judge_revision(case_.judge_revision);
    additional.feedback.mutable_provenance()->set_model(case_.model_uri);
    if (counts.judged == 0) {
      additional.feedback.set_outcome(common::v1::OUTCOME_ERROR);
      *additional.feedback.mutable_error() = *counts.error;
      return additional;
    }
    additional.feedback.set_outcome(common::v1::OUTCOME_VALUE);
    *additional.feedback.mutable_value() = json::JsonFromText(
        absl::StrFormat("%.6g", static_cast<double>(counts.relevant) / counts.judged));
    additional.feedback.set_rationale(StrCat(counts.Text(), "."));
    return additional;
  }

  static void AddPart(const RetrieverSpan& span, const SpanRelevance& counts,
                      common::v1::Feedback* whole) {
    common::v1::FeedbackPart& part = *whole->add_parts();
    part.set_part(SpanLabel(span));
    part.set_rationale(StrCat(Quoted(span), ": ", counts.Text(), "."));
    if (counts.Yes() || counts.No()) {
      *part.mutable_value() = json::JsonFromString(counts.Yes() ? "yes" : "no");
    } else {
      *part.mutable_error() = *counts.error;
    }
  }

  void SumUp(const std::vector<SpanRelevance>& spans, common::v1::Feedback* whole) const {
    std::string rationale;
    const SpanRelevance* unclear = nullptr;
    bool no = false;
    for (size_t i = 0; i < spans.size(); ++i) {
      if (spans[i].Yes()) continue;
      if (spans[i].No()) {
        StrAppend(&rationale, no ? "; " : "The search ", Quoted(case_.spans[i]), ": ",
                  spans[i].Text());
        no = true;
      } else if (unclear == nullptr) {
        unclear = &spans[i];
      }
    }
    if (!no && unclear != nullptr) {
      whole->set_outcome(common::v1::OUTCOME_ERROR);
      *whole->mutable_error() = *unclear->error;
      return;
    }
    if (!no) {
      rationale = spans.size() == 1 ? "The search: " : "Every search returned something relevant: ";
      for (size_t i = 0; i < spans.size(); ++i) {
        StrAppend(&rationale, i > 0 ? "; " : "", spans[i].Text());
      }
    }
    whole->set_outcome(common::v1::OUTCOME_VALUE);
    *whole->mutable_value() = json::JsonFromString(no ? "no" : "yes");
    whole->set_rationale(StrCat(rationale, "."));
  }
};

// One verdict for each span; the last one is that on all together, where there are several spans.
class PerSpanJudging final : public RetrievalJudging {
 public:
  using RetrievalJudging::RetrievalJudging;

 private:
  JudgeVerdict Conclude(const Verdicts& verdicts) const override {
    JudgeVerdict whole = *verdicts.back();
    for (size_t i = 0; i < case_.spans.size(); ++i) {
      whole.additional.push_back(OnSpan(case_.spans[i], *verdicts[i]));
      if (case_.spans.size() > 1) {
        *whole.feedback.add_parts() = PartOf(SpanLabel(case_.spans[i]), verdicts[i]);
      }
    }
    return whole;
  }
};

// `material` is what stands before the documents.
absl::StatusOr<std::unique_ptr<Judging>> MakePerSpan(const JudgingSetup& setup,
                                                     std::string_view prompt, RetrievalCase found,
                                                     const std::string& material) {
  std::vector<std::unique_ptr<Judging>> questions;
  const auto ask = [&](absl::Span<const RetrieverSpan> spans, std::string part) -> absl::Status {
    BuiltinQuestion question{prompt, StrCat(material, DocumentsBlock(spans)), std::move(part)};
    ASSAY_ASSIGN_OR_RETURN(std::unique_ptr<Judging> judging,
                           MakeBuiltinQuestion(setup, std::move(question)));
    questions.push_back(std::move(judging));
    return absl::OkStatus();
  };
  const bool several = found.spans.size() > 1;
  for (size_t i = 0; several && i < found.spans.size(); ++i) {
    ASSAY_RETURN_IF_ERROR(ask(absl::MakeConstSpan(&found.spans[i], 1), StrCat("span/", i)));
  }
  ASSAY_RETURN_IF_ERROR(ask(found.spans, ""));
  return std::make_unique<PerSpanJudging>(std::move(found), std::move(questions));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Judging>> MakeRetrievalRelevance(const JudgingSetup& setup) {
  if (json::CountChars(setup.assessment_name) > kMaxNameChars) {
    return InvalidField("assessment_name",
                        "at most 240 characters are allowed for this judge, whose further results "
                        "are named after it");
  }
  ASSAY_ASSIGN_OR_RETURN(RetrievalCase found, CollectCase(setup));
  if (found.spans.empty()) return NoRetriever(setup);
  ASSAY_ASSIGN_OR_RETURN(const std::string request, RequestBlock(*setup.subject));
  BoundChunks(&found);
  std::vector<std::unique_ptr<Judging>> questions;
  for (size_t i = 0; i < found.spans.size(); ++i) {
    for (size_t k = 0; k < found.spans[i].chunks.size(); ++k) {
      BuiltinQuestion question{kRetrievalRelevancePrompt,
                               StrCat(request, DocumentBlock(found.spans[i].chunks[k])),
                               StrCat("chunk/", i, "/", k)};
      ASSAY_ASSIGN_OR_RETURN(std::unique_ptr<Judging> judging,
                             MakeBuiltinQuestion(setup, std::move(question)));
      questions.push_back(std::move(judging));
    }
  }
  return std::make_unique<RelevanceJudging>(std::move(found), std::move(questions));
}

absl::StatusOr<std::unique_ptr<Judging>> MakeRetrievalSufficiency(const JudgingSetup& setup) {
  ASSAY_ASSIGN_OR_RETURN(RetrievalCase found, CollectCase(setup));
  if (found.spans.empty()) return NoRetriever(setup);
  ASSAY_ASSIGN_OR_RETURN(const std::string request, RequestBlock(*setup.subject));
  ASSAY_ASSIGN_OR_RETURN(const std::string expected, ExpectedBlocks(*setup.subject));
  return MakePerSpan(setup, kRetrievalSufficiencyPrompt, std::move(found),
                     StrCat(request, expected));
}

absl::StatusOr<std::unique_ptr<Judging>> MakeRetrievalGroundedness(const JudgingSetup& setup) {
  ASSAY_ASSIGN_OR_RETURN(RetrievalCase found, CollectCase(setup));
  if (found.spans.empty()) return NoRetriever(setup);
  ASSAY_ASSIGN_OR_RETURN(const std::string request, RequestBlock(*setup.subject));
  ASSAY_ASSIGN_OR_RETURN(const std::string response, ResponseBlock(*setup.subject));
  return MakePerSpan(setup, kRetrievalGroundednessPrompt, std::move(found),
                     StrCat(request, response));
}

}  // namespace assay::judge
