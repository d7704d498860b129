// Where log lines wait for each other. Private to this package.
#ifndef ASSAY_COMMON_LOG_BUFFERED_SINK_H_
#define ASSAY_COMMON_LOG_BUFFERED_SINK_H_

#include <spdlog/sinks/base_sink.h>

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "common/sync/mutex.h"

namespace assay::log {

// Writes lines in large pieces: a system call for each line of the request log would be a
// good part of what a short call costs. A line waits for at most `max_delay`; flush() writes at once
// (spdlog's flush_on says for which levels). What waits is lost if the process is killed.
// Thread-safe.
class BufferedSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  static constexpr std::chrono::milliseconds kMaxDelay{100};

  // Takes whole lines, several at a time; is not called by two threads at once. May throw.
  using Write = std::function<void(std::string_view lines)>;

  explicit BufferedSink(Write write, std::chrono::milliseconds max_delay = kMaxDelay);
  ~BufferedSink() override;  // Writes what waits.

 private:
  // Both hold base_sink's mutex.
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override;

  void FlushInTime() ABSL_LOCKS_EXCLUDED(timing_);

  const Write write_;
  const std::chrono::milliseconds max_delay_;
  std::string waiting_;  // Under base_sink's mutex.

  Mutex timing_;
  CondVar lines_arrive_;
  CondVar closes_;
  bool lines_wait_ ABSL_GUARDED_BY(timing_) = false;
  bool closing_ ABSL_GUARDED_BY(timing_) = false;
  std::thread thread_;
};

}  // namespace assay::log

#endif  // ASSAY_COMMON_LOG_BUFFERED_SINK_H_
