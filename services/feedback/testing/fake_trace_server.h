// A trace service behind a real port; for tests of clients and of the whole feedback service.
#ifndef ASSAY_SERVICES_FEEDBACK_TESTING_FAKE_TRACE_SERVER_H_
#define ASSAY_SERVICES_FEEDBACK_TESTING_FAKE_TRACE_SERVER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "assay/trace/v1/trace_service.grpc.pb.h"
#include "common/exec/executor.h"
#include "common/rpc/runtime.h"
#include "common/rpc/testing/test_server.h"
#include "common/sync/mutex.h"

namespace assay::feedback {

// Every trace exists but those that are said not to; keeps the projection it is told. Thread-safe.
class FakeTraceServer {
 public:
  const std::string& address() const { return server_.address(); }

  void Remove(const std::string& trace) {
    MutexLock lock(&state_.mutex);
    state_.missing.insert(trace);
  }
  int lookups() const {
    MutexLock lock(&state_.mutex);
    return state_.lookups;
  }
  void WaitUntilApplied(int64_t sequence) {
    MutexLock lock(&state_.mutex);
    while (state_.applied < sequence) state_.changed.Wait(&state_.mutex);
  }
  // The last that was said of each assessment.
  std::map<std::string, trace::v1::AssessmentChange> projection() const {
    MutexLock lock(&state_.mutex);
    return state_.projection;
  }

 private:
  struct State {
    mutable Mutex mutex;
    CondVar changed;
    std::set<std::string> missing ABSL_GUARDED_BY(mutex);
    int lookups ABSL_GUARDED_BY(mutex) = 0;
    int64_t applied ABSL_GUARDED_BY(mutex) = 0;
    std::map<std::string, trace::v1::AssessmentChange> projection ABSL_GUARDED_BY(mutex);
  };

  class Projection final : public trace::v1::AssessmentProjectionService::CallbackService {
   public:
    Projection(State& state, rpc::Runtime& runtime) : state_(state), runtime_(runtime) {}
    grpc::ServerUnaryReactor* ApplyAssessments(
        grpc::CallbackServerContext* context, const trace::v1::ApplyAssessmentsRequest* request,
        trace::v1::ApplyAssessmentsResponse* response) override {
      return runtime_.Unary(
          context, "assay.trace.v1.AssessmentProjectionService/ApplyAssessments", request, response,
          [this](const CallContext&, const trace::v1::ApplyAssessmentsRequest& request,
                 Done<trace::v1::ApplyAssessmentsResponse> done) {
            std::move(done)(Answer(request));
          });
    }

    grpc::ServerUnaryReactor* FindMissingTraces(
        grpc::CallbackServerContext* context, const trace::v1::FindMissingTracesRequest* request,
        trace::v1::FindMissingTracesResponse* response) override {
      return runtime_.Unary(
          context, "assay.trace.v1.AssessmentProjectionService/FindMissingTraces", request,
          response,
          [this](const CallContext&, const trace::v1::FindMissingTracesRequest& request,
                 Done<trace::v1::FindMissingTracesResponse> done) {
            std::move(done)(Missing(request));
          });
    }

   private:
    trace::v1::FindMissingTracesResponse Missing(
        const trace::v1::FindMissingTracesRequest& request) {
      MutexLock lock(&state_.mutex);
      ++state_.lookups;
      trace::v1::FindMissingTracesResponse response;
      for (const std::string& trace : request.traces()) {
        if (state_.missing.contains(trace)) response.add_missing(trace);
      }
      return response;
    }
    trace::v1::ApplyAssessmentsResponse Answer(const trace::v1::ApplyAssessmentsRequest& request) {
      MutexLock lock(&state_.mutex);
      for (const trace::v1::AssessmentChange& change : request.changes()) {
        if (change.sequence() <= state_.applied) continue;
        state_.applied = change.sequence();
        state_.projection[change.digest().assessment()] = change;
      }
      state_.changed.SignalAll();
      trace::v1::ApplyAssessmentsResponse response;
      response.set_applied_sequence(state_.applied);
      return response;
    }
    State& state_;
    rpc::Runtime& runtime_;
  };

  State state_;
  ThreadPool executor_{"fake-trace", 2};
  rpc::Runtime runtime_{rpc::RuntimeOptions{.service = "trace", .executor = &executor_}};
  Projection projection_{state_, runtime_};
  rpc::TestServer server_{
      {{trace::v1::AssessmentProjectionService::service_full_name(), &projection_}}, &runtime_};
};

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_TESTING_FAKE_TRACE_SERVER_H_
