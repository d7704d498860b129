// Streams of an evaluation's progress.
#ifndef ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_WATCH_H_
#define ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_WATCH_H_

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "assay/judge/v1/evaluation_service.pb.h"
#include "common/clock/timer.h"
#include "common/exec/executor.h"
#include "common/exec/stream_sink.h"
#include "common/names/resource_name.h"
#include "common/sync/mutex.h"
#include "services/judge/core/evaluation/evaluation_reader.h"

namespace assay::judge {

// Thread-safe. What it is given outlives it and its streams; `timers` goes first of them.
class EvaluationWatch {
 public:
  using Sink = std::shared_ptr<StreamSink<v1::WatchEvaluationResponse>>;

  // A stream gets at most one step in `interval`, and always the last one.
  EvaluationWatch(const EvaluationReader& reader, Executor& executor, TimerQueue& timers,
                  absl::Duration interval);

  // The evaluation as it is, then as it changes; the stream ends when it has ended. NOT_FOUND ends
  // the stream at once. Blocks on storage.
  void Watch(const names::EvaluationName& name, Sink sink);

  // The evaluation has changed. Blocks nothing.
  void Changed(const std::string& uid);

 private:
  // A reader that does not keep up misses steps, but not the last one.
  struct Stream {
    Sink sink;
    std::shared_ptr<std::atomic<bool>> keeps_up = std::make_shared<std::atomic<bool>>(true);
  };
  struct Watched {
    names::EvaluationName name;
    std::vector<Stream> streams;
    bool is_due = false;    // A step is about to be sent.
    bool is_stale = false;  // It has changed since.
  };
  // Shared with timers and tasks, which may come late.
  struct State;

  const std::shared_ptr<State> state_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_EVALUATION_EVALUATION_WATCH_H_
