#include "services/trace/core/trace_view.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "common/json/json_value.h"
#include "common/json/utf8.h"
#include "common/names/resource_name.h"
#include "common/otlp/wire_cursor.h"
#include "common/proto/time.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "services/trace/core/completion/completeness.h"
#include "services/trace/core/logs/log_events.h"
#include "services/trace/core/meaning/span_meaning.h"
#include "services/trace/core/otlp_wire_reader.h"
#include "services/trace/core/span_view.h"
#include "services/trace/core/spans/span_page.h"
#include "services/trace/core/spans/whole_trace.h"
#include "services/trace/core/trace_preview.h"

namespace assay::trace {
namespace {

// Of one trace among many.
constexpr size_t kMaxListPayloadBytes = size_t{256} << 10;
constexpr size_t kMaxListSpanBytes = size_t{768} << 10;

// Terms of this size may be shortened ones, of which so much is text.
constexpr size_t kShortenedTermBytes = 64;
constexpr size_t kTermHeadBytes = 48;
constexpr std::string_view kModelField = "model";

// What was stored was checked on arrival, so its size needs no bound here.
absl::StatusOr<OtlpBatch> ReadStored(std::string_view otlp) {
  return ReadOtlp(otlp, std::numeric_limits<size_t>::max());
}

// Where the spans of a trace go: into the message, or as its serialized fields beside it.
class SpanList {
 public:
  SpanList(const PriceTable& prices, v1::Trace* shown, std::string* fields)
      : prices_(prices), shown_(shown), fields_(fields) {}

  void Add(v1::Span span) {
    if (fields_ == nullptr) {
      *shown_->add_spans() = std::move(span);
    } else {
      otlp::AppendBytesField(v1::Trace::kSpansFieldNumber, span.SerializeAsString(), fields_);
    }
  }

  // False if there is no room for the span.
  bool Add(const SpanView& span, const OpenChunk& chunk, bool truncated) {
    const ResourceView& resource = chunk.ResourceOf(span);
    const ScopeView& scope = chunk.ScopeOf(span);
    if (fields_ != nullptr) {
      const size_t begin = fields_->size();
      const size_t field = otlp::OpenMessageField(v1::Trace::kSpansFieldNumber, fields_);
      const size_t bytes = AppendSpan(span, resource, scope, prices_, truncated, fields_);
      otlp::CloseMessageField(field, fields_);
      if (Fits(bytes)) return true;
      fields_->resize(begin);
      return false;
    }
    v1::Span shown = ShowSpan(span, resource, scope, prices_);
    if (truncated) shown.set_truncated(true);
    if (!Fits(shown.ByteSizeLong())) return false;
    Add(std::move(shown));
    return true;
  }

 private:
  static constexpr size_t kFraming = 5;  // Tag and length of a span in its list.

  // One span is always shown.
  bool Fits(size_t bytes) {
    bytes_ += bytes + kFraming;
    return std::exchange(any_, true) ? bytes_ <= kMaxAnswerBytes : true;
  }

