#include "services/alignment/core/alignment_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "common/clock/fake_clock.h"
#include "common/exec/executor.h"
#include "common/jobs/in_memory_journal.h"
#include "common/json/canonical.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "common/strings/strings.h"
#include "services/alignment/core/options.h"
#include "services/alignment/testing/fake_services.h"
#include "services/alignment/testing/planted_world.h"

namespace assay::alignment {
namespace {

class IgnoreProgress final : public ProgressListener {
 public:
  void OnProgress(v1::AlignmentStage, int64_t, int64_t) override {}
};

// One alignment on fakes, with a journal that outlives its runs.
struct Bench {
  explicit Bench(AlignmentInput input) : input(std::move(input)) {
    *alignment.mutable_options() = *EffectiveOptions({}, this->input.base);
  }
  ~Bench() { executor.Shutdown(); }

  absl::StatusOr<AlignmentResult> Run(FakeModels& models) {
    PaidCalls calls(journal, models, models, clock, input.uid, cancel);
    IgnoreProgress ignore;
    return RunAlignment(alignment, input, calls, ignore);
  }

  AlignmentInput input;
  v1::Alignment alignment;
  FakeClock clock;
  ThreadPool executor{"job", 3};
  jobs::InMemoryJournal journal{executor};
  std::shared_ptr<CancellationToken> cancel = std::make_shared<CancellationToken>();
};

std::unique_ptr<FakeModels> ModelsOf(const PlantedWorld& world, Executor& executor) {
  return std::make_unique<FakeModels>(
      executor, [&world](const auto& request) { return world.Verdict(request); },
      [&world](const auto& request) { return world.Guidelines(request); });
}

AlignmentResult Align(const WorldOptions& options) {
  const PlantedWorld world(options);
  Bench bench(world.MakeInput());
  const auto models = ModelsOf(world, bench.executor);
  absl::StatusOr<AlignmentResult> result = bench.Run(*models);
  EXPECT_THAT(result, IsOk());
  return *std::move(result);
}

TEST(AlignmentJobTest, FindsAPlantedRuleAndProvesTheGain) {
  const AlignmentResult result = Align({.traces = 50});
  EXPECT_EQ(result.report.conclusion(), v1::CONCLUSION_GAIN);
  EXPECT_DOUBLE_EQ(result.report.after().agreement().value(), 1);
  ASSERT_EQ(result.report.guidelines_size(), 1);
  EXPECT_TRUE(result.report.guidelines(0).accepted());
  EXPECT_GT(result.report.guidelines(0).fixed_count(), 5);
  EXPECT_EQ(result.report.guidelines(0).broken_count(), 0);
  ASSERT_EQ(result.candidate.memory().guidelines_size(), 1);
  EXPECT_GT(result.candidate.memory().guidelines(0).source_traces_size(), 5);
  EXPECT_EQ(result.candidate.memory().examples_size(), 50);
  EXPECT_EQ(result.candidate.instructions().instructions(),
            WorldJudge().instructions().instructions());
}

TEST(AlignmentJobTest, StaysNearTheExpectedNumberOfCalls) {
  const PlantedWorld world({.traces = 50});
  Bench bench(world.MakeInput());
  const auto models = ModelsOf(world, bench.executor);
  const absl::StatusOr<AlignmentResult> result = bench.Run(*models);
  ASSERT_THAT(result, IsOk());
  // Baseline, held-out and seen: 3 n. Folds: 5 times 20 without and 20 with guidelines. Final: 50
  // without and 50 with.
  EXPECT_EQ(models->judge_requests().size(), 3u * 50 + 5u * 40 + 100);
  EXPECT_EQ(models->complete_requests().size(), 6u);
  EXPECT_EQ(result->report.usage().model_calls(), 456);
}

TEST(AlignmentJobTest, AHarmfulGuidelineIsRejected) {
  const AlignmentResult result = Align({.traces = 50, .harmful_model = true});
  ASSERT_EQ(result.report.guidelines_size(), 2);
  EXPECT_TRUE(result.report.guidelines(0).accepted());
  EXPECT_FALSE(result.report.guidelines(1).accepted());
  EXPECT_EQ(result.report.guidelines(1).rejection(), "HARM");
  EXPECT_GT(result.report.guidelines(1).broken_count(), 20);
  EXPECT_EQ(result.candidate.memory().guidelines_size(), 1);
  EXPECT_EQ(result.report.conclusion(), v1::CONCLUSION_GAIN);
}

TEST(AlignmentJobTest, WhereAllAgreeNothingIsDistilled) {
  const PlantedWorld world({.traces = 20, .trigger_share = 0});
  Bench bench(world.MakeInput());
  const auto models = ModelsOf(world, bench.executor);
  const absl::StatusOr<AlignmentResult> result = bench.Run(*models);
  ASSERT_THAT(result, IsOk());
  EXPECT_TRUE(models->complete_requests().empty());
  EXPECT_EQ(result->report.guidelines_size(), 0);
  EXPECT_EQ(result->report.conclusion(), v1::CONCLUSION_INCONCLUSIVE);
  EXPECT_THAT(result->report.warnings(),
              testing::Contains(testing::HasSubstr("All labels are the same")));
}

TEST(AlignmentJobTest, WhereAllDisagreeTheRuleIsFound) {
  const AlignmentResult result = Align({.traces = 20, .trigger_share = 1});
  EXPECT_DOUBLE_EQ(result.report.before().agreement().value(), 0);
  EXPECT_EQ(result.report.conclusion(), v1::CONCLUSION_GAIN);
}

TEST(AlignmentJobTest, RandomLabelsShowNoGain) {
  int gains = 0, harms = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const AlignmentResult result =
        Align({.traces = 30, .seed = seed, .random_labels = true, .random_judge = true});
    gains += result.report.conclusion() == v1::CONCLUSION_GAIN ? 1 : 0;
    harms += result.report.conclusion() == v1::CONCLUSION_HARM ? 1 : 0;
  }
  // 2.5 % each way are to be expected: one of forty.
  EXPECT_LE(gains, 3);
  EXPECT_LE(harms, 3);
}

TEST(AlignmentJobTest, HeldOutLabelsNeverReachAPrompt) {
  const PlantedWorld world({.traces = 20});
  Bench bench(world.MakeInput());
  for (size_t i = 0; i < bench.input.cases.size(); ++i) {
    bench.input.cases[i].rationale = StrCat("canary-", i, "-");
  }
  // The model repeats in its guideline every label that it was shown.
  FakeModels models(
      bench.executor, [&](const auto& request) { return world.Verdict(request); },
      [&](const judge::v1::CompleteRequest& request) -> absl::StatusOr<std::string> {
        const std::string& text = request.messages(1).parts(0).text();
        std::string learned = "learned:";
        for (size_t i = 0; i < bench.input.cases.size(); ++i) {
          const std::string canary = StrCat("canary-", i, "-");
          if (text.find(canary) != std::string::npos) StrAppend(&learned, " ", canary);
        }
        const size_t id = text.find("{\"trace\":\"") + 10;
        return StrCat("{\"guidelines\":[{\"guideline_text\":\"", learned,
                      "\",\"source_trace_ids\":[\"", text.substr(id, 32), "\"]}]}");
      });
  const absl::StatusOr<AlignmentResult> result = bench.Run(models);
  ASSERT_THAT(result, IsOk());
  ASSERT_EQ(result->report.cases_size(), 20);
  std::map<std::string, size_t> held_out;  // Request ids of held-out judgements, and their case.
  for (size_t i = 0; i < 20; ++i) {
    const std::string step = StrCat("fold-", result->report.cases(static_cast<int>(i)).fold(),
                                    "/held-out/", TraceIdOf(bench.input.cases[i].trace));
    held_out[StrCat("alignment-",
                    json::Sha256Hex(StrCat(bench.input.uid, "\n", step)).substr(0, 48))] = i;
  }
  size_t found = 0;
  size_t with_learned = 0;
  for (const judge::v1::JudgeRequest& request : models.judge_requests()) {
    // No item ever meets its own case, whatever it is judged for.
    for (const auto& example : request.definition().memory().examples()) {
      EXPECT_NE(example.trace(), request.trace());
    }
    const auto item = held_out.find(request.request_id());
    if (item == held_out.end()) continue;
    ++found;
    const std::string bytes = request.SerializeAsString();
    if (bytes.find("learned:") != std::string::npos) ++with_learned;
    const int fold = result->report.cases(static_cast<int>(item->second)).fold();
    for (size_t i = 0; i < 20; ++i) {
      if (result->report.cases(static_cast<int>(i)).fold() != fold) continue;
      EXPECT_EQ(bytes.find(StrCat("canary-", i, "-")), std::string::npos) << i;
    }
  }
  EXPECT_EQ(found, 20u);
  EXPECT_EQ(with_learned, 20u);
}

TEST(AlignmentJobTest, ARunAfterACrashPaysForNothingTwice) {
  const PlantedWorld world({.traces = 30});
  Bench bench(world.MakeInput());
  std::atomic<int> left = 137;
  FakeModels dying(
      bench.executor,
      [&](const judge::v1::JudgeRequest& request) -> absl::StatusOr<std::string> {
        if (left-- <= 0) return absl::UnavailableError("gone");
        return world.Verdict(request);
      },
      [&](const auto& request) { return world.Guidelines(request); });
  EXPECT_THAT(bench.Run(dying), StatusIs(absl::StatusCode::kUnavailable));
  const size_t recorded = bench.journal.size();
  EXPECT_GE(recorded, 137u);
  const auto models = ModelsOf(world, bench.executor);
  const absl::StatusOr<AlignmentResult> resumed = bench.Run(*models);
  ASSERT_THAT(resumed, IsOk());
  EXPECT_EQ(models->judge_requests().size() + models->complete_requests().size(),
            bench.journal.size() - recorded);
  const auto none = ModelsOf(world, bench.executor);
  const absl::StatusOr<AlignmentResult> again = bench.Run(*none);
  ASSERT_THAT(again, IsOk());
  EXPECT_TRUE(none->judge_requests().empty());
  EXPECT_TRUE(none->complete_requests().empty());
  EXPECT_EQ(again->report.SerializeAsString(), resumed->report.SerializeAsString());
  // An undisturbed run comes to the same.
  EXPECT_EQ(Align({.traces = 30}).report.SerializeAsString(), resumed->report.SerializeAsString());
}

TEST(AlignmentJobTest, EveryPaidCallHasAnIdOfItsOwn) {
  const PlantedWorld world({.traces = 20});
  Bench bench(world.MakeInput());
  const auto models = ModelsOf(world, bench.executor);
  ASSERT_THAT(bench.Run(*models), IsOk());
  std::set<std::string> ids;
  for (const auto& request : models->judge_requests()) ids.insert(request.request_id());
  for (const auto& request : models->complete_requests()) ids.insert(request.request_id());
  EXPECT_EQ(ids.size(), models->judge_requests().size() + models->complete_requests().size());
}

TEST(AlignmentJobTest, CancellingEndsItSoon) {
  const PlantedWorld world({.traces = 30});
  Bench bench(world.MakeInput());
  FakeModels models(
      bench.executor,
      [&](const judge::v1::JudgeRequest& request) -> absl::StatusOr<std::string> {
        bench.cancel->Cancel();
        return world.Verdict(request);
      },
      [&](const auto& request) { return world.Guidelines(request); });
  EXPECT_THAT(bench.Run(models), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_LE(models.judge_requests().size(), 16u);
}

TEST(AlignmentJobTest, AnUnreadableAnswerIsAskedForAgainOnceAndThenGivenUp) {
  const PlantedWorld world({.traces = 20});
  Bench bench(world.MakeInput());
  FakeModels models(
      bench.executor, [&](const auto& request) { return world.Verdict(request); },
      [&](const auto&) -> absl::StatusOr<std::string> { return std::string("I'd rather not."); });
  const absl::StatusOr<AlignmentResult> result = bench.Run(models);
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(models.complete_requests().size(), 12u);
  EXPECT_EQ(result->report.guidelines_size(), 0);
  EXPECT_THAT(result->report.warnings(),
              testing::Contains(testing::HasSubstr("could not be read")));
}

TEST(AlignmentJobTest, ARepairedAnswerCounts) {
  const PlantedWorld world({.traces = 50});
  Bench bench(world.MakeInput());
  FakeModels models(
      bench.executor, [&](const auto& request) { return world.Verdict(request); },
      [&](const judge::v1::CompleteRequest& request) -> absl::StatusOr<std::string> {
        if (request.messages_size() == 2) return std::string("{\"guidelines\": [");
        return world.Guidelines(request);
      });
  const absl::StatusOr<AlignmentResult> result = bench.Run(models);
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->report.guidelines_size(), 1);
}

TEST(AlignmentJobTest, ATraceThatCannotBeJudgedIsCountedNotFatal) {
  const PlantedWorld world({.traces = 20});
  Bench bench(world.MakeInput());
  FakeModels models(
      bench.executor,
      [&](const judge::v1::JudgeRequest& request) -> absl::StatusOr<std::string> {
        if (request.trace() == WorldTrace(0)) return NotFound("trace", request.trace());
        if (request.trace() == WorldTrace(1)) return std::string("!ANSWER_UNREADABLE");
        return world.Verdict(request);
      },
      [&](const auto& request) { return world.Guidelines(request); });
  const absl::StatusOr<AlignmentResult> result = bench.Run(models);
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->report.before().failed_count(), 2);
  EXPECT_EQ(result->report.after().failed_count(), 2);
}

