#include "services/trace/core/trace_queries.h"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/filter/page_token.h"
#include "common/names/resource_name.h"
#include "common/proto/time.h"
#include "common/read_token/read_token.h"
#include "common/request/request_key.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/trace/core/search/judge_calls.h"
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
  ASSAY_ASSIGN_OR_RETURN(search.filter, ParseTraceFilter(request.filter()));
  ASSAY_ASSIGN_OR_RETURN(search.order, ParseTraceOrder(request.order_by()));
  ASSAY_ASSIGN_OR_RETURN(int page_size, filter::EffectivePageSize(request.page_size()));
  search.page_size = static_cast<size_t>(page_size);
  ASSAY_ASSIGN_OR_RETURN(search.view, CheckedView(request.view()));
  checked.scope = {std::string(kSearch), request.parent(), request.filter(),
                   OrderText(search.order)};
  ASSAY_ASSIGN_OR_RETURN(std::string bytes,
                         filter::DecodePageToken(checked.scope, request.page_token()));
  if (!bytes.empty()) {
    absl::StatusOr<SearchCursor> cursor = DecodeCursor(bytes, search.order);
    if (!cursor.ok()) {
      return InvalidField("page_token", "is not a token of this method", "INVALID_PAGE_TOKEN");
    }
    search.cursor = *std::move(cursor);
  }
  return checked;
}

absl::StatusOr<uint64_t> CheckedTime(bool given, const google::protobuf::Timestamp& timestamp,
                                     std::string_view field) {
  const int64_t nanos = absl::ToUnixNanos(proto::FromTimestamp(timestamp));
  if (given && nanos >= 0 && nanos < std::numeric_limits<int64_t>::max()) {
    return static_cast<uint64_t>(nanos);
  }
  return InvalidField(field, "is required, a time from 1970 to 2262");
}

absl::StatusOr<AggregateRequest> CheckAggregate(const v1::AggregateTracesRequest& request) {
  AggregateRequest checked;
  ASSAY_ASSIGN_OR_RETURN(names::ExperimentName parent,
                         names::ExperimentName::Parse(request.parent(), "parent"));
  checked.experiment = parent.experiment;
  ASSAY_ASSIGN_OR_RETURN(checked.filter, ParseTraceFilter(request.filter()));
  ASSAY_ASSIGN_OR_RETURN(checked.start_unix_nano,
                         CheckedTime(request.has_start_time(), request.start_time(), "start_time"));
  ASSAY_ASSIGN_OR_RETURN(checked.end_unix_nano,
                         CheckedTime(request.has_end_time(), request.end_time(), "end_time"));
  if (checked.end_unix_nano <= checked.start_unix_nano) {
    return InvalidField("end_time", "must be after start_time");
  }
  if (!request.has_bucket_width()) return checked;
  const absl::Duration width = proto::FromDuration(request.bucket_width());
  if (width < absl::Seconds(1) || width > absl::Hours(24) * 36500) {
    return InvalidField("bucket_width", "must be a second to a hundred years");
  }
  checked.bucket_nanos = static_cast<uint64_t>(absl::ToInt64Nanoseconds(width));
  if (const int64_t count = BucketCount(checked); count > kMaxBuckets) {
    return InvalidField("bucket_width", StrCat("makes ", count, " buckets of the range; at most ",
                                               kMaxBuckets, " are allowed"));
  }
  return checked;
}

const IndexedAttributes& DefaultAttributes() {
  static const auto* const kAttributes = new IndexedAttributes();
  return *kAttributes;
}

}  // namespace

TraceQueries::TraceQueries(TraceStore& store, const TraceIndex& index, Projection& projection,
                           Executor& executor, Clock& clock, QueryOptions options,
                           std::function<void()> on_new_experiments)
    : store_(store),
      projection_(projection),
      executor_(executor),
      clock_(clock),
      options_(options),
      attributes_(options.attributes == nullptr ? DefaultAttributes() : *options.attributes),
      sources_{store, index, clock, attributes_, *options.prices, options.indexed_since},
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