  const PriceTable& prices_;
  v1::Trace* const shown_;
  std::string* const fields_;
  size_t bytes_ = 0;
  bool any_ = false;
};

bool ShowSpans(const WholeTrace& whole, SpanList& list) {
  std::string with_logs;
  for (const SpanPlace& place : whole.places()) {
    const OpenChunk& chunk = *whole.Find(place.sequence);
    const SpanView& span = chunk.batch.spans[place.index];
    const SpanView& shown = whole.logs().empty() ? span : whole.logs().AddTo(span, &with_logs);
    if (!list.Add(shown, chunk, whole.logs().truncated())) return false;
  }
  return true;
}

absl::Status ShowSpans(const TraceStore& store, const TraceId& trace, const TraceFacts& facts,
                       const PriceTable& prices, SpanList& list, v1::Trace* shown) {
  ASSAY_ASSIGN_OR_RETURN(
      SpanPage page,
      ReadSpanPage(store, trace, facts,
                   {.page_size = kMaxSpansShown, .max_bytes = kMaxAnswerBytes, .prices = &prices},
                   /*keep_going=*/nullptr));
  for (v1::Span& span : page.spans) list.Add(std::move(span));
  shown->set_spans_truncated(page.next.has_value());
  return absl::OkStatus();
}

// The root's inputs and outputs: of its attributes, or else of its log records.
Payloads RootPayloads(const WholeTrace& whole, const TraceFacts& facts) {
  const OpenChunk* chunk = facts.has_root() ? whole.Find(facts.root().sequence()) : nullptr;
  const std::optional<SpanId> id = SpanId::FromBytes(facts.root().span_id());
  if (chunk == nullptr || !id.has_value()) return {};
  const SpanView* root = chunk->FindLast(*id);
  if (root == nullptr) return {};
  Payloads payloads = PayloadsOf(root->bytes);
  const bool none = payloads.inputs.empty() && payloads.outputs.empty();
  return none && !whole.logs().empty() ? PayloadsOf(whole.logs().AddTo(root->bytes, *id))
                                       : payloads;
}

// What the root's log records say.
absl::StatusOr<Payloads> PayloadsOfLogs(const TraceStore& store, const TraceId& trace,
                                        std::string_view root, const TraceFacts& facts) {
  const std::optional<SpanId> id = SpanId::FromBytes(facts.root().span_id());
  if (!id.has_value()) return Payloads();
  const absl::flat_hash_set<SpanId> wanted = {*id};
  ASSAY_ASSIGN_OR_RETURN(const LogEvents logs, LogEvents::Read(store, trace, &wanted));
  return logs.empty() ? Payloads() : PayloadsOf(logs.AddTo(root, *id));
}

absl::StatusOr<Payloads> RootPayloads(const TraceStore& store, const TraceId& trace,
                                      const TraceFacts& facts) {
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> root, ReadRootSpan(store, trace, facts));
  if (!root.has_value()) return Payloads();
  Payloads payloads = PayloadsOf(*root);
  if (!payloads.inputs.empty() || !payloads.outputs.empty()) return payloads;
  return PayloadsOfLogs(store, trace, *root, facts);
}

void ShowPayloads(const Payloads& payloads, v1::Trace* shown) {
  if (!payloads.inputs.empty()) {
    shown->set_request_preview(RequestPreview(payloads.inputs));
    *shown->mutable_inputs() = json::JsonFromText(payloads.inputs);
  }
  if (!payloads.outputs.empty()) {
    shown->set_response_preview(ResponsePreview(payloads.outputs));
    *shown->mutable_outputs() = json::JsonFromText(payloads.outputs);
  }
}

// What the spans themselves say, beyond what is known of them.
absl::Status ShowFromSpans(const TraceStore& store, const TraceId& trace, const TraceFacts& facts,
                           v1::TraceView view, const PriceTable& prices, std::string* span_fields,
                           v1::Trace* shown) {
  SpanList list(prices, shown, span_fields);
  if (view == v1::TRACE_VIEW_FULL && WholeTrace::IsSmall(facts, kMaxSpansShown)) {
    ASSAY_ASSIGN_OR_RETURN(const WholeTrace whole, WholeTrace::Read(store, trace));
    ShowPayloads(RootPayloads(whole, facts), shown);
    shown->set_spans_truncated(!ShowSpans(whole, list));
    return absl::OkStatus();
  }
  ASSAY_ASSIGN_OR_RETURN(const Payloads payloads, RootPayloads(store, trace, facts));
  ShowPayloads(payloads, shown);
  if (view != v1::TRACE_VIEW_FULL) return absl::OkStatus();
  return ShowSpans(store, trace, facts, prices, list, shown);
}

// The models of facts that list them among their terms only, as far as these go: the term of a long
// name ends with a hash.
void AddModelsOfTerms(const TraceFacts& facts, std::vector<std::string>* models, bool* truncated) {
  const auto& overflowed = facts.overflowed_fields();
  if (facts.models().empty() &&
      std::find(overflowed.begin(), overflowed.end(), kModelField) != overflowed.end()) {
    *truncated = true;
  }
  for (const std::string& term : facts.terms()) {
    if (FieldOfTerm(term) != kModelField) continue;
    std::string_view model = ValueOfTerm(term);
    const bool shortened = model.size() >= kShortenedTermBytes;
    if (shortened) model = json::TruncateUtf8Bytes(model, kTermHeadBytes);
    const bool known = std::any_of(models->begin(), models->end(), [&](const std::string& one) {
      return shortened ? one.starts_with(model) : one == model;
    });
    if (known) continue;
    models->emplace_back(model);
    *truncated = *truncated || shortened;
  }
  std::sort(models->begin(), models->end());
}

struct Models {
  std::vector<std::string> names;
  bool truncated = false;
};

Models ModelsOf(const TraceFacts& facts) {
  Models models;
  models.names.assign(facts.models().begin(), facts.models().end());
  models.truncated = (facts.truncated() & kFactsTruncatedModels) != 0;
  // With as many as there may be, those among the terms are of them, or come after them.
  if (models.names.size() < static_cast<size_t>(kMaxModels)) {
    AddModelsOfTerms(facts, &models.names, &models.truncated);
  }
  if (models.names.size() > static_cast<size_t>(kMaxModels)) {
    models.names.resize(kMaxModels);
    models.truncated = true;
  }
  return models;
}

// In order, each once.
void AddTruncatedPart(v1::TracePart part, v1::Trace* shown) {
  auto& parts = *shown->mutable_truncated_parts();
  const auto place = std::lower_bound(parts.begin(), parts.end(), static_cast<int>(part));
  if (place != parts.end() && *place == part) return;
  const auto index = place - parts.begin();
  parts.Add(part);
  std::rotate(parts.begin() + index, parts.end() - 1, parts.end());
}

absl::StatusOr<StoredTrace> FindTrace(const TraceStore& store, const std::string& experiment,
                                      const TraceId& trace) {
  ASSAY_ASSIGN_OR_RETURN(std::optional<StoredTrace> stored, store.GetTrace(trace));
  if (!stored.has_value() || (experiment != "-" && experiment != stored->binding.experiment)) {
    return NotFound("trace", names::TraceName{experiment, trace.Hex()}.ToString());
  }
  return *std::move(stored);
}

}  // namespace

