// Clients that watch alignments.
#ifndef ASSAY_SERVICES_ALIGNMENT_CORE_WATCHERS_H_
#define ASSAY_SERVICES_ALIGNMENT_CORE_WATCHERS_H_

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "assay/alignment/v1/alignment_service.pb.h"
#include "common/exec/executor.h"
#include "common/exec/stream_sink.h"

namespace assay::alignment {

// Everything runs in turn on a strand of the executor: what a client sees never goes backwards, and
// whoever joins while an alignment ends sees its end. A client that reads slowly skips states,
// never the last one. Thread-safe.
class Watchers {
 public:
  using Sink = StreamSink<v1::WatchAlignmentResponse>;
  // The state of an alignment as it is now; called on the executor, may block on storage.
  using Look = std::function<absl::StatusOr<v1::Alignment>(const std::string& name)>;

  // The executor outlives this, and is drained before this goes.
  Watchers(Executor& executor, Look look) : strand_(&executor), look_(std::move(look)) {}

  // Sends the state now and after each Publish; ends the stream after a state that is not RUNNING,
  // or with the error of `look`.
  void Add(std::string name, std::shared_ptr<Sink> sink);
  // The alignment has changed.
  void Publish(std::string name);

 private:
  struct Watcher {
    std::string name;
    std::shared_ptr<Sink> sink;
    bool waits = false;   // For room in the stream.
    bool missed = false;  // Something changed meanwhile.
  };

  // On the strand. False once the stream is over.
  bool Send(const std::shared_ptr<Watcher>& watcher);
  void Resume(const std::shared_ptr<Watcher>& watcher);

  StrandExecutor strand_;
  const Look look_;
  std::list<std::shared_ptr<Watcher>> watchers_;  // Only on the strand.
};

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_CORE_WATCHERS_H_
