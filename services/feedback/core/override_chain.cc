#include "services/feedback/core/override_chain.h"

#include <utility>

#include "common/proto/time.h"
#include "common/request/etag.h"
#include "common/status/errors.h"

namespace assay::feedback {
namespace {

void Touch(absl::Time now, v1::Assessment* assessment) {
  *assessment->mutable_update_time() = proto::ToTimestamp(now);
  assessment->set_etag(NextEtag(assessment->etag()));
}

}  // namespace

absl::StatusOr<FeedbackStore::Override> OverrideWith(const v1::Assessment& current,
                                                     v1::Assessment successor, absl::Time now) {
  if (!current.has_feedback()) {
    return PreconditionFailed(
        "NOT_A_FEEDBACK", current.name(),
        "is an expectation; only a feedback can be overridden: update it instead");
  }
  if (!current.valid()) {
    return PreconditionFailed("ALREADY_OVERRIDDEN", current.name(),
                              "is overridden already; override the one that overrides it");
  }
  FeedbackStore::Override made{current, std::move(successor)};
  made.overridden.set_valid(false);
  Touch(now, &made.overridden);
  made.successor.set_assessment_name(current.assessment_name());
  *made.successor.mutable_target() = current.target();
  made.successor.set_overrides(current.name());
  made.successor.set_valid(true);
  return made;
}

void UnlinkFromChain(const v1::Assessment& current, absl::Time now,
                     FeedbackStore::Neighbours& neighbours) {
  if (neighbours.successor.has_value()) {
    neighbours.successor->set_overrides(current.overrides());
    Touch(now, &*neighbours.successor);
  } else if (neighbours.overridden.has_value()) {
    neighbours.overridden->set_valid(true);
    Touch(now, &*neighbours.overridden);
  }
}

}  // namespace assay::feedback