absl::Time TimeOfNanos(uint64_t unix_nano) {
  constexpr uint64_t kPerSecond = 1'000'000'000;
  return absl::FromUnixSeconds(static_cast<int64_t>(unix_nano / kPerSecond)) +
         absl::Nanoseconds(static_cast<int64_t>(unix_nano % kPerSecond));
}

absl::Time TimeOfMillis(uint64_t unix_ms) {
  return absl::FromUnixMillis(static_cast<int64_t>(unix_ms));
}

v1::TraceState StateOf(const TraceFacts& facts) {
  if (!IsComplete(facts)) return v1::TRACE_STATE_IN_PROGRESS;
  const bool error = facts.has_root() ? facts.root().error() : facts.error_spans() > 0;
  return error ? v1::TRACE_STATE_ERROR : v1::TRACE_STATE_OK;
}

absl::Duration DurationOf(const TraceFacts& facts) {
  return TimeOfNanos(facts.end_unix_nano()) - TimeOfNanos(facts.start_unix_nano());
}

std::string RootNameOf(const TraceFacts& facts) {
  return facts.has_root() ? facts.root().name() : facts.first_span_name();
}

std::vector<v1::TracePart> TruncatedPartsOf(const TraceFacts& facts) {
  std::vector<v1::TracePart> parts;
  const auto add = [&](bool truncated, v1::TracePart part) {
    if (truncated) parts.push_back(part);
  };
  const uint32_t bits = facts.truncated();
  add((bits & kFactsTruncatedTags) != 0, v1::TRACE_PART_TAGS);
  add((bits & kFactsTruncatedMetadata) != 0, v1::TRACE_PART_METADATA);
  add((bits & kFactsTruncatedSession) != 0, v1::TRACE_PART_SESSION);
  add((bits & kFactsTruncatedUser) != 0, v1::TRACE_PART_USER);
  add(ModelsOf(facts).truncated, v1::TRACE_PART_MODELS);
  const uint32_t name = facts.has_root() ? kFactsTruncatedRootName : kFactsTruncatedFirstName;
  add((bits & name) != 0, v1::TRACE_PART_ROOT_SPAN_NAME);
  return parts;
}

