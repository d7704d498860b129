#include "common/log/buffered_sink.h"

#include <signal.h>
#include <spdlog/details/log_msg.h>

#include <utility>

#include "absl/time/time.h"

namespace assay::log {
namespace {

constexpr size_t kMostBytes = 64 * 1024;

}  // namespace

BufferedSink::BufferedSink(Write write, std::chrono::milliseconds max_delay)
    : write_(std::move(write)), max_delay_(max_delay) {
  // Signals are for the process's own threads: one that came here would end it, as nothing is blocked
  // yet when the first line is logged.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { FlushInTime(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

BufferedSink::~BufferedSink() {
  {
    MutexLock lock(&timing_);
    closing_ = true;
    lines_arrive_.Signal();
    closes_.Signal();
  }
  thread_.join();
  try {
    flush_();
  } catch (...) {
    // As anywhere in a log: nobody is left to be told.
  }
}

void BufferedSink::sink_it_(const spdlog::details::log_msg& message) {
  const bool first = waiting_.empty();
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  waiting_.append(line.data(), line.size());
  if (waiting_.size() >= kMostBytes) return flush_();
  if (!first) return;
  MutexLock lock(&timing_);
  lines_wait_ = true;
  lines_arrive_.Signal();
}

void BufferedSink::flush_() {
  const std::string lines = std::exchange(waiting_, {});
  if (!lines.empty()) write_(lines);
}

void BufferedSink::FlushInTime() {
  while (true) {
    {
      MutexLock lock(&timing_);
      while (!lines_wait_ && !closing_) lines_arrive_.Wait(&timing_);
      if (closing_) return;
      lines_wait_ = false;
      closes_.WaitFor(&timing_, absl::FromChrono(max_delay_));
    }
    try {
      flush();
    } catch (...) {
      // A full disk: these lines are lost, the next ones may not be.
    }
  }
}

}  // namespace assay::log
