#include "services/trace/core/trace_queries.h"

#include <optional>
#include <string>
#include <vector>

#include "common/clock/fake_clock.h"
#include "common/clock/fake_timer.h"
#include "common/exec/executor.h"
#include "common/read_token/read_token.h"
#include "common/status/status_matchers.h"
#include "services/trace/core/ingestor.h"
#include "services/trace/core/trace_view.h"
#include "services/trace/testing/complete_trace.h"
#include "services/trace/testing/memory_trace_store.h"
#include "services/trace/testing/otlp_requests.h"

namespace assay::trace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class TraceQueriesTest : public testing::Test {
 protected:
  void Export(const ExportRequest& request) {
    ingestor_.Export({.body = request.SerializeAsString()},
                     [](absl::StatusOr<IngestResult> result) { EXPECT_OK(result); });
    executor_.RunAll();
  }
  void Complete(uint8_t trace) {
    CompleteTraceOf(store_.db(), TestTrace(trace), "e");
    executor_.RunAll();
  }
  // A complete trace that starts at `start` seconds, with inputs and outputs.
  void ExportTrace(uint8_t trace, uint64_t start, std::string_view inputs = "{}") {
    ExportRequest request;
    OtlpSpan* span = AddSpan(AddResource(&request, "e"), trace, 1, 0, start);
    SetText(span, "assay.inputs", inputs);
    SetText(span, "gen_ai.request.model", trace % 2 == 0 ? "big" : "small");
    SetText(span, "session.id", "s" + std::to_string(trace));
    Export(request);
    Complete(trace);
  }
  void Assess(uint8_t trace, const std::string& id, const std::string& name,
              common::v1::SourceKind source, const std::string& value, bool expectation = false,
              bool valid = true) {
    v1::ApplyAssessmentsRequest request;
    request.set_feedback_store("fb");
    v1::AssessmentChange* change = request.add_changes();
    change->set_sequence(++sequence_);
    change->set_trace("experiments/e/traces/" + TestTrace(trace).Hex());
    change->set_valid(valid);
    v1::AssessmentDigest* digest = change->mutable_digest();
    digest->set_assessment("experiments/e/assessments/" + id);
    digest->set_assessment_name(name);
    digest->mutable_source()->set_kind(source);
    digest->mutable_source()->set_id("somebody");
    digest->set_expectation(expectation);
    digest->mutable_value()->set_json_text(value);
    projection_.Apply(request, [](auto response) { EXPECT_OK(response); });
    executor_.RunAll();
  }

  absl::StatusOr<v1::SearchTracesResponse> Search(const v1::SearchTracesRequest& request) {
    std::optional<absl::StatusOr<v1::SearchTracesResponse>> answer;
    queries_.Search(context_, request, [&](auto response) { answer = std::move(response); });
    EXPECT_FALSE(answer.has_value()) << "answered inline";
    executor_.RunAll();
    return answer.value_or(absl::DeadlineExceededError("still waiting"));
  }
  static v1::SearchTracesRequest Query(const std::string& filter) {
    v1::SearchTracesRequest request;
    request.set_parent("experiments/e");
    request.set_filter(filter);
    return request;
  }
  // The numbers of the traces found.
  std::vector<int> Find(const std::string& filter) {
    absl::StatusOr<v1::SearchTracesResponse> response = Search(Query(filter));
    EXPECT_OK(response);
    return response.ok() ? Numbers(*response) : std::vector<int>{-1};
  }
  static std::vector<int> Numbers(const v1::SearchTracesResponse& response) {
    std::vector<int> numbers;
    for (const v1::Trace& trace : response.traces()) {
      numbers.push_back(std::stoi(trace.name().substr(trace.name().size() - 2), nullptr, 16));
    }
    return numbers;
  }
  absl::StatusOr<v1::Trace> Get(const std::string& name,
                                v1::TraceView view = v1::TRACE_VIEW_BASIC) {
    v1::GetTraceRequest request;
    request.set_name(name);
    request.set_view(view);
    const absl::StatusOr<std::string> answer = queries_.Get(request);
    if (!answer.ok()) return answer.status();
    v1::GetTraceResponse response;
    if (!response.ParseFromString(*answer)) return absl::DataLossError("the answer is no message");
    return response.trace();
  }
  absl::Status Preregister(const v1::PreregisterTracesRequest& request) {
    absl::Status answer;
    queries_.Preregister(context_, request, [&](auto response) { answer = response.status(); });
    executor_.RunAll();
    return answer;
  }