TEST(AlignmentJobTest, AModelThatIsAwayEndsItWithItsReason) {
  const PlantedWorld world({.traces = 20});
  Bench bench(world.MakeInput());
  FakeModels models(
      bench.executor,
      [](const auto&) -> absl::StatusOr<std::string> { return std::string("!MODEL_UNREACHABLE"); },
      [&](const auto& request) { return world.Guidelines(request); });
  EXPECT_THAT(bench.Run(models), HasReason("MODEL_UNREACHABLE"));
  EXPECT_TRUE(models.complete_requests().empty());
}

TEST(AlignmentJobTest, AMisconfiguredModelEndsItAtOnce) {
  const PlantedWorld world({.traces = 40});
  Bench bench(world.MakeInput());
  bench.alignment.mutable_options()->set_parallelism(1);
  FakeModels models(
      bench.executor,
      [](const auto&) -> absl::StatusOr<std::string> {
        return MakeError(absl::StatusCode::kFailedPrecondition, "MODEL_NOT_CONFIGURED", "no key");
      },
      [&](const auto& request) { return world.Guidelines(request); });
  EXPECT_THAT(bench.Run(models), HasReason("MODEL_NOT_CONFIGURED"));
  EXPECT_LE(models.judge_requests().size(), 2u);
}

TEST(AlignmentJobTest, DuplicatesAndGuidelinesOverTheLimitAreNotTried) {
  const PlantedWorld world({.traces = 30});
  Bench bench(world.MakeInput());
  bench.alignment.mutable_options()->set_maximum_guidelines(1);
  FakeModels models(
      bench.executor, [&](const auto& request) { return world.Verdict(request); },
      [&](const judge::v1::CompleteRequest& request) -> absl::StatusOr<std::string> {
        const std::string& text = request.messages(1).parts(0).text();
        const std::string id = text.substr(text.find("{\"trace\":\"") + 10, 32);
        const auto entry = [&](const char* guideline) {
          return StrCat("{\"guideline_text\":\"", guideline, "\",\"source_trace_ids\":[\"", id,
                        "\"]}");
        };
        return StrCat("{\"guidelines\":[", entry("Be polite."), ",", entry("be polite"), ",",
                      entry("Answers shall name the order number."), "]}");
      });
  const absl::StatusOr<AlignmentResult> result = bench.Run(models);
  ASSERT_THAT(result, IsOk());
  ASSERT_EQ(result->report.guidelines_size(), 3);
  EXPECT_TRUE(result->report.guidelines(0).accepted());
  EXPECT_EQ(result->report.guidelines(1).rejection(), "DUPLICATE");
  EXPECT_EQ(result->report.guidelines(2).rejection(), "OVER_LIMIT");
  EXPECT_EQ(result->candidate.memory().guidelines_size(), 1);
}

}  // namespace
}  // namespace assay::alignment
