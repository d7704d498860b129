// A world with a planted truth: traces whose outputs hold words, people who judge by these words, a
// judge that misses some of them unless a guideline tells it, and a model that finds guidelines in
// disagreements.
#ifndef ASSAY_SERVICES_ALIGNMENT_TESTING_PLANTED_WORLD_H_
#define ASSAY_SERVICES_ALIGNMENT_TESTING_PLANTED_WORLD_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "assay/registry/v1/judge.pb.h"
#include "services/alignment/core/labelled_case.h"
#include "services/alignment/testing/fake_services.h"

namespace assay::alignment {

inline constexpr char kWorldExperiment[] = "experiments/support";
inline constexpr char kWorldJudge[] = "experiments/support/judges/quality";

struct WorldOptions {
  int traces = 50;
  uint64_t seed = 1;
  // The share of outputs that hold the trigger. People call these poor; the judge calls them good
  // until a guideline in its memory names the trigger.
  double trigger_share = 0.4;
  // Labels are drawn at random instead.
  bool random_labels = false;
  // The judge says good or poor at random, always the same for the same trace and memory.
  bool random_judge = false;
  // The model proposes a guideline that makes the judge call everything poor.
  bool harmful_model = false;
};

// Two values, `good` and `poor`, ordered.
registry::v1::JudgeDefinition WorldJudge();
std::string WorldTrace(int index);

class PlantedWorld {
 public:
  explicit PlantedWorld(const WorldOptions& options);

  // The labelled cases, as an alignment takes them.
  AlignmentInput MakeInput() const;
  // Fills feedback and traces with the same.
  void Fill(FakeFeedback& feedback, FakeTraces& traces) const;

  // What the judge says: JSON text. Reads the request alone.
  std::string Verdict(const judge::v1::JudgeRequest& request) const;
  // What the model says to a question about disagreements.
  std::string Guidelines(const judge::v1::CompleteRequest& request) const;

 private:
  struct Item {
    std::string inputs, outputs, label, rationale;
  };
  const WorldOptions options_;
  std::vector<Item> items_;
};

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_TESTING_PLANTED_WORLD_H_
