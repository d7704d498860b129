// Traces in a store on files in memory, to search in.
#ifndef ASSAY_SERVICES_TRACE_TESTING_SEARCH_FIXTURE_H_
#define ASSAY_SERVICES_TRACE_TESTING_SEARCH_FIXTURE_H_

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/clock/fake_clock.h"
#include "common/exec/executor.h"
#include "common/status/status_matchers.h"
#include "services/trace/core/ingestor.h"
#include "services/trace/core/search/match_walk.h"
#include "services/trace/core/search/trace_search.h"
#include "services/trace/core/trace_fields.h"
#include "services/trace/testing/memory_trace_store.h"
#include "services/trace/testing/otlp_requests.h"

namespace assay::trace {

class SearchTest : public testing::Test {
 protected:
  static TraceId Id(uint32_t number) {
    std::string bytes(TraceId::kSize, '\x11');
    for (int i = 0; i < 4; ++i) bytes[15 - i] = static_cast<char>(number >> (8 * i));
    return *TraceId::FromBytes(bytes);
  }
  static uint32_t NumberOf(const TraceId& id) {
    uint32_t number = 0;
    for (const char byte : id.bytes().substr(12)) number = number << 8 | static_cast<uint8_t>(byte);
    return number;
  }
  static OtlpSpan* Span(OtlpResourceSpans* resource, uint32_t trace, uint8_t span, uint8_t parent,
                        uint64_t start_seconds) {
    OtlpSpan* added = AddSpan(resource, 1, span, parent, start_seconds);
    added->set_trace_id(std::string(Id(trace).bytes()));
    return added;
  }
  static void SetInt(OtlpSpan* span, std::string_view key, int64_t value) {
    auto* attribute = span->add_attributes();
    attribute->set_key(std::string(key));
    attribute->mutable_value()->set_int_value(value);
  }
  void Export(const ExportRequest& request) {
    ingestor_.Export({.body = request.SerializeAsString()},
                     [](absl::StatusOr<IngestResult> result) { EXPECT_OK(result); });
    executor_.RunAll();
  }

  // Any trace, of one to four spans that arrive in one or two requests. Few different values, so
  // that filters find some.
  void ExportRandom(uint32_t trace, std::mt19937& random) {
    const auto any = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
    const uint64_t start = 100 + any(50);
    ExportRequest requests[2];
    OtlpResourceSpans* resources[] = {AddResource(&requests[0], "e"),
                                      AddResource(&requests[1], "e")};
    const uint32_t spans = 1 + any(4);
    const bool missing_root = any(8) == 0;
    for (uint32_t i = 0; i < spans; ++i) {
      OtlpSpan* span = Span(resources[any(2)], trace, static_cast<uint8_t>(i + 1),
                            i == 0 && !missing_root ? 0 : 9, start + (i == 0 ? 0 : any(3) - 1));
      span->set_name(std::string(1, static_cast<char>('a' + any(4))));
      span->set_end_time_unix_nano(span->start_time_unix_nano() + any(5) * 500'000'000);
      if (any(3) == 0) SetText(span, "session.id", "s" + std::to_string(any(5)));
      if (any(3) == 0) SetText(span, "user.id", "u" + std::to_string(any(3)));
      if (any(2) == 0) SetText(span, "topic", any(2) == 0 ? "red" : "green");
      if (any(2) == 0) SetInt(span, "topic.n", any(4));
      if (any(3) == 0) SetText(span, "tag.tags", "[\"t1\"]");
      if (any(2) == 0) {
        SetText(span, "assay.span_type", any(2) == 0 ? "LLM" : "TOOL");
        SetText(span, "gen_ai.response.model", any(2) == 0 ? "big" : "small");
        SetText(span, "gen_ai.provider.name", start % 3 == 0 ? "OpenAI" : "anthropic");
        SetInt(span, "gen_ai.usage.input_tokens", any(100));
        SetInt(span, "gen_ai.usage.output_tokens", any(100));
      }
      if (any(5) == 0) {
        span->mutable_status()->set_code(
            opentelemetry::proto::trace::v1::Status::STATUS_CODE_ERROR);
      }
    }
    if (any(12) == 0) {  // More names than are indexed.
      for (uint8_t i = 0; i < 90; ++i) {
        Span(resources[0], trace, static_cast<uint8_t>(100 + i), 1, start + 1)
            ->set_name("step " + std::to_string(any(100)));
      }
    }
    for (const ExportRequest& request : requests) {
      if (request.resource_spans(0).scope_spans(0).spans_size() > 0) Export(request);
    }
    traces_.push_back(Id(trace));
  }

