#include "services/alignment/core/memory_optimizer.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "common/exec/parallel_map.h"
#include "common/judging/judge_definition.h"
#include "common/stats/sign_test.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/alignment/core/folds.h"
#include "services/alignment/core/memory.h"

namespace assay::alignment {
namespace {

using judge::v1::CompleteRequest;
using judge::v1::CompleteResponse;
using registry::v1::MemoryGuideline;

struct Change {
  int64_t fixed = 0;
  int64_t broken = 0;
  bool IsHarm() const { return stats::SignTestOneSided(broken, fixed) < kHarmSignificance; }
};

Change Compare(const std::vector<LabelledCase>& cases, const std::vector<size_t>& items,
               const std::vector<Judgement>& without, const std::vector<Judgement>& with) {
  Change change;
  for (size_t i = 0; i < items.size(); ++i) {
    const std::string& key = cases[items[i]].key;
    // A model that is away says nothing about a guideline.
    if (without[i].ModelWasAway() || with[i].ModelWasAway()) continue;
    const bool before = without[i].Says(key);
    const bool after = with[i].Says(key);
    if (!before && after) ++change.fixed;
    if (before && !after) ++change.broken;
  }
  return change;
}

}  // namespace

MemoryOptimizer::MemoryOptimizer(const std::vector<LabelledCase>& cases,
                                 const registry::v1::JudgeDefinition& base,
                                 const std::vector<Judgement>& baseline,
                                 const v1::AlignmentOptions& options, JudgePanel& panel,
                                 PaidCalls& calls, Progress& progress)
    : cases_(cases),
      base_(base),
      baseline_(baseline),
      options_(options),
      panel_(panel),
      calls_(calls),
      progress_(progress) {
  wrong_.reserve(cases.size());
  for (size_t i = 0; i < cases.size(); ++i) wrong_.push_back(!baseline[i].Says(cases[i].key));
}

// Asks once, and once more if the answer cannot be read.
void MemoryOptimizer::Ask(Call& call, Done<bool> done) {
  const std::string step = StrCat(call.candidate->step, "/distil/", call.batch);
  auto question = std::make_shared<CompleteRequest>(
      DistillationRequest(base_, options_.reflection_model(), call.records));
  auto finish = [this, &call, step, question,
                 done = std::move(done)](absl::StatusOr<CompleteResponse> answer) mutable {
    // A model that refuses the question leaves the judge without guidelines from it; the examples
    // remain.
    if (absl::IsInvalidArgument(answer.status())) {
      call.unreadable = true;
      progress_.Step();
      return std::move(done)(true);
    }
    if (!answer.ok()) return std::move(done)(answer.status());
    absl::StatusOr<Distilled> read = ReadDistillation(answer->text(), call.records);
    if (read.ok()) {
      call.answer = *std::move(read);
      progress_.Step();
      return std::move(done)(true);
    }
    const std::string problem(read.status().message().data(), read.status().message().size());
    calls_.Complete(
        step + "/repair", DistillationRepair(*question, answer->text(), problem),
        [this, &call, done = std::move(done)](absl::StatusOr<CompleteResponse> repaired) mutable {
          if (!repaired.ok() && !absl::IsInvalidArgument(repaired.status())) {
            return std::move(done)(repaired.status());
          }
          absl::StatusOr<Distilled> read = repaired.ok()
                                               ? ReadDistillation(repaired->text(), call.records)
                                               : absl::StatusOr<Distilled>(repaired.status());
          call.unreadable = !read.ok();
          if (read.ok()) call.answer = *std::move(read);
          progress_.Step();
          std::move(done)(true);
        });
  };
  calls_.Complete(step, *question, std::move(finish));
}

bool MemoryOptimizer::IsKnown(const Candidate& candidate, const std::string& text) const {
  const auto same = [&](const MemoryGuideline& other) { return SameGuideline(other.text(), text); };
  return std::any_of(candidate.proposals.begin(), candidate.proposals.end(), same) ||
         std::any_of(base_.memory().guidelines().begin(), base_.memory().guidelines().end(), same);
}

void MemoryOptimizer::Collect(const Call& call) {
  Candidate& candidate = *call.candidate;
  candidate.without_source += call.answer.without_source;
  candidate.unreadable_answers += call.unreadable ? 1 : 0;
  const size_t room = static_cast<size_t>(
      std::max(0, std::min(options_.maximum_guidelines(),
                           judging::kMaxGuidelines - base_.memory().guidelines_size())));
  std::vector<v1::GuidelineTrial> rejected;
  for (const MemoryGuideline& guideline : call.answer.guidelines) {
    v1::GuidelineTrial trial;
    trial.set_text(guideline.text());
    if (IsKnown(candidate, guideline.text())) {
      trial.set_rejection("DUPLICATE");
      rejected.push_back(std::move(trial));
    } else if (candidate.proposals.size() >= room) {
      trial.set_rejection("OVER_LIMIT");
      rejected.push_back(std::move(trial));
    } else {
      candidate.trials.insert(
          candidate.trials.begin() + static_cast<std::ptrdiff_t>(candidate.proposals.size()),
          std::move(trial));
      candidate.proposals.push_back(guideline);
    }
  }
  candidate.trials.insert(candidate.trials.end(), rejected.begin(), rejected.end());
}

absl::Status MemoryOptimizer::Distil(std::vector<Candidate>& candidates) {
  std::vector<std::unique_ptr<Call>> calls;
  for (Candidate& candidate : candidates) {
    std::vector<DistillationBatch> batches =
        MakeBatches(cases_, candidate.training, baseline_, static_cast<uint64_t>(options_.seed()));
    for (size_t i = 0; i < batches.size(); ++i) {
      calls.push_back(
          std::make_unique<Call>(Call{&candidate, i, std::move(batches[i]), {}, false}));
    }
  }
  progress_.Begin(v1::ALIGNMENT_STAGE_DISTILL, static_cast<int64_t>(calls.size()));
  const std::vector<absl::StatusOr<bool>> answers = ParallelMap<std::unique_ptr<Call>, bool>(
      calls, options_.parallelism(),
      [&](const std::unique_ptr<Call>& call, Done<bool> done) { Ask(*call, std::move(done)); },
      calls_.cancel());
  ASSAY_RETURN_IF_ERROR(calls_.CheckCancelled());
  for (const absl::StatusOr<bool>& answer : answers) ASSAY_RETURN_IF_ERROR(answer.status());
  for (const auto& call : calls) Collect(*call);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Judgement>> MemoryOptimizer::Try(
    const Candidate& candidate, const std::string& step,
    absl::Span<const MemoryGuideline> guidelines, const std::vector<size_t>& items) {
  registry::v1::JudgeDefinition tried = candidate.definition;
  for (const MemoryGuideline& guideline : guidelines) {
    *tried.mutable_memory()->add_guidelines() = guideline;
  }
  progress_.Expect(static_cast<int64_t>(items.size()));
  return panel_.JudgeAll(StrCat(candidate.step, "/", step), tried, items);
}

absl::Status MemoryOptimizer::TryEach(Candidate& candidate, const std::vector<size_t>& items,
                                      const std::vector<Judgement>& without) {
  for (size_t i = 0; i < candidate.proposals.size(); ++i) {
    ASSAY_ASSIGN_OR_RETURN(const std::vector<Judgement> with,
                           Try(candidate, StrCat("guideline-", i),
                               absl::MakeConstSpan(&candidate.proposals[i], 1), items));
    const Change change = Compare(cases_, items, without, with);
    v1::GuidelineTrial& trial = candidate.trials[i];
    trial.set_fixed_count(change.fixed);
    trial.set_broken_count(change.broken);
    trial.set_accepted(!change.IsHarm());
    if (change.IsHarm()) trial.set_rejection("HARM");
  }
  return absl::OkStatus();
}

void MemoryOptimizer::Finish(Candidate& candidate) const {
  for (size_t i = 0; i < candidate.proposals.size(); ++i) {
    if (candidate.trials[i].accepted()) {
      *candidate.definition.mutable_memory()->add_guidelines() = candidate.proposals[i];
    }
  }
}

absl::Status MemoryOptimizer::Accept(Candidate& candidate) {
  const size_t inherited = base_.memory().ByteSizeLong();
  ExampleSet examples = MakeExamples(cases_, candidate.training, wrong_, panel_.embeddings(),
                                     kMaxMemoryBytes > inherited ? kMaxMemoryBytes - inherited : 0);
  candidate.examples_left_out = examples.left_out;
  candidate.definition = WithMemory(base_, {}, examples.examples, options_.retrieved_examples());
  if (candidate.proposals.empty()) return absl::OkStatus();
  const std::vector<size_t> items =
      Sample(candidate.training, candidate.is_final ? kFinalTrialTraces : kFoldTrialTraces,
             static_cast<uint64_t>(options_.seed()));
  ASSAY_ASSIGN_OR_RETURN(const std::vector<Judgement> without,
                         Try(candidate, "without", {}, items));
  bool one_by_one = candidate.is_final;
  if (!one_by_one) {
    ASSAY_ASSIGN_OR_RETURN(const std::vector<Judgement> together,
                           Try(candidate, "together", candidate.proposals, items));
    one_by_one = Compare(cases_, items, without, together).IsHarm();
  }
  if (one_by_one) {
    ASSAY_RETURN_IF_ERROR(TryEach(candidate, items, without));
  } else {
    for (size_t i = 0; i < candidate.proposals.size(); ++i) candidate.trials[i].set_accepted(true);
  }
  Finish(candidate);
  return absl::OkStatus();
}

}  // namespace assay::alignment
