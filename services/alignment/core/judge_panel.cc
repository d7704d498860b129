#include "services/alignment/core/judge_panel.h"

#include <atomic>
#include <utility>

#include "common/exec/parallel_map.h"
#include "common/json/json_value.h"
#include "common/judging/example_text.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/alignment/core/memory.h"

namespace assay::alignment {

JudgePanel::JudgePanel(const std::vector<LabelledCase>& cases, std::string experiment,
                       std::string judge_id, int parallelism, PaidCalls& calls, Progress& progress)
    : cases_(cases),
      experiment_(std::move(experiment)),
      judge_id_(std::move(judge_id)),
      parallelism_(parallelism),
      calls_(calls),
      progress_(progress) {
  embeddings_.reserve(cases.size());
  for (const LabelledCase& labelled : cases) {
    embeddings_.push_back(
        judging::EmbedExample(labelled.inputs.value_or(""), labelled.outputs.value_or("")));
  }
}

judge::v1::JudgeRequest JudgePanel::MakeRequest(const registry::v1::JudgeDefinition& judge,
                                                size_t item) const {
  const LabelledCase& labelled = cases_[item];
  judge::v1::JudgeRequest request;
  request.set_parent(experiment_);
  *request.mutable_definition() = NarrowedTo(judge, labelled.trace, embeddings_[item]);
  request.set_assessment_name(judge_id_);
  if (labelled.inputs.has_value()) *request.mutable_inputs() = json::JsonFromText(*labelled.inputs);
  if (labelled.outputs.has_value())
    *request.mutable_outputs() = json::JsonFromText(*labelled.outputs);
  request.set_trace(labelled.trace);
  return request;
}

absl::StatusOr<std::vector<Judgement>> JudgePanel::JudgeAll(
    const std::string& step, const registry::v1::JudgeDefinition& judge,
    const std::vector<size_t>& items) {
  using Response = judge::v1::JudgeResponse;
  ASSAY_RETURN_IF_ERROR(calls_.CheckCancelled());
  std::atomic<bool> give_up = false;
  std::vector<absl::StatusOr<Response>> answers = ParallelMap<size_t, Response>(
      items, parallelism_,
      [&](const size_t& item, Done<Response> done) {
        if (give_up) return std::move(done)(absl::AbortedError("an earlier judgement failed"));
        calls_.Judge(StrCat(step, "/", TraceIdOf(cases_[item].trace)), MakeRequest(judge, item),
                     [&, done = std::move(done)](absl::StatusOr<Response> answer) mutable {
                       if (!answer.ok()) give_up = true;
                       if (answer.ok()) progress_.Step();
                       std::move(done)(std::move(answer));
                     });
      },
      calls_.cancel());
  ASSAY_RETURN_IF_ERROR(calls_.CheckCancelled());
  std::vector<Judgement> judgements;
  absl::Status failure;
  for (const absl::StatusOr<Response>& answer : answers) {
    if (answer.ok()) {
      judgements.push_back(ToJudgement(*answer));
    } else if (failure.ok() || absl::IsAborted(failure)) {
      failure = answer.status();
    }
  }
  ASSAY_RETURN_IF_ERROR(failure);
  return judgements;
}

}  // namespace assay::alignment
