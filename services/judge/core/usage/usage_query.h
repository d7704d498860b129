// Adding up usage by what a query asks for.
#ifndef ASSAY_SERVICES_JUDGE_CORE_USAGE_USAGE_QUERY_H_
#define ASSAY_SERVICES_JUDGE_CORE_USAGE_USAGE_QUERY_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assay/judge/v1/usage_service.pb.h"
#include "services/judge/core/usage/usage_counts.h"
#include "services/judge/core/usage/usage_store.h"

namespace assay::judge {

// A query that has been checked, and what it has added up so far. Not thread-safe.
class UsageQuery {
 public:
  // Errors: INVALID_ARGUMENT that name the field.
  static absl::StatusOr<UsageQuery> Parse(const v1::QueryUsageRequest& request, absl::Time now);

  const UsageRange& range() const { return range_; }
  void Add(const UsageKey& key, const UsageCounts& counts);
  // The page that the request asks for. INVALID_ARGUMENT INVALID_PAGE_TOKEN.
  absl::StatusOr<v1::QueryUsageResponse> Answer(const v1::QueryUsageRequest& request) const;

 private:
  bool Wants(const UsageKey& key) const;

  UsageRange range_;
  std::string judge_;
  std::string model_;
  bool by_experiment_ = false;
  bool by_judge_ = false;
  bool by_model_ = false;
  bool by_day_ = false;
  // By day, experiment, judge and model; what is not asked for is empty.
  std::map<std::pair<int64_t, UsageKey>, UsageCounts> rows_;
  UsageCounts total_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_USAGE_USAGE_QUERY_H_
