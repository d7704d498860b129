#include "services/judge/core/calls/recorded_calls.h"

#include <optional>

#include "common/status/errors.h"
#include "common/strings/strings.h"

namespace assay::judge {
namespace {

absl::Status ReusedRequestId() {
  return InvalidField("request_id", "it was used for a request with another body",
                      "REQUEST_ID_REUSED");
}

// The token of work that outlives its caller: cancelled when the caller has left and the process
// stops, whichever comes first.
struct Hold {
  std::shared_ptr<CancellationToken> caller;
  std::shared_ptr<CancellationToken> stop;
  std::shared_ptr<CancellationToken> work = std::make_shared<CancellationToken>();
  // Last: they go first, and wait for callbacks that run.
  CancellationToken::Registration on_leave;
  CancellationToken::Registration on_stop;
};

}  // namespace

RecordedCalls::Outliving RecordedCalls::Outlive(const CallContext& context) const {
  if (context.cancel == nullptr) return {context, nullptr};
  auto hold = std::make_shared<Hold>();
  hold->caller = context.cancel;
  hold->stop = stop_;
  const auto end_if_both = [held = hold.get()] {
    if (held->caller->IsCancelled() && held->stop->IsCancelled()) held->work->Cancel();
  };
  hold->on_leave = context.cancel->OnCancel(end_if_both);
  hold->on_stop = stop_->OnCancel(end_if_both);
  Outliving outliving{context, nullptr};
  outliving.context.cancel = hold->work;
  outliving.hold = std::move(hold);
  return outliving;
}

void RecordedCalls::Do(RequestKey key, Work work, Done<std::string> done) {
  if (key.request_id.empty()) {
    std::move(work)([done = std::move(done)](absl::StatusOr<CallAnswer> answer) mutable {
      if (!answer.ok()) return std::move(done)(answer.status());
      std::move(done)(std::move(answer->bytes));
    });
    return;
  }
  FlightKey flight_key{StrCat(key.principal, "\n", key.method), key.request_id};
  bool is_first = false;
  bool same_body = false;
  {
    MutexLock lock(&mutex_);
    auto [flight, inserted] = flights_.try_emplace(flight_key, Flight{key.body_sha256, {}});
    is_first = inserted;
    same_body = flight->second.body_sha256 == key.body_sha256;
    if (same_body && !is_first) {
      flight->second.waiting.push_back({std::move(work), std::move(done)});
    } else if (is_first) {
      flight->second.waiting.push_back({nullptr, std::move(done)});
    }
  }
  if (!same_body) return std::move(done)(ReusedRequestId());
  if (!is_first) return;
  absl::StatusOr<std::optional<std::string>> recorded = store_.Find(key);
  if (!recorded.ok()) return Finish(key, flight_key, recorded.status());
  if (recorded->has_value()) return Finish(key, flight_key, **std::move(recorded));
  Call(std::move(key), flight_key, std::move(work));
}

void RecordedCalls::Call(RequestKey key, const FlightKey& flight_key, Work work) {
  std::move(
      work)([this, key = std::move(key), flight_key](absl::StatusOr<CallAnswer> answer) mutable {
    if (!answer.ok()) return Finish(key, flight_key, answer.status());
    if (!answer->record) return Finish(key, flight_key, std::move(answer->bytes));
    std::string copy = answer->bytes;
    store_.Record(key, std::move(copy),
                  [this, key, flight_key, bytes = std::move(answer->bytes)](absl::Status status) {
                    if (!status.ok()) return Finish(key, flight_key, status);
                    Finish(key, flight_key, bytes);
                  });
  });
}

void RecordedCalls::Finish(const RequestKey& key, const FlightKey& flight_key,
                           const absl::StatusOr<std::string>& answer) {
  std::deque<Waiter> answered;
  Work next;
  {
    MutexLock lock(&mutex_);
    const auto flight = flights_.find(flight_key);
    std::deque<Waiter>& waiting = flight->second.waiting;
    if (answer.status().code() == absl::StatusCode::kCancelled && waiting.size() > 1) {
      // Who made the call has gone; the others have not.
      answered.push_back(std::move(waiting.front()));
      waiting.pop_front();
      next = std::exchange(waiting.front().work, nullptr);
    } else {
      answered = std::move(waiting);
      flights_.erase(flight);
    }
  }
  for (Waiter& waiter : answered) std::move(waiter.done)(answer);
  if (next) Call(key, flight_key, std::move(next));
}

}  // namespace assay::judge
