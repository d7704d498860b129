// A judgement as a trace: the questions that were put to models, and what they answered.
#ifndef ASSAY_SERVICES_JUDGE_CORE_JUDGEMENT_TRACE_H_
#define ASSAY_SERVICES_JUDGE_CORE_JUDGEMENT_TRACE_H_

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/sync/mutex.h"
#include "services/judge/core/model_client.h"

namespace assay::judge {

struct RecordedModelCall {
  std::string model_uri;
  std::vector<ChatMessage> messages;
  bool messages_left_out = false;  // Beyond CallRecorder::kMaxBytes.
  std::map<std::string, double> parameters;
  absl::StatusOr<ModelResponse> response;
  absl::Time start;
  absl::Time end;
};

// Gathers the calls of one judgement; its parts may run at the same time. Thread-safe.
class CallRecorder {
 public:
  static constexpr size_t kMaxCalls = 1'000;  // Further ones are counted only.
  // Of messages, in all. Each round of an agent repeats the ones before.
  static constexpr size_t kMaxBytes = size_t{4} << 20;

  void Add(RecordedModelCall call) ABSL_LOCKS_EXCLUDED(mutex_) {
    size_t bytes = 0;
    for (const ChatMessage& message : call.messages) bytes += message.text.size();
    MutexLock lock(&mutex_);
    if (calls_.size() >= kMaxCalls) {
      ++left_out_;
      return;
    }
    if (bytes_ + bytes > kMaxBytes) {
      call.messages.clear();
      call.messages_left_out = true;
    } else {
      bytes_ += bytes;
    }
    calls_.push_back(std::move(call));
  }

  // The calls in the order in which they ended, and how many were left out.
  std::pair<std::vector<RecordedModelCall>, size_t> Take() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    return {std::move(calls_), left_out_};
  }

 private:
  Mutex mutex_;
  std::vector<RecordedModelCall> calls_ ABSL_GUARDED_BY(mutex_);
  size_t left_out_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

struct JudgementTrace {
  std::string experiment;  // experiments/{experiment}
  std::string trace_id;    // 32 hex digits.
  std::string assessment_name;
  std::string judge_revision;  // "" for a judge defined in a request.
  std::string judged;          // The trace or session that was judged, or "".
  std::string value;           // JSON text, or "".
  std::string rationale;
  std::string error_code;  // "" unless the outcome is ERROR.
  std::string error_message;
  std::vector<RecordedModelCall> calls;
  size_t calls_left_out = 0;
  absl::Time start;
  absl::Time end;
};

// Where judgements' traces go. Thread-safe.
class JudgementTraceSink {
 public:
  virtual ~JudgementTraceSink() = default;

  // Never blocks and never fails a judgement: a trace that cannot be kept is counted and left out.
  virtual void Record(JudgementTrace trace) = 0;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_JUDGEMENT_TRACE_H_