  static std::string RandomFilter(std::mt19937& random, int depth = 0) {
    static const char* const kTerms[] = {"session = \"s1\"",
                                         "session = \"s2\"",
                                         "user = \"u0\"",
                                         "user != \"u0\"",
                                         "root_span_name = \"a\"",
                                         "root_span_name = \"b*\"",
                                         "span.name = \"a\"",
                                         "span.name = \"b\"",
                                         "span.name != \"c\"",
                                         "span.name = \"step 7\"",
                                         "span.type = LLM",
                                         "span.type = TOOL",
                                         "span.status = ERROR",
                                         "span.status = UNSPECIFIED",
                                         "model = \"big\"",
                                         "span.model = \"small\"",
                                         "provider = \"openai\"",
                                         "provider != \"openai\"",
                                         "span.provider = \"anthropic\"",
                                         "attributes.topic = \"red\"",
                                         "span.attributes.topic = \"green\"",
                                         "span.attributes.topic.n = 2",
                                         "span.attributes.topic.n > 1",
                                         "attributes.topic.n = 3",
                                         "attributes.service.name : *",
                                         "error_span_count > 0",
                                         "span_count >= 3",
                                         "duration < 2s",
                                         "start_time >= \"1970-01-01T00:02:00Z\"",
                                         "start_time < \"1970-01-01T00:02:10Z\"",
                                         "end_time > \"1970-01-01T00:02:05Z\"",
                                         "usage.total_tokens > 60",
                                         "usage.input_tokens : *",
                                         "text : \"RED\"",
                                         "text : \"step 1\"",
                                         "size_bytes > 200"};
    const auto any = [&](size_t n) { return static_cast<size_t>(random() % n); };
    if (depth >= 3 || any(3) == 0) {
      return (any(6) == 0 ? "NOT " : "") + std::string(kTerms[any(std::size(kTerms))]);
    }
    const std::string joint = any(3) == 0 ? " OR " : " AND ";
    std::string text;
    for (size_t i = 0, count = 2 + any(2); i < count; ++i) {
      if (i > 0) text += joint;
      std::string part = RandomFilter(random, depth + 1);
      const bool simple =
          part.find(" AND ") == std::string::npos && part.find(" OR ") == std::string::npos;
      text += simple ? part : "(" + part + ")";
    }
    return text;
  }

  // The traces that match, the latest first, found by looking at every one.
  std::vector<TracePosition> BruteForce(const filter::Filter& filter) {
    const TraceMatcher matcher(filter);
    std::vector<TracePosition> found;
    for (const TraceId& id : traces_) {
      const std::optional<StoredTrace> stored = *store_->GetTrace(id);
      if (!stored.has_value()) continue;
      const absl::StatusOr<bool> matches = matcher.Matches(store_, id, *stored);
      EXPECT_OK(matches);
      if (*matches) found.push_back({stored->facts.start_unix_nano(), id});
    }
    std::sort(found.begin(), found.end(),
              [](const auto& a, const auto& b) { return ComesBefore(a, b, true); });
    return found;
  }
  std::vector<uint32_t> BruteForceNumbers(const filter::Filter& filter) {
    std::vector<uint32_t> numbers;
    for (const TracePosition& position : BruteForce(filter)) {
      numbers.push_back(NumberOf(position.trace));
    }
    return numbers;
  }

  static filter::Filter Parse(std::string_view text) {
    return filter::ParseFilter(text, TraceFieldSchema()).value();
  }
  static uint32_t NumberOf(const v1::Trace& trace) {
    return NumberOf(*TraceId::FromHex(trace.name().substr(trace.name().size() - 32)));
  }
  absl::StatusOr<SearchPage> Page(const SearchRequest& request) {
    return SearchTraces(sources_, request, options_, [] { return absl::OkStatus(); });
  }
  // All pages; `between` is called after each.
  std::vector<uint32_t> Find(
      SearchRequest request, const std::function<void()>& between = [] {}) {
    request.experiment = "e";
    std::vector<uint32_t> found;
    pages_ = 0;
    do {
      absl::StatusOr<SearchPage> page = Page(request);
      EXPECT_OK(page);
      if (!page.ok()) break;
      for (const v1::Trace& trace : page->traces) found.push_back(NumberOf(trace));
      last_stats_ = page->stats;
      request.cursor = page->next;
      if (request.cursor.has_value()) {
        request.cursor = *DecodeCursor(EncodeCursor(*request.cursor), request.order);
      }
      between();
    } while (request.cursor.has_value() && ++pages_ < 1000);
    EXPECT_LT(pages_, 1000);
    return found;
  }
  std::vector<uint32_t> Find(std::string_view filter) { return Find({.filter = Parse(filter)}); }

  FakeClock clock_;
  ManualExecutor executor_;
  InMemoryTraceStore store_{executor_, clock_};
  Ingestor ingestor_{store_, executor_, {.indexed_attributes = {"topic", "topic.n"}}, nullptr};
  const TraceIndex& index_ = store_.index();
  IndexedAttributes attributes_{std::vector<std::string>{"topic", "topic.n"}};
  SearchSources sources_{store_, index_, clock_, attributes_, PriceTable::BuiltIn()};
  SearchOptions options_;
  std::vector<TraceId> traces_;
  int pages_ = 0;
  WalkStats last_stats_;
};

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_TESTING_SEARCH_FIXTURE_H_
