#include "services/judge/core/kinds/vote_judging.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/judging/confidence_definition.h"
#include "common/judging/value_type.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/core/composed_judging.h"
#include "services/judge/core/provenance_sum.h"

namespace assay::judge {

namespace {

using common::v1::Feedback;

class VoteJudging final : public Judging {
 public:
  VoteJudging(JudgingSetup setup, std::vector<std::unique_ptr<Judging>> samples)
      : setup_(std::move(setup)), samples_(std::move(samples)) {}

  JudgeStep Next(JudgeEvent event) override {
    if (std::holds_alternative<JudgeStarted>(event)) return CallAll{std::move(samples_)};
    return Conclude(std::get<AllFinished>(event).verdicts);
  }

 private:
  using Verdicts = std::vector<absl::StatusOr<JudgeVerdict>>;

  static std::optional<std::string> KeyOf(const absl::StatusOr<JudgeVerdict>& verdict) {
    if (!verdict->feedback.has_value()) return std::nullopt;
    return judging::ValueKey(verdict->feedback.value().json_text());
  }

  // The first sample with the most frequent value, and how many gave it; {0, 0} if none has one.
  static std::pair<size_t, int> MostFrequent(const Verdicts& verdicts) {
    std::vector<std::optional<std::string>> keys;
    for (const auto& verdict : verdicts) keys.push_back(KeyOf(verdict));
    std::pair<size_t, int> best = {0, 0};
    for (size_t i = 0; i < keys.size(); ++i) {
      if (!keys[i].has_value()) continue;
      const auto votes = static_cast<int>(std::count(keys.begin(), keys.end(), keys[i]));
      if (votes > best.second) best = {i, votes};
    }
    return best;
  }

  JudgeStep Conclude(const Verdicts& verdicts) const {
    if (absl::Status error = CallErrorOf(verdicts); !error.ok()) return JudgeFinished{error};
    const auto [first, votes] = MostFrequent(verdicts);
    const JudgeVerdict& chosen = *verdicts[first];
    Feedback feedback = chosen.feedback;
    feedback.clear_parts();
    for (size_t i = 0; i < verdicts.size(); ++i) {
      *feedback.add_parts() = PartOf(StrCat("sample ", i + 1), verdicts[i]);
    }
    AppendInnerParts(verdicts, &feedback);
    if (votes > 0) {
      common::v1::Confidence& confidence = *feedback.mutable_confidence();
      confidence.set_value(static_cast<double>(votes) / static_cast<double>(verdicts.size()));
      confidence.set_method(common::v1::CONFIDENCE_METHOD_VOTE_SHARE);
      confidence.set_samples(static_cast<int>(verdicts.size()));
    }
    const std::string raw_answer = chosen.feedback.provenance().raw_answer();
    JudgeVerdict verdict = ComposedVerdict(setup_, chosen.source.id(), std::move(feedback),
                                           verdicts, AskedHow::kAtTheSameTime);
    verdict.feedback.mutable_provenance()->set_raw_answer(raw_answer);
    verdict.source = chosen.source;
    verdict.metadata = chosen.metadata;
    verdict.additional = chosen.additional;
    return JudgeFinished{std::move(verdict)};
  }

  const JudgingSetup setup_;
  std::vector<std::unique_ptr<Judging>> samples_;  // Until they are asked.
};

}  // namespace

bool CountsVotes(const JudgingSetup& setup) {
  return !setup.is_sample &&
         setup.definition->confidence().method() == common::v1::CONFIDENCE_METHOD_VOTE_SHARE;
}

absl::StatusOr<std::unique_ptr<Judging>> MakeVoteJudging(const JudgingSetup& setup,
                                                         JudgingMaker make_judging) {
  const int count = judging::VoteSamples(setup.definition->confidence());
  std::vector<std::unique_ptr<Judging>> samples;
  for (int i = 0; i < count; ++i) {
    JudgingSetup sample = setup.ForPart(setup.definition, StrCat("sample", i));
    sample.sample = setup.sample * count + i;
    sample.is_sample = true;
    ASSAY_ASSIGN_OR_RETURN(std::unique_ptr<Judging> judging, make_judging(sample));
    samples.push_back(std::move(judging));
  }
  return std::make_unique<VoteJudging>(setup, std::move(samples));
}

}  // namespace assay::judge
