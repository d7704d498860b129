#include "services/judge/core/calls/keyed_judgements.h"

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "common/json/utf8.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::judge {
namespace {

// Requests of one batch in work at a time.
constexpr int kBatchWidth = 256;

absl::Status CheckKey(const std::string& key, std::string_view field) {
  if (key.empty()) return InvalidField(field, "is required");
  if (json::CountChars(key) > kMaxKeyChars) {
    return InvalidField(field, StrCat("at most ", kMaxKeyChars, " characters are allowed"));
  }
  return absl::OkStatus();
}

template <class Response>
Response ResultOf(std::string key, absl::StatusOr<v1::JudgeResponse> answer) {
  Response response;
  response.set_key(std::move(key));
  if (answer.ok()) {
    *response.mutable_response() = *std::move(answer);
  } else {
    *response.mutable_error() = RequestErrorOf(answer.status());
  }
  return response;
}

absl::Status CheckBatch(const v1::JudgeBatchRequest& request) {
  if (request.requests().empty() || request.requests_size() > kMaxBatchRequests) {
    return InvalidField("requests", StrCat("from 1 to ", kMaxBatchRequests, " are allowed"));
  }
  std::set<std::string_view> keys;
  for (int i = 0; i < request.requests_size(); ++i) {
    const std::string field = StrCat("requests[", i, "].key");
    ASSAY_RETURN_IF_ERROR(CheckKey(request.requests(i).key(), field));
    if (!keys.insert(request.requests(i).key()).second) {
      return InvalidField(field, "is the key of another request of the batch", "DUPLICATE_KEY");
    }
  }
  return absl::OkStatus();
}

// One batch on its way.
class Batch : public std::enable_shared_from_this<Batch> {
 public:
  Batch(JudgeCalls& judgements, Executor& executor, CallContext context,
        v1::JudgeBatchRequest request, std::shared_ptr<StreamSink<v1::JudgeBatchResponse>> sink)
      : judgements_(judgements),
        executor_(executor),
        context_(std::move(context)),
        request_(std::move(request)),
        sink_(std::move(sink)),
        unanswered_(request_.requests_size()) {}

  void Begin() {
    for (int i = 0; i < std::min(kBatchWidth, request_.requests_size()); ++i) StartNext();
  }

 private:
  // On the executor, since an answer may come inline.
  void StartNext() {
    const int index = next_++;
    if (index >= request_.requests_size()) return;
    executor_.Run([self = shared_from_this(), index] { self->Judge(index); });
  }

  void Judge(int index) {
    const v1::JudgeStreamRequest& request = request_.requests(index);
    if (sink_->Ended()) return;  // Nobody reads on; the others end by their context.
    judgements_.Judge(
        context_, request.request(),
        [self = shared_from_this(),
         key = request.key()](absl::StatusOr<v1::JudgeResponse> answer) mutable {
          self->sink_->Write(ResultOf<v1::JudgeBatchResponse>(std::move(key), std::move(answer)));
          if (--self->unanswered_ == 0) self->sink_->Finish(absl::OkStatus());
          self->StartNext();
        });
  }

  JudgeCalls& judgements_;
  Executor& executor_;
  const CallContext context_;
  const v1::JudgeBatchRequest request_;
  const std::shared_ptr<StreamSink<v1::JudgeBatchResponse>> sink_;
  std::atomic<int> next_{0};
  std::atomic<int> unanswered_;
};

}  // namespace

v1::RequestError RequestErrorOf(const absl::Status& status) {
  constexpr size_t kMaxMessageChars = 4'096;
  v1::RequestError error;
  error.set_code(static_cast<int>(status.code()));
  error.set_reason(ErrorReason(status));
  error.set_message(json::PreviewOf(ToStd(status.message()), kMaxMessageChars));
  const std::vector<FieldViolation> violations = FieldViolations(status);
  if (!violations.empty()) error.set_field(violations.front().field);
  return error;
}

absl::Status JudgeStreamSession::Enter(const std::string& key) {
  ASSAY_RETURN_IF_ERROR(CheckKey(key, "key"));
  MutexLock lock(&mutex_);
  if (in_flight_.insert(key).second) return absl::OkStatus();
  return InvalidField("key", "is the key of another request in flight", "DUPLICATE_KEY");
}

void JudgeStreamSession::Judge(CallContext context, v1::JudgeStreamRequest request,
                               Done<v1::JudgeStreamResponse> done) {
  std::string key = request.key();
  if (absl::Status entered = Enter(key); !entered.ok()) {
    return std::move(done)(ResultOf<v1::JudgeStreamResponse>(std::move(key), std::move(entered)));
  }
  judgements_.Judge(
      std::move(context), std::move(*request.mutable_request()),
      [self = shared_from_this(), key,
       done = std::move(done)](absl::StatusOr<v1::JudgeResponse> answer) mutable {
        {
          MutexLock lock(&self->mutex_);
          self->in_flight_.erase(key);
        }
        std::move(done)(ResultOf<v1::JudgeStreamResponse>(std::move(key), std::move(answer)));
      });
}

void JudgeBatch(JudgeCalls& judgements, Executor& executor, CallContext context,
                const v1::JudgeBatchRequest& request,
                std::shared_ptr<StreamSink<v1::JudgeBatchResponse>> sink) {
  if (absl::Status valid = CheckBatch(request); !valid.ok()) return sink->Finish(std::move(valid));
  std::make_shared<Batch>(judgements, executor, std::move(context), request, std::move(sink))
      ->Begin();
}

}  // namespace assay::judge
