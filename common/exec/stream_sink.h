// Where a producer in core writes a stream of answers.
#ifndef ASSAY_COMMON_EXEC_STREAM_SINK_H_
#define ASSAY_COMMON_EXEC_STREAM_SINK_H_

#include "absl/status/status.h"
#include "common/exec/executor.h"

namespace assay::inline exec {

// Held by std::shared_ptr; when the last one goes without Finish, the stream ends with INTERNAL.
// Items go out in the order of the calls. Thread-safe. Nothing blocks, nothing calls back inline.
template <class T>
class StreamSink {
 public:
  virtual ~StreamSink() = default;

  // Queues `item`. True: go on. False: stop; either the backlog has reached its bound (the item was
  // queued; ask WhenReady when to go on) or the stream is over (the item was dropped; Ended()
  // tells). A producer that goes on regardless may run into the hard bound, which ends the stream
  // with RESOURCE_EXHAUSTED SLOW_READER.
  virtual bool Write(T item) = 0;

  // Runs `task` once, on the executor of handlers, when there is room again or the stream is over.
  virtual void WhenReady(Task task) = 0;

  // Ends the stream with `status` once what is queued has gone out. A second call is ignored.
  virtual void Finish(absl::Status status) = 0;

  // The reader is gone, the server drains, or Finish was called: there is no use in producing more.
  virtual bool Ended() const = 0;
};

}  // namespace assay::inline exec

#endif  // ASSAY_COMMON_EXEC_STREAM_SINK_H_