  FakeClock clock_;
  FakeTimerQueue timers_{&clock_};
  ManualExecutor executor_;
  InMemoryTraceStore store_{executor_, clock_};
  Ingestor ingestor_{store_, executor_, {}, nullptr};
  Projection projection_{store_, executor_, timers_, clock_};
  const TraceIndex& index_ = store_.index();
  TraceQueries queries_{
      store_, index_, projection_, executor_, clock_, {.search = {.max_scanned = 6}}, nullptr};
  CallContext context_;
  int64_t sequence_ = 0;
};

TEST_F(TraceQueriesTest, ShowsATraceWithItsSpans) {
  ExportRequest request;
  OtlpResourceSpans* resource = AddResource(&request, "e");
  OtlpSpan* root = AddSpan(resource, 1, 1, 0, 100);
  SetText(root, "mlflow.spanInputs", R"({"q": 1})");
  SetText(root, "mlflow.spanOutputs", "fine");
  OtlpSpan* child = AddSpan(resource, 1, 2, 1, 101);
  child->mutable_status()->set_code(opentelemetry::proto::trace::v1::Status::STATUS_CODE_ERROR);
  child->set_end_time_unix_nano(5);
  Export(request);
  Complete(1);
  const std::string name = "experiments/e/traces/" + TestTrace(1).Hex();
  absl::StatusOr<v1::Trace> trace = Get(name, v1::TRACE_VIEW_FULL);
  ASSERT_OK(trace);
  EXPECT_EQ(trace->name(), name);
  EXPECT_EQ(trace->state(), v1::TRACE_STATE_OK);
  EXPECT_EQ(trace->root_span_name(), "span-1");
  EXPECT_EQ(trace->inputs().json_text(), R"({"q": 1})");
  EXPECT_EQ(trace->outputs().json_text(), "\"fine\"");
  EXPECT_EQ(trace->span_count(), 2);
  EXPECT_EQ(trace->start_time().seconds(), 100);
  EXPECT_EQ(trace->duration().seconds(), 1);
  ASSERT_EQ(trace->spans_size(), 2);
  EXPECT_EQ(trace->spans(1).parent_span_id(), TestSpan(1).Hex());
  EXPECT_TRUE(trace->spans(1).error());
  EXPECT_TRUE(trace->spans(1).ends_before_start());
  EXPECT_EQ(trace->spans(0).resource_attributes().at("service.name").json_text(), "\"support\"");
  EXPECT_EQ(trace->spans(0).attributes().at("mlflow.spanOutputs").json_text(), "\"fine\"");

  trace = Get("experiments/-/traces/" + TestTrace(1).Hex());
  ASSERT_OK(trace);
  EXPECT_EQ(trace->name(), name);
  EXPECT_EQ(trace->spans_size(), 0);
}

TEST_F(TraceQueriesTest, ShowsTheLastCopyOfASpan) {
  ExportTrace(1, 100, "\"first\"");
  ExportTrace(1, 100, "\"second\"");
  absl::StatusOr<v1::Trace> trace =
      Get("experiments/e/traces/" + TestTrace(1).Hex(), v1::TRACE_VIEW_FULL);
  ASSERT_OK(trace);
  EXPECT_EQ(trace->inputs().json_text(), "\"second\"");
  EXPECT_EQ(trace->span_count(), 1);
  ASSERT_EQ(trace->spans_size(), 1);
  EXPECT_EQ(trace->spans(0).attributes().at("assay.inputs").json_text(), R"("\"second\"")");
}

