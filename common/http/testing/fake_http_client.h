// An HttpClient that answers from a function. For tests.
#ifndef ASSAY_COMMON_HTTP_TESTING_FAKE_HTTP_CLIENT_H_
#define ASSAY_COMMON_HTTP_TESTING_FAKE_HTTP_CLIENT_H_

#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "common/exec/executor.h"
#include "common/http/http_client.h"
#include "common/status/errors.h"
#include "common/sync/mutex.h"

namespace assay::http {

// Answers with what was queued, in order; then with the handler; else with 404. Thread-safe.
class FakeHttpClient final : public HttpClient {
 public:
  using Handler = std::function<absl::StatusOr<HttpResponse>(const HttpRequest&)>;

  // Answers on `executor`, which outlives the client.
  explicit FakeHttpClient(Executor* executor) : executor_(executor) {}

  void Enqueue(absl::StatusOr<HttpResponse> answer) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    answers_.push_back(std::move(answer));
  }
  void Enqueue(int status, std::string body, std::vector<HttpHeader> headers = {}) {
    Enqueue(HttpResponse{status, std::move(headers), std::move(body)});
  }
  void SetHandler(Handler handler) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    handler_ = std::move(handler);
  }

  // All requests so far, in order.
  std::vector<HttpRequest> requests() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    return requests_;
  }

  void Send(HttpRequest request, CallContext context, Done<HttpResponse> done) override
      ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::StatusOr<HttpResponse> answer = HttpResponse{404, {}, "nothing was queued"};
    {
      MutexLock lock(&mutex_);
      requests_.push_back(request);
      if (context.Cancelled()) {
        answer = MakeError(absl::StatusCode::kCancelled, "CANCELLED", "cancelled");
      } else if (!answers_.empty()) {
        answer = std::move(answers_.front());
        answers_.pop_front();
      } else if (handler_) {
        answer = handler_(request);
      }
    }
    executor_->Run([done = std::move(done), answer = std::move(answer)]() mutable {
      std::move(done)(std::move(answer));
    });
  }

 private:
  Executor* const executor_;
  mutable Mutex mutex_;
  std::deque<absl::StatusOr<HttpResponse>> answers_ ABSL_GUARDED_BY(mutex_);
  Handler handler_ ABSL_GUARDED_BY(mutex_);
  std::vector<HttpRequest> requests_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::http

#endif  // ASSAY_COMMON_HTTP_TESTING_FAKE_HTTP_CLIENT_H_