absl::StatusOr<std::optional<std::string>> ReadRootSpan(const TraceStore& store,
                                                        const TraceId& trace,
                                                        const TraceFacts& facts) {
  if (!facts.has_root()) return std::nullopt;
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> otlp,
                         store.ReadChunk(trace, facts.root().sequence()));
  if (!otlp.has_value()) return std::nullopt;
  ASSAY_ASSIGN_OR_RETURN(OtlpBatch batch, ReadStored(*otlp));
  std::optional<std::string> root;
  for (const SpanView& span : batch.spans) {
    if (span.span_id.bytes() == facts.root().span_id()) root = std::string(span.bytes);
  }
  return root;
}

double UsdOfNanos(int64_t nano_usd) { return static_cast<double>(nano_usd) / 1e9; }

common::v1::TokenUsage ShowTokens(const UsageRecord& usage) {
  common::v1::TokenUsage shown;
  if (usage.has_input_tokens()) shown.set_input_tokens(usage.input_tokens());
  if (usage.has_output_tokens()) shown.set_output_tokens(usage.output_tokens());
  if (usage.has_total_tokens()) shown.set_total_tokens(usage.total_tokens());
  if (usage.has_cache_read_tokens()) shown.set_cache_read_tokens(usage.cache_read_tokens());
  if (usage.has_cache_write_tokens()) shown.set_cache_write_tokens(usage.cache_write_tokens());
  if (usage.has_reasoning_tokens()) shown.set_reasoning_tokens(usage.reasoning_tokens());
  return shown;
}

common::v1::Cost ShowCost(const UsageRecord& usage) {
  common::v1::Cost shown;
  if (usage.has_input_nano_usd()) shown.set_input_usd(UsdOfNanos(usage.input_nano_usd()));
  if (usage.has_output_nano_usd()) shown.set_output_usd(UsdOfNanos(usage.output_nano_usd()));
  if (usage.has_total_nano_usd()) shown.set_total_usd(UsdOfNanos(usage.total_nano_usd()));
  return shown;
}

void ShowFacts(const TraceFacts& facts, v1::Trace* shown) {
  shown->set_root_span_name(RootNameOf(facts));
  *shown->mutable_start_time() = proto::ToTimestamp(TimeOfNanos(facts.start_unix_nano()));
  *shown->mutable_duration() = proto::ToDuration(DurationOf(facts));
  shown->set_span_count(SpanCount(facts));
  shown->set_session(facts.session());
  shown->set_user(facts.user());
  const UsageRecord usage = UsageOf(facts);
  if (common::v1::TokenUsage tokens = ShowTokens(usage); tokens.ByteSizeLong() > 0) {
    *shown->mutable_usage() = std::move(tokens);
  }
  if (common::v1::Cost cost = ShowCost(usage); cost.ByteSizeLong() > 0) {
    *shown->mutable_cost() = std::move(cost);
  }
  for (std::string& model : ModelsOf(facts).names) shown->add_models(std::move(model));
  shown->set_error_span_count(facts.error_spans());
  shown->set_size_bytes(facts.span_bytes());
  if (facts.last_arrival_ms() != 0) {
    *shown->mutable_update_time() = proto::ToTimestamp(TimeOfMillis(facts.last_arrival_ms()));
  }
}

void FitIntoList(v1::Trace* shown) {
  if (shown->ByteSizeLong() <= kMaxListPayloadBytes) return;
  if (shown->inputs().json_text().size() > kMaxListPayloadBytes) {
    shown->clear_inputs();
    AddTruncatedPart(v1::TRACE_PART_INPUTS, shown);
  }
  if (shown->outputs().json_text().size() > kMaxListPayloadBytes) {
    shown->clear_outputs();
    AddTruncatedPart(v1::TRACE_PART_OUTPUTS, shown);
  }
  size_t span_bytes = 0;
  for (const v1::Span& span : shown->spans()) span_bytes += span.ByteSizeLong();
  if (span_bytes > kMaxListSpanBytes) {
    shown->clear_spans();
    shown->set_spans_truncated(true);
  }
}