TEST_F(TraceQueriesTest, CutsVeryManySpans) {
  ExportRequest request;
  OtlpResourceSpans* resource = AddResource(&request, "e");
  for (int i = 0; i < 1010; ++i) {
    std::string id(8, '\x01');
    id[6] = static_cast<char>(i / 256);
    id[7] = static_cast<char>(i % 256);
    AddSpan(resource, 1, 1, 9, static_cast<uint64_t>(2000 - i))->set_span_id(id);
  }
  Export(request);
  absl::StatusOr<v1::Trace> trace =
      Get("experiments/e/traces/" + TestTrace(1).Hex(), v1::TRACE_VIEW_FULL);
  ASSERT_OK(trace);
  EXPECT_EQ(trace->state(), v1::TRACE_STATE_IN_PROGRESS);
  EXPECT_EQ(trace->span_count(), 1010);
  EXPECT_EQ(trace->spans_size(), 1000);
  EXPECT_TRUE(trace->spans_truncated());
  EXPECT_EQ(trace->spans(0).start_time().seconds(), 991);
}

TEST_F(TraceQueriesTest, SaysWhatItDoesNotShowWhole) {
  ExportRequest request;
  OtlpSpan* root = AddSpan(AddResource(&request, "e"), 1, 1, 0, 100);
  SetText(root, "user.id", "u");
  SetText(root, "session.id", std::string(251, 's'));
  for (int i = 0; i < 51; ++i) SetText(root, "assay.metadata.k" + std::to_string(i), "v");
  SetText(root, "assay.inputs", "\"" + std::string(300 << 10, 'x') + "\"");
  Export(request);
  const std::string name = "experiments/e/traces/" + TestTrace(1).Hex();
  EXPECT_THAT(Get(name)->truncated_parts(),
              ElementsAre(v1::TRACE_PART_METADATA, v1::TRACE_PART_SESSION));
  const v1::Trace listed = Search(Query(""))->traces(0);
  EXPECT_FALSE(listed.has_inputs());
  EXPECT_THAT(listed.truncated_parts(),
              ElementsAre(v1::TRACE_PART_METADATA, v1::TRACE_PART_SESSION, v1::TRACE_PART_INPUTS));
  ExportTrace(2, 200);
  EXPECT_THAT(Get("experiments/e/traces/" + TestTrace(2).Hex())->truncated_parts(), IsEmpty());
  for (size_t i = 0; i < kMaxAssessmentsShown; ++i) {
    Assess(2, "a" + std::to_string(i), "quality", common::v1::SOURCE_KIND_HUMAN, "1");
  }
  EXPECT_THAT(Get("experiments/e/traces/" + TestTrace(2).Hex())->truncated_parts(), IsEmpty());
  Assess(2, "more", "quality", common::v1::SOURCE_KIND_HUMAN, "1");
  const v1::Trace assessed = *Get("experiments/e/traces/" + TestTrace(2).Hex());
  EXPECT_EQ(assessed.assessments_size(), static_cast<int>(kMaxAssessmentsShown));
  EXPECT_THAT(assessed.truncated_parts(), ElementsAre(v1::TRACE_PART_ASSESSMENTS));
}

TEST_F(TraceQueriesTest, ListsTheModelsOfATraceWithVeryManyTools) {
  ExportRequest request;
  OtlpResourceSpans* resource = AddResource(&request, "e");
  const std::string arn =
      "arn:aws:bedrock:us-east-1:123456789012:inference-profile/" + std::string(60, 'm');
  for (int i = 0; i < 200; ++i) {
    OtlpSpan* span = AddSpan(resource, 1, static_cast<uint8_t>(i + 1), 0, 100);
    SetText(span, "gen_ai.tool.name", "tool " + std::to_string(i));
    if (i == 180) SetText(span, "gen_ai.request.model", "one");
    if (i == 190) SetText(span, "gen_ai.request.model", arn);
  }
  Export(request);
  const v1::Trace trace = *Get("experiments/e/traces/" + TestTrace(1).Hex());
  EXPECT_THAT(trace.models(), ElementsAre(arn, "one"));
  EXPECT_THAT(trace.truncated_parts(), IsEmpty());
}

