// Completeness on files in memory, on one thread: time moves when a test says so, and work runs in
// Settle.
#ifndef ASSAY_SERVICES_TRACE_TESTING_COMPLETION_FIXTURE_H_
#define ASSAY_SERVICES_TRACE_TESTING_COMPLETION_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/clock/fake_clock.h"
#include "common/clock/fake_timer.h"
#include "common/exec/executor.h"
#include "common/exec/stream_sink.h"
#include "common/status/status_matchers.h"
#include "services/trace/core/completion/completion.h"
#include "services/trace/core/trace_view.h"
#include "services/trace/store/completion_store.h"
#include "services/trace/store/feed_store.h"
#include "services/trace/testing/memory_trace_store.h"
#include "services/trace/testing/trace_store_conformance.h"

namespace assay::trace {

// Only TestChunk is used here.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TraceStoreConformance);

// A reader that takes `room` items and then no more until it is told to. Not thread-safe.
template <class T>
class FakeSink final : public StreamSink<T> {
 public:
  bool Write(T item) override {
    if (Ended()) return false;
    items.push_back(std::move(item));
    return items.size() < room;
  }
  void WhenReady(Task task) override { waiting = std::move(task); }
  void Finish(absl::Status end) override {
    if (!status.has_value()) status = std::move(end);
  }
  bool Ended() const override { return status.has_value(); }

  std::vector<T> items;
  size_t room = 1'000'000;
  std::optional<Task> waiting;
  std::optional<absl::Status> status;
};

// How a chunk of a test differs from one root span that has ended.
struct ChunkSpec {
  uint8_t span = 1;
  uint8_t parent = 0;
  bool ended = true;
  bool error = false;
  std::string session = "";
  std::string experiment = "e";
  uint64_t start_seconds = 100;
  bool complete = false;  // The sender says that the trace is whole.
};

class CompletionTest : public testing::Test {
 protected:
  CompletionTest() { Open(); }
  ~CompletionTest() override { Close(); }

  // Ends everything but the files, and begins anew.
  void Reopen() {
    Close();
    Open();
  }

  void Settle() { executor_.RunAll(); }
  void Advance(absl::Duration by) {
    clock_.Advance(by);
    Settle();
  }

  void Append(uint8_t trace, const ChunkSpec& span = {}) { AppendTogether({trace}, span); }
  // In one request.
  void AppendTogether(const std::vector<uint8_t>& traces, const ChunkSpec& span = {}) {
    std::vector<TraceChunk> chunks;
    for (const uint8_t trace : traces) chunks.push_back(ChunkOf(trace, span));
    absl::Status result = absl::UnknownError("not done");
    traces_->AppendSpans(std::move(chunks), false, [&](absl::StatusOr<AppendResult> answer) {
      result = answer.status();
      if (answer.ok()) appended_ = *std::move(answer);
    });
    Settle();
    EXPECT_OK(result);
  }
  static TraceChunk ChunkOf(uint8_t trace, const ChunkSpec& span) {
    TraceChunk chunk =
        TestChunk(trace, span.experiment, span.start_seconds, span.span, span.parent);
    if (chunk.facts.has_root()) {
      chunk.facts.mutable_root()->set_ended(span.ended);
      chunk.facts.mutable_root()->set_error(span.error);
    }
    chunk.facts.set_error_spans(span.error ? 1 : 0);
    chunk.complete = span.complete;
    if (!span.session.empty()) {
      chunk.facts.set_session(span.session);
      chunk.facts.add_terms(MakeTerm("session", span.session));
    }
    return chunk;
  }

  absl::Status Complete(uint8_t trace, RequestKey key = {}, const std::string& experiment = "e") {
    absl::Status result = absl::UnknownError("not done");
    core_->completer().Complete(experiment, TestTrace(trace), std::move(key),
                                [&](absl::Status status) { result = std::move(status); });
    Settle();
    return result;
  }

  v1::Trace Shown(uint8_t trace) {
    auto shown = GetTrace(*traces_, "-", TestTrace(trace), v1::TRACE_VIEW_BASIC);
    EXPECT_OK(shown);
    return shown.ok() ? *std::move(shown) : v1::Trace();
  }
  int64_t Generation(uint8_t trace) { return Shown(trace).completion_generation(); }

  std::shared_ptr<FakeSink<v1::WatchTracesResponse>> WatchTraces(
      const v1::WatchTracesRequest& request, size_t room = 1'000'000) {
    auto sink = std::make_shared<FakeSink<v1::WatchTracesResponse>>();
    sink->room = room;
    core_->watches().WatchTraces(context_, request, sink);
    Settle();
    return sink;
  }

  AppendResult appended_;  // The last one.
  FakeClock clock_;
  FakeTimerQueue timers_{&clock_};
  ManualExecutor executor_;
  rocks::MemoryFiles files_;
  CompletionOptions options_;
  CallContext context_;
  std::unique_ptr<MemoryTraceDb> db_;
  std::unique_ptr<OpenSessions> sessions_;
  std::unique_ptr<RocksTraceStore> traces_;
  std::unique_ptr<RocksCompletionStore> store_;
  std::unique_ptr<RocksFeedStore> feed_;
  std::unique_ptr<Completion> core_;

 private:
  void Open() {
    db_ = std::make_unique<MemoryTraceDb>(executor_, clock_, &files_);
    sessions_ = std::make_unique<OpenSessions>(clock_.Now(), db_->Experiments().empty(),
                                               options_.completer.idle_window);
    traces_ = std::make_unique<RocksTraceStore>(
        *db_, RocksTraceStoreOptions{.open_sessions = sessions_.get()});
    options_.completer.open_sessions = sessions_.get();
    store_ = std::make_unique<RocksCompletionStore>(*db_);
    feed_ = *RocksFeedStore::Open(*db_);
    core_ = std::make_unique<Completion>(*traces_, *store_, *feed_, executor_, timers_, clock_,
                                         options_);
    core_->Start();
    Settle();
  }
  void Close() {
    core_->Stop();
    Settle();
    core_.reset();
    feed_.reset();
    store_.reset();
    traces_.reset();
    db_.reset();
  }
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_TESTING_COMPLETION_FIXTURE_H_
