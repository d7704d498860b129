#include "services/trace/core/lifecycle/trace_lifecycle.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/json/utf8.h"
#include "common/names/resource_name.h"
#include "common/request/request_key.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/trace/core/trace_view.h"

namespace assay::trace {
namespace {

constexpr std::string_view kUpdateTags = "assay.trace.v1.TraceService/UpdateTraceTags";
constexpr std::string_view kDelete = "assay.trace.v1.TraceService/DeleteTraces";
constexpr int kMaxDeleted = 1000;
constexpr size_t kMaxTagKeyCharacters = 250;
constexpr size_t kMaxTagValueCharacters = 4096;
constexpr size_t kMaxRequestIdBytes = 128;
// A search for what to delete ends this long before the deadline, so that what it found still goes.
constexpr absl::Duration kTimeToDelete = absl::Seconds(5);

template <class T>
void Answer(Executor& executor, absl::StatusOr<T> answer, Done<T> done) {
  executor.Run([answer = std::move(answer), done = std::move(done)]() mutable {
    std::move(done)(std::move(answer));
  });
}

absl::Status CheckRequestId(const std::string& id) {
  if (id.size() <= kMaxRequestIdBytes) return absl::OkStatus();
  return InvalidField("request_id", "is longer than 128 characters");
}

absl::Status CheckTagKey(const std::string& key, std::string_view field) {
  const size_t characters = json::CountChars(key);
  if (characters > 0 && characters <= kMaxTagKeyCharacters) return absl::OkStatus();
  return InvalidField(field, "has a key that is not 1 to 250 characters long");
}

absl::StatusOr<TagChange> CheckedChange(const v1::UpdateTraceTagsRequest& request) {
  constexpr int kMaxKeys = 100;
  TagChange change;
  if (request.set_size() > kMaxKeys || request.remove_size() > kMaxKeys) {
    return InvalidField(request.set_size() > kMaxKeys ? "set" : "remove", "has more than 100 tags");
  }
  for (const auto& [key, value] : request.set()) {
    ASSAY_RETURN_IF_ERROR(CheckTagKey(key, "set"));
    if (json::CountChars(value) > kMaxTagValueCharacters) {
      return InvalidField(StrCat("set[", key, "]"), "is longer than 4,096 characters");
    }
    change.set[key] = value;
  }
  for (const std::string& key : request.remove()) {
    ASSAY_RETURN_IF_ERROR(CheckTagKey(key, "remove"));
    if (change.set.contains(key)) {
      return InvalidField("remove", StrCat("and set both name \"", key, "\""));
    }
    change.remove.push_back(key);
  }
  if (change.set.empty() && change.remove.empty()) {
    return InvalidField("set", "or remove must name a tag");
  }
  return change;
}

// The name, whose experiment may be `-`.
absl::StatusOr<names::TraceName> CheckedName(const std::string& name) {
  constexpr std::string_view kAny = "experiments/-/";
  const bool any = std::string_view(name).starts_with(kAny);
  const std::string plain = any ? StrCat("experiments/any/", name.substr(kAny.size())) : name;
  ASSAY_ASSIGN_OR_RETURN(names::TraceName checked, names::TraceName::Parse(plain, "name"));
  if (any) checked.experiment = "-";
  return checked;
}

absl::StatusOr<std::vector<TraceId>> CheckedNames(const v1::DeleteTracesRequest& request,
                                                  const std::string& experiment) {
  if (request.names_size() > kMaxDeleted) return InvalidField("names", "has more than 1,000 names");
  std::vector<TraceId> traces;
  for (int i = 0; i < request.names_size(); ++i) {
    const std::string field = StrCat("names[", i, "]");
    ASSAY_ASSIGN_OR_RETURN(names::TraceName name, names::TraceName::Parse(request.names(i), field));
    if (name.experiment != experiment) {
      return InvalidField(field, StrCat("belongs to another experiment than ", request.parent()));
    }
    traces.push_back(*TraceId::FromHex(name.trace));
  }
  return traces;
}

absl::StatusOr<v1::DeleteTracesResponse> ToResponse(absl::StatusOr<std::string> bytes) {
  if (!bytes.ok()) return bytes.status();
  v1::DeleteTracesResponse response;
  if (response.ParseFromString(*bytes)) return response;
  return absl::DataLossError("a recorded answer cannot be read");
}

}  // namespace

struct TraceLifecycle::Deletion {
  CallContext context;
  std::string experiment;
  v1::SearchTracesRequest search;
  size_t wanted = kMaxDeleted;
  std::vector<TraceId> traces;
  RequestKey key;
  Done<v1::DeleteTracesResponse> done;
};

void TraceLifecycle::UpdateTags(const CallContext& context,
                                const v1::UpdateTraceTagsRequest& request,
                                Done<v1::UpdateTraceTagsResponse> done) {
  absl::StatusOr<names::TraceName> name = CheckedName(request.name());
  absl::StatusOr<TagChange> change = CheckedChange(request);
  absl::Status status = name.status();
  status.Update(change.status());
  status.Update(CheckRequestId(request.request_id()));
  if (!status.ok()) {
    return Answer<v1::UpdateTraceTagsResponse>(executor_, status, std::move(done));
  }
  const TraceId trace = *TraceId::FromHex(name->trace);
  lives_.UpdateTags(trace, name->experiment, *std::move(change),
                    MakeRequestKey(context, kUpdateTags, request),
                    [this, trace, experiment = name->experiment,
                     done = std::move(done)](absl::Status updated) mutable {
                      if (!updated.ok()) return std::move(done)(std::move(updated));
                      absl::StatusOr<v1::Trace> shown =
                          GetTrace(traces_, experiment, trace, v1::TRACE_VIEW_BASIC);
                      if (!shown.ok()) return std::move(done)(shown.status());
                      v1::UpdateTraceTagsResponse response;
                      *response.mutable_trace() = *std::move(shown);
                      std::move(done)(std::move(response));
                    });
}

void TraceLifecycle::Delete(const CallContext& context, const v1::DeleteTracesRequest& request,
                            Done<v1::DeleteTracesResponse> done) {
  auto deletion = std::make_shared<Deletion>();
  const auto check = [&]() -> absl::StatusOr<std::optional<std::string>> {
    ASSAY_ASSIGN_OR_RETURN(names::ExperimentName parent,
                           names::ExperimentName::Parse(request.parent(), "parent"));
    deletion->experiment = parent.experiment;
    ASSAY_RETURN_IF_ERROR(CheckRequestId(request.request_id()));
    if (request.filter().empty() == (request.names_size() == 0)) {
      return InvalidField("filter", "or names must be given, and not both");
    }
    if (request.max_traces() < 0 || request.max_traces() > kMaxDeleted) {
      return InvalidField("max_traces", "is 0 to 1,000");
    }
    if (request.max_traces() > 0) deletion->wanted = static_cast<size_t>(request.max_traces());
    ASSAY_ASSIGN_OR_RETURN(deletion->traces, CheckedNames(request, parent.experiment));
    deletion->key = MakeRequestKey(context, kDelete, request);
    // A search would find others than the first time.
    return lives_.FindAnswer(deletion->key);
  };
  absl::StatusOr<std::optional<std::string>> answered = check();
  if (!answered.ok()) {
    return Answer<v1::DeleteTracesResponse>(executor_, answered.status(), std::move(done));
  }
  if (answered->has_value()) return Answer(executor_, ToResponse(**answered), std::move(done));
  deletion->context = context;
  deletion->done = std::move(done);
  if (request.filter().empty()) return DeleteFound(std::move(deletion), /*more=*/false);
  deletion->search.set_parent(request.parent());
  deletion->search.set_filter(request.filter());
  Find(std::move(deletion));
}

void TraceLifecycle::Find(std::shared_ptr<Deletion> deletion) {
  deletion->search.set_page_size(static_cast<int>(deletion->wanted - deletion->traces.size()));
  search_(deletion->context, deletion->search,
          [this, deletion](absl::StatusOr<v1::SearchTracesResponse> page) {
            if (!page.ok()) return std::move(deletion->done)(page.status());
            for (const v1::Trace& found : page->traces()) {
              absl::StatusOr<names::TraceName> name = names::TraceName::Parse(found.name());
              if (name.ok()) deletion->traces.push_back(*TraceId::FromHex(name->trace));
            }
            const bool more = !page->next_page_token().empty();
            const bool hurry = deletion->context.Remaining(clock_.Now()) < kTimeToDelete;
            if (!more || hurry || deletion->traces.size() >= deletion->wanted) {
              return DeleteFound(deletion, more);
            }
            deletion->search.set_page_token(page->next_page_token());
            executor_.Run([this, deletion] { Find(deletion); });
          });
}

void TraceLifecycle::DeleteFound(std::shared_ptr<Deletion> deletion, bool more) {
  std::vector<TraceId>& traces = deletion->traces;
  std::sort(traces.begin(), traces.end());
  traces.erase(std::unique(traces.begin(), traces.end()), traces.end());
  lives_.DeleteTraces(
      deletion->experiment, std::move(deletion->traces), deletion->key,
      [more](const DeletedTraces& deleted) {
        v1::DeleteTracesResponse response;
        response.set_deleted_count(deleted.traces);
        response.set_deleted_judgement_count(deleted.judgements);
        response.set_more(more);
        return response.SerializeAsString();
      },
      [deletion](absl::StatusOr<std::string> answer) {
        std::move(deletion->done)(ToResponse(std::move(answer)));
      });
}

}  // namespace assay::trace