TEST_F(TraceQueriesTest, ListsTheModelsOfTracesFromBeforeTheyWereKeptApart) {
  TraceFacts old;
  old.add_terms(MakeTerm("model", "b"));
  old.add_terms(MakeTerm("model", "c" + std::string(47, 'd') + "hash of all of it"));
  StoredTrace stored{.binding = {"e", ""}, .facts = old};
  stored.facts.set_schema_version(1);
  stored.facts.set_span_ids("12345678");
  const auto show = [&] { return *ShowTrace(store_, TestTrace(1), stored, v1::TRACE_VIEW_BASIC); };
  EXPECT_THAT(show().models(), ElementsAre("b", "c" + std::string(47, 'd')));
  EXPECT_THAT(show().truncated_parts(), ElementsAre(v1::TRACE_PART_MODELS));
  // Spans that come later say their models apart.
  stored.facts.mutable_terms()->RemoveLast();
  stored.facts.add_models("a");
  EXPECT_THAT(show().models(), ElementsAre("a", "b"));
  EXPECT_THAT(show().truncated_parts(), IsEmpty());
  stored.facts.clear_models();
  stored.facts.add_overflowed_fields("model");
  EXPECT_THAT(show().truncated_parts(), ElementsAre(v1::TRACE_PART_MODELS));
}