absl::StatusOr<std::string> TraceQueries::Get(const v1::GetTraceRequest& request) const {
  // `-` stands for any experiment; the name's own rules know nothing of it.
  constexpr std::string_view kAny = "experiments/-/";
  const bool any = std::string_view(request.name()).starts_with(kAny);
  const std::string plain =
      any ? StrCat("experiments/any/", request.name().substr(kAny.size())) : request.name();
  ASSAY_ASSIGN_OR_RETURN(names::TraceName name, names::TraceName::Parse(plain, "name"));
  ASSAY_ASSIGN_OR_RETURN(v1::TraceView view, CheckedView(request.view()));
  return GetTraceBytes(store_, any ? "-" : name.experiment, *TraceId::FromHex(name.trace), view,
                       *options_.prices);
}

template <class T>
void TraceQueries::RunAfter(const std::string& read_token, const CallContext& context,
                            absl::AnyInvocable<absl::StatusOr<T>()> work, Done<T> done) {
  if (read_token.empty()) return Answer<T>(executor_, work(), std::move(done));
  absl::StatusOr<ReadToken> token = DecodeReadToken(read_token, "read_token");
  if (!token.ok()) return Answer<T>(executor_, token.status(), std::move(done));
  projection_.WaitUntilApplied(
      *token, context,
      [work = std::move(work), done = std::move(done)](absl::Status applied) mutable {
        if (!applied.ok()) return std::move(done)(std::move(applied));
        std::move(done)(work());
      });
}

void TraceQueries::Search(const CallContext& context, const v1::SearchTracesRequest& request,
                          Done<v1::SearchTracesResponse> done) {
  absl::StatusOr<CheckedSearch> checked = CheckSearch(request);
  if (!checked.ok()) {
    return Answer<v1::SearchTracesResponse>(executor_, checked.status(), std::move(done));
  }
  RunAfter<v1::SearchTracesResponse>(
      request.read_token(), context,
      [this, context, checked = *std::move(checked)] {
        return RunSearch(context, checked.search, checked.scope);
      },
      std::move(done));
}

void TraceQueries::Aggregate(const CallContext& context, const v1::AggregateTracesRequest& request,
                             Done<v1::AggregateTracesResponse> done) {
  absl::StatusOr<AggregateRequest> checked = CheckAggregate(request);
  if (!checked.ok()) {
    return Answer<v1::AggregateTracesResponse>(executor_, checked.status(), std::move(done));
  }
  RunAfter<v1::AggregateTracesResponse>(
      request.read_token(), context,
      [this, context, checked = *std::move(checked)] { return RunAggregate(context, checked); },
      std::move(done));
}

absl::StatusOr<v1::SearchTracesResponse> TraceQueries::RunSearch(
    const CallContext& context, const SearchRequest& search, const filter::PageScope& scope) const {
  ASSAY_ASSIGN_OR_RETURN(SearchPage page, SearchTraces(sources_, search, options_.search, [&] {
                           return context.Check(clock_.Now());
                         }));
  v1::SearchTracesResponse response;
  for (v1::Trace& trace : page.traces) *response.add_traces() = std::move(trace);
  if (page.next.has_value()) {
    response.set_next_page_token(filter::EncodePageToken(scope, EncodeCursor(*page.next)));
  }
  response.set_scanned_count(page.stats.traces_read);
  *response.mutable_stats() = ShowStats(page.stats, page.reached_unix_nano);
  return response;
}

absl::StatusOr<v1::AggregateTracesResponse> TraceQueries::RunAggregate(
    const CallContext& context, const AggregateRequest& request) const {
  const absl::Time now = clock_.Now();
  // Answers with what it has rather than not at all.
  const absl::Duration budget =
      std::min(options_.search.aggregate_budget, context.Remaining(now) * 0.8);
  const WalkBounds bounds{.max_span_bytes = options_.search.max_span_bytes,
                          .stop_at = now + budget};
  return AggregateTraces(sources_, request, bounds, [&] { return context.Check(clock_.Now()); });
}

}  // namespace assay::trace
