// The changes of assessments that the trace service may not know yet, as the pusher sees them.
#ifndef ASSAY_SERVICES_FEEDBACK_CORE_OUTBOX_H_
#define ASSAY_SERVICES_FEEDBACK_CORE_OUTBOX_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "assay/trace/v1/trace_service.pb.h"

namespace assay::feedback {

// Thread-safe. Reads and acknowledgements block on storage.
class Outbox {
 public:
  virtual ~Outbox() = default;

  // Whose sequence numbers these are.
  virtual const std::string& StoreId() const = 0;

  // The oldest changes, in order, at most `limit` and about `max_bytes` (but at least one, if there
  // is one). A change is shown only when no change with a smaller sequence can still appear.
  virtual absl::StatusOr<std::vector<trace::v1::AssessmentChange>> Pending(
      int limit, size_t max_bytes) const = 0;

  // Forgets all changes up to `sequence`.
  virtual absl::Status Acknowledge(int64_t sequence) = 0;

  // `changed` is called, on any thread, whenever Pending may have more to show, until StopListening
  // has returned. One listener at a time. It must be quick, and must not call the outbox.
  virtual void Listen(std::function<void()> changed) = 0;
  virtual void StopListening() = 0;
};

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_CORE_OUTBOX_H_