TEST_F(TraceQueriesTest, KnowsNoTraceOfAnotherExperimentOrABadName) {
  ExportTrace(1, 100);
  EXPECT_THAT(Get("experiments/e/traces/" + TestTrace(2).Hex()),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(Get("experiments/other/traces/" + TestTrace(1).Hex()),
              StatusIs(absl::StatusCode::kNotFound));
  for (const char* bad : {"", "traces/x", "experiments/e/traces/XYZ", "experiments/-/traces/"}) {
    EXPECT_THAT(Get(bad), HasFieldViolation("name"));
  }
}

TEST_F(TraceQueriesTest, FindsByEachField) {
  ExportTrace(1, 100);
  ExportTrace(2, 200);
  ExportTrace(3, 300);
  EXPECT_THAT(Find(""), ElementsAre(3, 2, 1));
  EXPECT_THAT(Find("trace_id = \"" + TestTrace(2).Hex() + "\""), ElementsAre(2));
  EXPECT_THAT(Find("state = OK"), ElementsAre(3, 2, 1));
  EXPECT_THAT(Find("state != OK"), IsEmpty());
  EXPECT_THAT(Find("root_span_name = \"span-*\""), ElementsAre(3, 2, 1));
  EXPECT_THAT(Find("start_time >= \"1970-01-01T00:03:20Z\""), ElementsAre(3, 2));
  EXPECT_THAT(Find("duration < 2s AND session = \"s1\""), ElementsAre(1));
  EXPECT_THAT(Find("user : *"), IsEmpty());
  EXPECT_THAT(Find("attributes.gen_ai.request.model = \"big\""), ElementsAre(2));
  EXPECT_THAT(Find("NOT attributes.gen_ai.request.model = \"big\""), ElementsAre(3, 1));
}

TEST_F(TraceQueriesTest, FindsByAssessments) {
  for (uint8_t i = 1; i <= 4; ++i) ExportTrace(i, 100 * i);
  using common::v1::SOURCE_KIND_HUMAN;
  using common::v1::SOURCE_KIND_LLM_JUDGE;
  Assess(1, "a1", "quality", SOURCE_KIND_HUMAN, "\"poor\"");
  Assess(1, "a2", "quality", SOURCE_KIND_LLM_JUDGE, "\"good\"");
  Assess(2, "a3", "quality", SOURCE_KIND_LLM_JUDGE, "\"poor\"");
  Assess(3, "a4", "score", SOURCE_KIND_HUMAN, "0.75");
  Assess(3, "a5", "quality", SOURCE_KIND_HUMAN, "\"poor\"", /*expectation=*/true);
  EXPECT_THAT(Find("feedback.quality = \"poor\""), ElementsAre(2, 1));
  EXPECT_THAT(Find("feedback.quality = \"poor\" AND feedback.quality.source = HUMAN"),
              ElementsAre(1));
  EXPECT_THAT(Find("feedback.quality = \"good\" AND feedback.quality.source = HUMAN"), IsEmpty());
  EXPECT_THAT(Find("feedback.quality.source_id = \"somebody\" AND state = OK"), ElementsAre(2, 1));
  EXPECT_THAT(Find("feedback.score > 0.7"), ElementsAre(3));
  EXPECT_THAT(Find("expectation.quality = \"poor\""), ElementsAre(3));
  EXPECT_THAT(Find("NOT feedback.quality : *"), ElementsAre(4, 3));
  EXPECT_THAT(Find("feedback.quality : * OR feedback.score : *"), ElementsAre(3, 2, 1));
  Assess(2, "a3", "quality", SOURCE_KIND_LLM_JUDGE, "\"poor\"", false, /*valid=*/false);
  EXPECT_THAT(Find("feedback.quality = \"poor\""), ElementsAre(1));
  // A changed name leaves the old one behind.
  Assess(1, "a1", "tone", SOURCE_KIND_HUMAN, "\"poor\"");
  EXPECT_THAT(Find("feedback.quality = \"poor\""), IsEmpty());
  EXPECT_THAT(Find("feedback.tone = \"poor\""), ElementsAre(1));
}

TEST_F(TraceQueriesTest, PagesInEitherOrderAndByTheIndexOfAssessments) {
  for (uint8_t i = 1; i <= 5; ++i) {
    ExportTrace(i, 100 * i);
    Assess(i, "a" + std::to_string(i), "quality", common::v1::SOURCE_KIND_CODE, "1");
  }
  for (const char* filter : {"", "feedback.quality = 1"}) {
    for (const char* order : {"", "start_time asc"}) {
      v1::SearchTracesRequest request = Query(filter);
      request.set_order_by(order);
      request.set_page_size(2);
      std::vector<int> found;
      int pages = 0;
      do {
        absl::StatusOr<v1::SearchTracesResponse> page = Search(request);
        ASSERT_OK(page);
        for (int number : Numbers(*page)) found.push_back(number);
        request.set_page_token(page->next_page_token());
        ++pages;
      } while (!request.page_token().empty() && pages < 10);
      EXPECT_EQ(pages, 3);
      if (*order == '\0') {
        EXPECT_THAT(found, ElementsAre(5, 4, 3, 2, 1));
      } else {
        EXPECT_THAT(found, ElementsAre(1, 2, 3, 4, 5));
      }
    }
  }
}

TEST_F(TraceQueriesTest, BoundsTheWorkOfAPage) {
  for (uint8_t i = 1; i <= 10; ++i) ExportTrace(i, 100 * i);
  v1::SearchTracesRequest request = Query("metadata.k = \"v\" OR session = \"s1\"");
  absl::StatusOr<v1::SearchTracesResponse> page = Search(request);
  ASSERT_OK(page);
  EXPECT_EQ(page->traces_size(), 0);
  EXPECT_EQ(page->scanned_count(), 6);
  EXPECT_TRUE(page->stats().bounded());
  EXPECT_EQ(page->stats().reached_time().seconds(), 500);
  EXPECT_EQ(page->stats().index(), "time");
  ASSERT_NE(page->next_page_token(), "");
  request.set_page_token(page->next_page_token());
  page = Search(request);
  ASSERT_OK(page);
  EXPECT_THAT(Numbers(*page), ElementsAre(1));
  EXPECT_EQ(page->next_page_token(), "");
}

TEST_F(TraceQueriesTest, ShowsATraceOnceThoughItsStartMovedBack) {
  ExportTrace(1, 200);
  ExportTrace(2, 150);
  ExportRequest earlier;
  AddSpan(AddResource(&earlier, "e"), 1, 2, 1, 100);
  Export(earlier);
  EXPECT_THAT(Find(""), ElementsAre(2, 1));
}

TEST_F(TraceQueriesTest, RefusesBadSearches) {
  EXPECT_THAT(Search(Query("state = OK AND nonsense = 3")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("column 16")));
  EXPECT_THAT(Search(Query("nonsense = 3")), HasReason("INVALID_FILTER"));
  v1::SearchTracesRequest request = Query("");
  request.set_parent("nowhere");
  EXPECT_THAT(Search(request), HasFieldViolation("parent"));
  request = Query("");
  request.set_page_size(-1);
  EXPECT_THAT(Search(request), HasFieldViolation("page_size"));
  request = Query("");
  request.set_order_by("colour");
  EXPECT_THAT(Search(request), HasFieldViolation("order_by"));
  request = Query("");
  request.set_read_token("???");
  EXPECT_THAT(Search(request), HasFieldViolation("read_token"));
  request = Query("");
  request.set_page_token("garbage");
  EXPECT_THAT(Search(request), HasReason("INVALID_PAGE_TOKEN"));
}

TEST_F(TraceQueriesTest, RefusesThePageTokenOfAnotherSearch) {
  for (uint8_t i = 1; i <= 3; ++i) ExportTrace(i, 100 * i);
  v1::SearchTracesRequest request = Query("");
  request.set_page_size(1);
  absl::StatusOr<v1::SearchTracesResponse> page = Search(request);
  ASSERT_OK(page);
  request.set_page_token(page->next_page_token());
  request.set_filter("state = OK");
  EXPECT_THAT(Search(request), HasReason("INVALID_PAGE_TOKEN"));
  request.clear_filter();
  request.set_order_by("start_time asc");
  EXPECT_THAT(Search(request), HasReason("INVALID_PAGE_TOKEN"));
}

TEST_F(TraceQueriesTest, ReadsItsCallersWrites) {
  ExportTrace(1, 100);
  v1::SearchTracesRequest request = Query("feedback.quality = 1");
  request.set_read_token(EncodeReadToken({"fb", 1}));
  context_.deadline = clock_.Now() + absl::Seconds(10);
  std::optional<absl::StatusOr<v1::SearchTracesResponse>> answer;
  queries_.Search(context_, request, [&](auto response) { answer = std::move(response); });
  executor_.RunAll();
  EXPECT_FALSE(answer.has_value());
  Assess(1, "a", "quality", common::v1::SOURCE_KIND_CODE, "1");
  ASSERT_TRUE(answer.has_value());
  ASSERT_OK(*answer);
  EXPECT_THAT(Numbers(**answer), ElementsAre(1));
}

TEST_F(TraceQueriesTest, BindsTracesInAdvance) {
  v1::PreregisterTracesRequest request;
  request.set_parent("experiments/evals");
  request.set_evaluation("experiments/evals/evaluations/run");
  request.add_trace_ids(TestTrace(1).Hex());
  request.set_request_id("r1");
  ASSERT_OK(Preregister(request));
  ASSERT_OK(Preregister(request));
  absl::StatusOr<v1::Trace> trace = Get("experiments/evals/traces/" + TestTrace(1).Hex());
  ASSERT_OK(trace);
  EXPECT_EQ(trace->state(), v1::TRACE_STATE_IN_PROGRESS);
  EXPECT_EQ(trace->span_count(), 0);

  ExportTrace(1, 100);  // Its spans say `e`.
  trace = Get("experiments/evals/traces/" + TestTrace(1).Hex());
  ASSERT_OK(trace);
  EXPECT_EQ(trace->evaluation(), "experiments/evals/evaluations/run");
  EXPECT_EQ(trace->span_count(), 1);
  EXPECT_THAT(Find(""), IsEmpty());

  request.set_request_id("r2");
  EXPECT_OK(Preregister(request)) << "bound to the very same";
  request.set_parent("experiments/other");
  request.clear_evaluation();
  request.set_request_id("r3");
  EXPECT_THAT(Preregister(request), StatusIs(absl::StatusCode::kAlreadyExists));
  request.set_request_id("r1");
  EXPECT_THAT(Preregister(request), HasReason("REQUEST_ID_REUSED"));
}

TEST_F(TraceQueriesTest, RefusesBadPreregistrations) {
  v1::PreregisterTracesRequest request;
  request.set_parent("experiments/e");
  EXPECT_THAT(Preregister(request), HasFieldViolation("trace_ids"));
  request.add_trace_ids(TestTrace(1).Hex());
  request.add_trace_ids(std::string(32, '0'));
  EXPECT_THAT(Preregister(request), HasFieldViolation("trace_ids[1]"));
  request.mutable_trace_ids()->RemoveLast();
  request.set_evaluation("experiments/other/evaluations/x");
  EXPECT_THAT(Preregister(request), HasFieldViolation("evaluation"));
  request.clear_evaluation();
  request.set_parent("experiments/Not OK");
  EXPECT_THAT(Preregister(request), HasFieldViolation("parent"));
}

}  // namespace
}  // namespace assay::trace
