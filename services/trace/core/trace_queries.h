// The rules of TraceService: what a request must look like, and what is done.
#ifndef ASSAY_SERVICES_TRACE_CORE_TRACE_QUERIES_H_
#define ASSAY_SERVICES_TRACE_CORE_TRACE_QUERIES_H_

#include <functional>

#include "assay/trace/v1/trace_service.pb.h"
#include "common/clock/clock.h"
#include "common/exec/call_context.h"
#include "common/exec/executor.h"
#include "common/filter/page_token.h"
#include "services/trace/core/projection.h"
#include "services/trace/core/trace_search.h"
#include "services/trace/core/trace_store.h"

namespace assay::trace {

struct QueryOptions {
  SearchOptions search;
  bool register_experiments = true;  // Also those of traces registered in advance.
};

// Thread-safe. The calls block for reads: on an executor. `done` is called on it, never inline.
class TraceQueries {
 public:
  // All outlive the object. `on_new_experiments` as Ingestor's.
  TraceQueries(TraceStore& store, Projection& projection, Executor& executor, Clock& clock,
               QueryOptions options, std::function<void()> on_new_experiments);

  // Errors as trace_service.proto says.
  void Preregister(const CallContext& context, const v1::PreregisterTracesRequest& request,
                   Done<v1::PreregisterTracesResponse> done);
  void Get(const CallContext& context, const v1::GetTraceRequest& request,
           Done<v1::GetTraceResponse> done);
  void Search(const CallContext& context, const v1::SearchTracesRequest& request,
              Done<v1::SearchTracesResponse> done);

 private:
  absl::StatusOr<v1::SearchTracesResponse> RunSearch(const CallContext& context,
                                                     const SearchRequest& search,
                                                     const filter::PageScope& scope) const;

  TraceStore& store_;
  Projection& projection_;
  Executor& executor_;
  Clock& clock_;
  const QueryOptions options_;
  const std::function<void()> on_new_experiments_;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_TRACE_QUERIES_H_
