// The rules of TraceService: what a request must look like, and what is done.
#ifndef ASSAY_SERVICES_TRACE_CORE_TRACE_QUERIES_H_
#define ASSAY_SERVICES_TRACE_CORE_TRACE_QUERIES_H_

#include <functional>

#include "assay/trace/v1/trace_service.pb.h"
#include "common/clock/clock.h"
#include "common/exec/call_context.h"
#include "common/exec/executor.h"
#include "common/filter/page_token.h"
#include "services/trace/core/index_terms.h"
#include "services/trace/core/meaning/price_table.h"
#include "services/trace/core/projection.h"
#include "services/trace/core/search/aggregate_traces.h"
#include "services/trace/core/search/trace_index.h"
#include "services/trace/core/search/trace_search.h"
#include "services/trace/core/trace_store.h"

namespace assay::trace {

struct QueryOptions {
  SearchOptions search;
  // As the ingest has them; outlives the queries. Null: the default ones.
  const IndexedAttributes* attributes = nullptr;
  const IndexedSince* indexed_since = nullptr;        // As SearchSources'; outlives the queries.
  bool register_experiments = true;                   // Also those of traces registered in advance.
  const PriceTable* prices = &PriceTable::BuiltIn();  // Outlives the queries.
};

// Thread-safe. The calls block for reads: on an executor. `done` is called on it, never inline.
class TraceQueries {
 public:
  // All outlive the object. `on_new_experiments` as Ingestor's.
  TraceQueries(TraceStore& store, const TraceIndex& index, Projection& projection,
               Executor& executor, Clock& clock, QueryOptions options,
               std::function<void()> on_new_experiments);

  // Errors as trace_service.proto says.
  void Preregister(const CallContext& context, const v1::PreregisterTracesRequest& request,
                   Done<v1::PreregisterTracesResponse> done);
  // The answer, a GetTraceResponse, is serialized: made as a message it would cost several times as
  // much. Blocks.
  absl::StatusOr<std::string> Get(const v1::GetTraceRequest& request) const;
  void Search(const CallContext& context, const v1::SearchTracesRequest& request,
              Done<v1::SearchTracesResponse> done);
  void Aggregate(const CallContext& context, const v1::AggregateTracesRequest& request,
                 Done<v1::AggregateTracesResponse> done);

 private:
  absl::StatusOr<v1::SearchTracesResponse> RunSearch(const CallContext& context,
                                                     const SearchRequest& search,
                                                     const filter::PageScope& scope) const;
  absl::StatusOr<v1::AggregateTracesResponse> RunAggregate(const CallContext& context,
                                                           const AggregateRequest& request) const;
  // Runs `work` on the executor, and calls `done` with what it gives; with a token once the
  // projection holds what the token stands for.
  template <class T>
  void RunAfter(const std::string& read_token, const CallContext& context,
                absl::AnyInvocable<absl::StatusOr<T>()> work, Done<T> done);

  TraceStore& store_;
  Projection& projection_;
  Executor& executor_;
  Clock& clock_;
  const QueryOptions options_;
  const IndexedAttributes& attributes_;
  const SearchSources sources_;
  const std::function<void()> on_new_experiments_;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_TRACE_QUERIES_H_
