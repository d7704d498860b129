#include "tests/load/stream_load.h"

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "assay/judge/v1/judge_service.grpc.pb.h"
#include "common/strings/strings.h"
#include "common/sync/mutex.h"
#include "common/sync/notification.h"
#include "tests/load/workload.h"

namespace assay::load {
namespace {

using judge::v1::JudgeStreamRequest;
using judge::v1::JudgeStreamResponse;

constexpr std::chrono::seconds kPatience(60);  // Beyond the window's end.

// One stream with a number of judgements in flight; the key of each is its place.
class Stream final : public grpc::ClientBidiReactor<JudgeStreamRequest, JudgeStreamResponse> {
 public:
  Stream(const std::shared_ptr<grpc::Channel>& channel, size_t in_flight, size_t judged_bytes,
         const Window& window, std::atomic<uint64_t>* next)
      : stub_(judge::v1::JudgeService::NewStub(channel)),
        judged_bytes_(judged_bytes),
        window_(window),
        next_(next),
        since_(in_flight) {
    context_.set_deadline(std::chrono::system_clock::now() +
                          std::chrono::duration_cast<std::chrono::system_clock::duration>(
                              window.end - LoadClock::now()) +
                          kPatience);
  }

  void Start() {
    stub_->async()->JudgeStream(&context_, this);
    StartRead(&response_);
    for (size_t place = 0; place < since_.size(); ++place) Ask(place);
    StartCall();
  }

  // After the end of the stream.
  LoadResult Wait() {
    ended_.Wait();
    return std::move(result_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    const size_t place = std::strtoul(response_.key().c_str(), nullptr, 10) % since_.size();
    const std::string wrong = response_.has_response() ? WhatIsWrongWith(response_.response())
                                                       : StrCat(response_.error().reason(), ": ",
                                                                response_.error().message());
    result_.Count(window_, since_[place], wrong);
    StartRead(&response_);
    if (wrong.empty() && LoadClock::now() < window_.end) return Ask(place);
    bool finish = false;
    {
      MutexLock lock(&mutex_);
      all_answered_ = ++idle_ == since_.size();
      finish = all_answered_ && !writing_;
    }
    if (finish) StartWritesDone();
  }

  void OnWriteDone(bool ok) override {
    const JudgeStreamRequest* following = nullptr;
    bool finish = false;
    {
      MutexLock lock(&mutex_);
      waiting_.pop_front();
      if (ok && !waiting_.empty()) following = &waiting_.front();
      writing_ = following != nullptr;
      finish = ok && !writing_ && all_answered_;
    }
    if (following != nullptr) StartWrite(following);
    if (finish) StartWritesDone();
  }

  void OnDone(const grpc::Status& status) override {
    if (!status.ok()) {
      result_.Count(window_, LoadClock::now(),
                    StrCat("stream ended with status ", static_cast<int>(status.error_code()), ": ",
                           status.error_message()));
    }
    ended_.Notify();
  }

 private:
  void Ask(size_t place) {
    JudgeStreamRequest request;
    request.set_key(StrCat(place));
    const uint64_t number = next_->fetch_add(1, std::memory_order_relaxed);
    *request.mutable_request() = ExampleJudgement(number, judged_bytes_);
    since_[place] = LoadClock::now();
    const JudgeStreamRequest* first = nullptr;
    {
      MutexLock lock(&mutex_);
      waiting_.push_back(std::move(request));
      if (writing_) return;
      writing_ = true;
      first = &waiting_.front();
    }
    StartWrite(first);
  }

  const std::unique_ptr<judge::v1::JudgeService::Stub> stub_;
  const size_t judged_bytes_;
  const Window window_;
  std::atomic<uint64_t>* const next_;
  grpc::ClientContext context_;
  JudgeStreamResponse response_;
  std::vector<LoadClock::time_point> since_;  // By place; before the request is written.
  LoadResult result_;
  Notification ended_;

  Mutex mutex_;
  std::deque<JudgeStreamRequest> waiting_ ABSL_GUARDED_BY(mutex_);  // The first is being written.
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool all_answered_ ABSL_GUARDED_BY(mutex_) = false;
  size_t idle_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace

LoadResult RunStreamLoad(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                         const StreamLoadOptions& options, const Window& window) {
  std::atomic<uint64_t> next{0};
  std::vector<std::unique_ptr<Stream>> streams;
  for (int i = 0; i < options.streams; ++i) {
    const int share =
        options.in_flight / options.streams + (i < options.in_flight % options.streams ? 1 : 0);
    if (share == 0) break;
    streams.push_back(std::make_unique<Stream>(channels[static_cast<size_t>(i) % channels.size()],
                                               static_cast<size_t>(share), options.judged_bytes,
                                               window, &next));
    streams.back()->Start();
  }
  LoadResult total;
  for (const std::unique_ptr<Stream>& stream : streams) total.Add(stream->Wait());
  return total;
}

}  // namespace assay::load
