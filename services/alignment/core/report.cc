#include "services/alignment/core/report.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "common/json/json_value.h"
#include "common/stats/agreement.h"
#include "common/stats/cluster_interval.h"
#include "common/stats/sample_size.h"
#include "common/strings/strings.h"

namespace assay::alignment {
namespace {

constexpr size_t kFewLabels = 30;

// Values as numbers: places of an ordered list, else in any fixed order.
struct Categories {
  std::map<std::string, int> places;
  stats::KappaWeights weights = stats::KappaWeights::kNone;

  int count() const { return static_cast<int>(places.size()); }
  int Of(const std::string& key) const {
    const auto found = places.find(key);
    return found == places.end() ? stats::kNoCategory : found->second;
  }
};

Categories MakeCategories(const Measurement& measurement, const common::v1::ValueType& type) {
  Categories categories;
  if (type.has_category_type() && type.category_type().ordered()) {
    for (const std::string& category : type.category_type().categories()) {
      categories.places.emplace(category, categories.count());
    }
    categories.weights = stats::KappaWeights::kQuadratic;
    return categories;
  }
  const auto add = [&](const std::string& key) {
    categories.places.emplace(key, categories.count());
  };
  for (const LabelledCase& labelled : measurement.cases) add(labelled.key);
  for (const auto* judgements : {&measurement.before, &measurement.held_out}) {
    for (const Judgement& judgement : *judgements) {
      if (judgement.has_value) add(judgement.key);
    }
  }
  return categories;
}

class Reporter {
 public:
  Reporter(const Measurement& measurement, const common::v1::ValueType& type, uint64_t seed)
      : m_(measurement), categories_(MakeCategories(measurement, type)), bootstrap_{.seed = seed} {
    for (const LabelledCase& labelled : m_.cases) clusters_.push_back(labelled.cluster);
  }

  v1::AlignmentReport Make() {
    *report_.mutable_before() = MakeAgreement(m_.before);
    *report_.mutable_after() = MakeAgreement(m_.held_out);
    AddDifference();
    report_.set_optimism(Share(m_.seen) - Share(m_.held_out));
    report_.set_majority_baseline(MajorityShare());
    AddHumanAgreement();
    AddCases();
    AddWarnings();
    return std::move(report_);
  }

 private:
  double Share(const std::vector<Judgement>& judgements) const {
    double same = 0;
    for (size_t i = 0; i < m_.cases.size(); ++i)
      same += judgements[i].Says(m_.cases[i].key) ? 1 : 0;
    return same / static_cast<double>(m_.cases.size());
  }

  static v1::Estimate MakeEstimate(double value, const stats::Interval& interval, size_t count) {
    v1::Estimate estimate;
    estimate.set_value(value);
    estimate.set_low(std::min(interval.low, value));
    estimate.set_high(std::max(interval.high, value));
    estimate.set_count(static_cast<int64_t>(count));
    return estimate;
  }

  v1::Agreement MakeAgreement(const std::vector<Judgement>& judgements) const {
    v1::Agreement agreement;
    std::vector<double> same;
    std::vector<stats::RatedPair> pairs;
    int64_t failed = 0;
    for (size_t i = 0; i < m_.cases.size(); ++i) {
      same.push_back(judgements[i].Says(m_.cases[i].key) ? 1 : 0);
      pairs.push_back({categories_.Of(m_.cases[i].key), judgements[i].has_value
                                                            ? categories_.Of(judgements[i].key)
                                                            : stats::kNoCategory});
      failed += judgements[i].has_value ? 0 : 1;
    }
    *agreement.mutable_agreement() =
        MakeEstimate(Share(judgements),
                     stats::ClusterMeanInterval(same, clusters_, {0, 1}, bootstrap_), same.size());
    const std::optional<double> kappa =
        stats::CohenKappa(pairs, categories_.count(), categories_.weights);
    const std::optional<stats::Interval> interval = stats::ClusterKappaInterval(
        pairs, categories_.count(), categories_.weights, clusters_, bootstrap_);
    if (kappa.has_value() && interval.has_value()) {
      *agreement.mutable_kappa() = MakeEstimate(*kappa, *interval, pairs.size());
    } else {
      agreement.mutable_kappa();
    }
    agreement.set_failed_count(failed);
    return agreement;
  }

