// Chains of overriding feedback: the newest one counts, and what happens when a link goes.
#ifndef ASSAY_SERVICES_FEEDBACK_CORE_OVERRIDE_CHAIN_H_
#define ASSAY_SERVICES_FEEDBACK_CORE_OVERRIDE_CHAIN_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "assay/feedback/v1/assessment.pb.h"
#include "services/feedback/core/feedback_store.h"

namespace assay::feedback {

// `successor` is whole but for what it takes over from `current`: its assessment_name, target and
// `overrides`. FAILED_PRECONDITION with NOT_A_FEEDBACK or ALREADY_OVERRIDDEN. Thread-safe.
absl::StatusOr<FeedbackStore::Override> OverrideWith(const v1::Assessment& current,
                                                     v1::Assessment successor, absl::Time now);

// Makes the neighbours fit the deletion of `current`: what it overrode counts again; if `current`
// did not count itself, what overrides it now overrides what it overrode. Thread-safe.
void UnlinkFromChain(const v1::Assessment& current, absl::Time now,
                     FeedbackStore::Neighbours& neighbours);

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_CORE_OVERRIDE_CHAIN_H_
