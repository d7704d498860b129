#include "services/trace/core/trace_queries.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/filter/order_by.h"
#include "common/filter/page_token.h"
#include "common/names/resource_name.h"
#include "common/read_token/read_token.h"
#include "common/request/request_key.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/trace/core/trace_fields.h"
#include "services/trace/core/trace_view.h"

namespace assay::trace {
namespace {

constexpr std::string_view kPreregister = "assay.trace.v1.TraceService/PreregisterTraces";
constexpr std::string_view kSearch = "assay.trace.v1.TraceService/SearchTraces";
constexpr int kMaxPreregistered = 1000;

template <class T>
void Answer(Executor& executor, absl::StatusOr<T> answer, Done<T> done) {
  executor.Run([answer = std::move(answer), done = std::move(done)]() mutable {
    std::move(done)(std::move(answer));
  });
}

absl::StatusOr<v1::TraceView> CheckedView(v1::TraceView view) {
  if (!v1::TraceView_IsValid(view)) return InvalidField("view", "is BASIC or FULL");
  return view == v1::TRACE_VIEW_UNSPECIFIED ? v1::TRACE_VIEW_BASIC : view;
}

absl::StatusOr<std::vector<TraceId>> CheckedIds(const v1::PreregisterTracesRequest& request) {
  if (request.trace_ids_size() == 0 || request.trace_ids_size() > kMaxPreregistered) {
    return InvalidField("trace_ids", StrCat("takes 1 to ", kMaxPreregistered, " ids"));
  }
  std::vector<TraceId> ids;
  for (int i = 0; i < request.trace_ids_size(); ++i) {
    std::optional<TraceId> id = TraceId::FromHex(request.trace_ids(i));
    if (!id.has_value() || id->IsZero()) {
      return InvalidField(StrCat("trace_ids[", i, "]"),
                          "is not a trace id: 32 lower-case hex digits, not all zero",
                          "INVALID_TRACE_ID");
    }
    ids.push_back(*id);
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

absl::StatusOr<TraceBinding> CheckedBinding(const v1::PreregisterTracesRequest& request) {
  ASSAY_ASSIGN_OR_RETURN(names::ExperimentName parent,
                         names::ExperimentName::Parse(request.parent(), "parent"));
  TraceBinding binding{.experiment = parent.experiment, .preregistered = true};
  if (!request.evaluation().empty()) {
    ASSAY_ASSIGN_OR_RETURN(names::EvaluationName evaluation,
                           names::EvaluationName::Parse(request.evaluation(), "evaluation"));
    if (evaluation.experiment != parent.experiment) {
      return InvalidField("evaluation",
                          StrCat("belongs to another experiment than ", parent.ToString()));
    }
    binding.evaluation = evaluation.evaluation;
  }
  return binding;
}

struct CheckedSearch {
  SearchRequest search;
  filter::PageScope scope;
};

absl::StatusOr<CheckedSearch> CheckSearch(const v1::SearchTracesRequest& request) {
  CheckedSearch checked;
  SearchRequest& search = checked.search;
  ASSAY_ASSIGN_OR_RETURN(names::ExperimentName parent,
                         names::ExperimentName::Parse(request.parent(), "parent"));
  search.experiment = parent.experiment;
  ASSAY_ASSIGN_OR_RETURN(search.filter, filter::ParseFilter(request.filter(), TraceFieldSchema()));
  constexpr std::string_view kOrders[] = {"start_time"};
  ASSAY_ASSIGN_OR_RETURN(std::vector<filter::OrderTerm> order,
                         filter::ParseOrderBy(request.order_by(), kOrders, 1));
  search.newest_first = order.empty() || order[0].descending;
  ASSAY_ASSIGN_OR_RETURN(int page_size, filter::EffectivePageSize(request.page_size()));
  search.page_size = static_cast<size_t>(page_size);
  ASSAY_ASSIGN_OR_RETURN(search.view, CheckedView(request.view()));
  checked.scope = {std::string(kSearch), request.parent(), request.filter(),
                   search.newest_first ? "start_time desc" : "start_time asc"};
  ASSAY_ASSIGN_OR_RETURN(std::string cursor,
                         filter::DecodePageToken(checked.scope, request.page_token()));
  if (!cursor.empty()) {
    absl::StatusOr<TracePosition> after = DecodePosition(cursor);
    if (!after.ok()) {
      return InvalidField("page_token", "is not a token of this method", "INVALID_PAGE_TOKEN");
    }
    search.after = *after;
  }
  return checked;
}

}  // namespace

TraceQueries::TraceQueries(TraceStore& store, Projection& projection, Executor& executor,
                           Clock& clock, QueryOptions options,
                           std::function<void()> on_new_experiments)
    : store_(store),
      projection_(projection),
      executor_(executor),
      clock_(clock),
      options_(options),
      on_new_experiments_(std::move(on_new_experiments)) {}

void TraceQueries::Preregister(const CallContext& context,
                               const v1::PreregisterTracesRequest& request,
                               Done<v1::PreregisterTracesResponse> done) {
  absl::StatusOr<std::vector<TraceId>> ids = CheckedIds(request);
  absl::StatusOr<TraceBinding> binding = CheckedBinding(request);
  absl::Status status = binding.status();
  status.Update(ids.status());
  if (status.ok() && request.request_id().size() > 128) {
    status = InvalidField("request_id", "is longer than 128 characters");
  }
  if (!status.ok()) {
    return Answer<v1::PreregisterTracesResponse>(executor_, status, std::move(done));
  }
  store_.Preregister(*std::move(ids), *std::move(binding), options_.register_experiments,
                     MakeRequestKey(context, kPreregister, request),
                     [this, done = std::move(done)](absl::StatusOr<AppendResult> result) mutable {
                       if (!result.ok()) return std::move(done)(result.status());
                       if (result->new_experiments && on_new_experiments_) on_new_experiments_();
                       std::move(done)(v1::PreregisterTracesResponse());
                     });
}

void TraceQueries::Get(const CallContext& /*context*/, const v1::GetTraceRequest& request,
                       Done<v1::GetTraceResponse> done) {
  auto get = [&]() -> absl::StatusOr<v1::GetTraceResponse> {
    // `-` stands for any experiment; the name's own rules know nothing of it.
    constexpr std::string_view kAny = "experiments/-/";
    const bool any = std::string_view(request.name()).starts_with(kAny);
    const std::string plain =
        any ? StrCat("experiments/any/", request.name().substr(kAny.size())) : request.name();
    ASSAY_ASSIGN_OR_RETURN(names::TraceName name, names::TraceName::Parse(plain, "name"));
    ASSAY_ASSIGN_OR_RETURN(v1::TraceView view, CheckedView(request.view()));
    v1::GetTraceResponse response;
    ASSAY_ASSIGN_OR_RETURN(
        *response.mutable_trace(),
        GetTrace(store_, any ? "-" : name.experiment, *TraceId::FromHex(name.trace), view));
    return response;
  };
  Answer<v1::GetTraceResponse>(executor_, get(), std::move(done));
}

void TraceQueries::Search(const CallContext& context, const v1::SearchTracesRequest& request,
                          Done<v1::SearchTracesResponse> done) {
  absl::StatusOr<CheckedSearch> checked = CheckSearch(request);
  if (!checked.ok()) {
    return Answer<v1::SearchTracesResponse>(executor_, checked.status(), std::move(done));
  }
  if (request.read_token().empty()) {
    return Answer(executor_, RunSearch(context, checked->search, checked->scope), std::move(done));
  }
  absl::StatusOr<ReadToken> token = DecodeReadToken(request.read_token(), "read_token");
  if (!token.ok()) {
    return Answer<v1::SearchTracesResponse>(executor_, token.status(), std::move(done));
  }
  projection_.WaitUntilApplied(*token, context,
                               [this, context, checked = *std::move(checked),
                                done = std::move(done)](absl::Status applied) mutable {
                                 if (!applied.ok()) return std::move(done)(std::move(applied));
                                 std::move(done)(RunSearch(context, checked.search, checked.scope));
                               });
}

absl::StatusOr<v1::SearchTracesResponse> TraceQueries::RunSearch(
    const CallContext& context, const SearchRequest& search, const filter::PageScope& scope) const {
  ASSAY_ASSIGN_OR_RETURN(SearchPage page, SearchTraces(store_, search, options_.search, [&] {
                           return context.Check(clock_.Now());
                         }));
  v1::SearchTracesResponse response;
  for (v1::Trace& trace : page.traces) *response.add_traces() = std::move(trace);
  if (page.next.has_value()) {
    response.set_next_page_token(filter::EncodePageToken(scope, EncodePosition(*page.next)));
  }
  response.set_scanned_count(page.scanned);
  return response;
}

}  // namespace assay::trace
