// Registering what came of an alignment.
#ifndef ASSAY_SERVICES_ALIGNMENT_CORE_REGISTRATION_H_
#define ASSAY_SERVICES_ALIGNMENT_CORE_REGISTRATION_H_

#include "absl/status/statusor.h"
#include "assay/alignment/v1/alignment_service.pb.h"
#include "common/exec/call_context.h"
#include "services/alignment/core/alignment_store.h"
#include "services/alignment/core/ports.h"

namespace assay::alignment {

// Everything is checked before anything is changed. The revision is made under a request id of the
// alignment's own and carries its name: repeated calls, also after a crash in between, make one
// revision. Blocks: not from a thread that store or registry need. Errors: those of
// RegisterAlignment. Thread-safe.
absl::StatusOr<v1::RegisterAlignmentResponse> RegisterCandidate(
    const CallContext& context, const v1::RegisterAlignmentRequest& request, AlignmentStore& store,
    RegistryPort& registry);

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_CORE_REGISTRATION_H_
