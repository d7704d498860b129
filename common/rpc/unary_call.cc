#include "common/rpc/unary_call.h"

#include <exception>

#include "common/rpc/stream_errors.h"

namespace assay::rpc {

void UnaryReactor::OnCancel() { record_.context().cancel->Cancel(); }

void UnaryReactor::Begin(Executor& executor) {
  if (absl::Status admitted = record_.Admit(); !admitted.ok()) {
    FinishWith(admitted);
    return;
  }
  executor.Run([this] { RunOnExecutor(); });
}

void UnaryReactor::RunOnExecutor() {
  // Nobody waits for work whose time ran out in the queue.
  const absl::Status useful = record_.context().Check(record_.environment().clock().Now());
  if (!useful.ok()) {
    FinishWith(useful);
    return;
  }
  std::optional<absl::Status> thrown;
  try {
    RunHandler();
  } catch (const std::exception& e) {
    thrown = HandlerThrew(record_.method(), e.what());
  } catch (...) {
    thrown = HandlerThrew(record_.method(), "not a std::exception");
  }
  std::optional<absl::Status> finish;
  {
    MutexLock lock(&mutex_);
    handler_returned_ = true;
    if (thrown.has_value()) thrown_ = std::move(thrown);
    if (answer_.has_value()) finish = thrown_.has_value() ? thrown_ : answer_;
  }
  // If the answer is still to come, its thread may have deleted this call by now.
  if (finish.has_value()) FinishWith(*finish);
}

void UnaryReactor::Answer(absl::Status status) {
  {
    MutexLock lock(&mutex_);
    if (thrown_.has_value()) status = *thrown_;
    answer_ = status;
    if (!handler_returned_) return;
  }
  FinishWith(status);
}

void UnaryReactor::FinishWith(const absl::Status& status) { Finish(record_.End(status)); }

}  // namespace assay::rpc