  void AddDifference() {
    std::vector<double> differences;
    double sum = 0;
    for (size_t i = 0; i < m_.cases.size(); ++i) {
      const std::string& key = m_.cases[i].key;
      differences.push_back((m_.held_out[i].Says(key) ? 1 : 0) - (m_.before[i].Says(key) ? 1 : 0));
      sum += differences.back();
    }
    const double mean = sum / static_cast<double>(differences.size());
    const stats::Interval interval =
        stats::ClusterMeanInterval(differences, clusters_, {-1, 1}, bootstrap_);
    *report_.mutable_difference() = MakeEstimate(mean, interval, differences.size());
    report_.set_conclusion(interval.low > 0    ? v1::CONCLUSION_GAIN
                           : interval.high < 0 ? v1::CONCLUSION_HARM
                                               : v1::CONCLUSION_INCONCLUSIVE);
    report_.set_labels_to_settle(
        stats::ItemsToSettle(mean, interval, static_cast<int64_t>(differences.size())));
  }

  std::map<std::string, size_t> LabelCounts() const {
    std::map<std::string, size_t> counts;
    for (const LabelledCase& labelled : m_.cases) ++counts[labelled.key];
    return counts;
  }

  double MajorityShare() const {
    size_t most = 0;
    for (const auto& [key, count] : LabelCounts()) most = std::max(most, count);
    return static_cast<double>(most) / static_cast<double>(m_.cases.size());
  }

  void AddHumanAgreement() {
    std::vector<double> agreements;
    std::vector<int> clusters;
    double sum = 0;
    for (const LabelledCase& labelled : m_.cases) {
      std::map<std::string, int> seen;
      std::vector<int> ratings;
      for (const Label& label : labelled.labels) {
        ratings.push_back(seen.try_emplace(label.key, static_cast<int>(seen.size())).first->second);
      }
      const std::optional<double> agreement = stats::PairwiseAgreement(ratings);
      if (!agreement.has_value()) continue;
      agreements.push_back(*agreement);
      clusters.push_back(labelled.cluster);
      sum += *agreement;
    }
    v1::Estimate* estimate = report_.mutable_human_agreement();
    if (agreements.empty()) return;
    *estimate = MakeEstimate(sum / static_cast<double>(agreements.size()),
                             stats::ClusterMeanInterval(agreements, clusters, {0, 1}, bootstrap_),
                             agreements.size());
  }

  void AddCases() {
    size_t bytes = 0;
    for (size_t i = 0; i < m_.cases.size() && report_.cases_size() < kMaxReportedCases; ++i) {
      bytes += m_.cases[i].value.size() + m_.before[i].value.size() + m_.held_out[i].value.size();
      if (bytes > kMaxReportedValueBytes) break;
      v1::HeldOutCase* held_out = report_.add_cases();
      held_out->set_trace(m_.cases[i].trace);
      held_out->set_fold(m_.fold_of[i]);
      *held_out->mutable_human_value() = json::JsonFromText(m_.cases[i].value);
      if (m_.before[i].has_value) {
        *held_out->mutable_before_value() = json::JsonFromText(m_.before[i].value);
      }
      if (m_.held_out[i].has_value) {
        *held_out->mutable_after_value() = json::JsonFromText(m_.held_out[i].value);
      }
    }
  }

  void AddWarnings() {
    const size_t count = m_.cases.size();
    if (count < kFewLabels) {
      report_.add_warnings(StrCat("Only ", count,
                                  " labelled traces: the intervals are wide, and only a large "
                                  "gain can show."));
    }
    if (LabelCounts().size() == 1) {
      report_.add_warnings(
          "All labels are the same: kappa is not defined, and always giving that value agrees "
          "with everybody.");
    }
    std::set<std::string> annotators;
    for (const LabelledCase& labelled : m_.cases) {
      for (const Label& label : labelled.labels) annotators.insert(label.annotator);
    }
    if (report_.human_agreement().count() == 0) {
      report_.add_warnings(StrCat(
          annotators.size() <= 1 ? "One annotator: " : "No trace has labels of several people: ",
          "it is not known how well people agree with each other, the most that a judge can "
          "reach."));
    }
    if (static_cast<size_t>(report_.cases_size()) < count) {
      report_.add_warnings(StrCat("`cases` lists ", report_.cases_size(), " of ", count,
                                  " traces; the figures rest on all."));
    }
  }

  const Measurement& m_;
  const Categories categories_;
  const stats::BootstrapOptions bootstrap_;
  std::vector<int> clusters_;
  v1::AlignmentReport report_;
};

}  // namespace

v1::AlignmentReport MakeReport(const Measurement& measurement, const common::v1::ValueType& type,
                               uint64_t seed) {
  return Reporter(measurement, type, seed).Make();
}

}  // namespace assay::alignment