namespace {

// With `span_fields` the spans go there, as serialized fields of the message.
absl::StatusOr<v1::Trace> Show(const TraceStore& store, const TraceId& trace,
                               const StoredTrace& stored, v1::TraceView view,
                               const PriceTable& prices, std::string* span_fields) {
  const TraceFacts& facts = stored.facts;
  v1::Trace shown;
  shown.set_name(names::TraceName{stored.binding.experiment, trace.Hex()}.ToString());
  if (!stored.binding.evaluation.empty()) {
    shown.set_evaluation(
        names::EvaluationName{stored.binding.experiment, stored.binding.evaluation}.ToString());
  }
  shown.set_state(StateOf(facts));
  shown.set_root_ended(RootEnded(facts));
  if (stored.bound_ms != 0) {
    *shown.mutable_create_time() = proto::ToTimestamp(TimeOfMillis(stored.bound_ms));
  }
  for (const auto& [key, value] : facts.tags()) (*shown.mutable_tags())[key] = value;
  for (const auto& [key, value] : facts.metadata()) (*shown.mutable_metadata())[key] = value;
  if (facts.has_completion()) {
    shown.set_completion_generation(facts.completion().generation());
    *shown.mutable_complete_time() =
        proto::ToTimestamp(TimeOfMillis(facts.completion().complete_ms()));
  }
  for (const v1::TracePart part : TruncatedPartsOf(facts)) shown.add_truncated_parts(part);
  if (HasSpans(facts)) {
    ShowFacts(facts, &shown);
    ASSAY_RETURN_IF_ERROR(ShowFromSpans(store, trace, facts, view, prices, span_fields, &shown));
  }
  ASSAY_ASSIGN_OR_RETURN(std::vector<v1::AssessmentDigest> digests,
                         store.AssessmentsOf(trace, kMaxAssessmentsShown + 1));
  if (digests.size() > kMaxAssessmentsShown) {
    digests.resize(kMaxAssessmentsShown);
    AddTruncatedPart(v1::TRACE_PART_ASSESSMENTS, &shown);
  }
  for (v1::AssessmentDigest& digest : digests) *shown.add_assessments() = std::move(digest);
  return shown;
}

}  // namespace

absl::StatusOr<v1::Trace> ShowTrace(const TraceStore& store, const TraceId& trace,
                                    const StoredTrace& stored, v1::TraceView view,
                                    const PriceTable& prices) {
  return Show(store, trace, stored, view, prices, /*span_fields=*/nullptr);
}

absl::StatusOr<v1::Trace> GetTrace(const TraceStore& store, const std::string& experiment,
                                   const TraceId& trace, v1::TraceView view,
                                   const PriceTable& prices) {
  ASSAY_ASSIGN_OR_RETURN(const StoredTrace stored, FindTrace(store, experiment, trace));
  return ShowTrace(store, trace, stored, view, prices);
}

absl::StatusOr<std::string> GetTraceBytes(const TraceStore& store, const std::string& experiment,
                                          const TraceId& trace, v1::TraceView view,
                                          const PriceTable& prices) {
  ASSAY_ASSIGN_OR_RETURN(const StoredTrace stored, FindTrace(store, experiment, trace));
  std::string spans;
  ASSAY_ASSIGN_OR_RETURN(const v1::Trace head, Show(store, trace, stored, view, prices, &spans));
  const size_t head_bytes = head.ByteSizeLong();
  std::string response;
  response.reserve(head_bytes + spans.size() + 16);
  otlp::AppendBytesHeader(v1::GetTraceResponse::kTraceFieldNumber, head_bytes + spans.size(),
                          &response);
  head.AppendToString(&response);
  return response.append(spans);
}

}  // namespace assay::trace
