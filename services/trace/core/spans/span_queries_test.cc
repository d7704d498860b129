#include "services/trace/core/spans/span_queries.h"

#include <optional>
#include <string>
#include <vector>

#include "common/status/errors.h"
#include "google/protobuf/util/message_differencer.h"
#include "services/trace/core/spans/span_page.h"
#include "services/trace/testing/large_trace_fixture.h"

namespace assay::trace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SpanQueriesTest : public LargeTraceTest {
 protected:
  static v1::ListSpansRequest Request(int page_size, const std::string& order = "",
                                      const std::string& filter = "") {
    v1::ListSpansRequest request;
    request.set_parent(TraceName(1));
    request.set_page_size(page_size);
    request.set_order_by(order);
    request.set_filter(filter);
    return request;
  }
  absl::StatusOr<v1::ListSpansResponse> List(const v1::ListSpansRequest& request) {
    std::optional<absl::StatusOr<v1::ListSpansResponse>> answer;
    queries_.List(context_, request, [&](auto response) { answer = std::move(response); });
    EXPECT_FALSE(answer.has_value()) << "answered inline";
    executor_.RunAll();
    return *answer;
  }
  // The numbers of all spans, page by page.
  std::vector<uint64_t> All(v1::ListSpansRequest request, int* pages = nullptr) {
    std::vector<uint64_t> numbers;
    do {
      absl::StatusOr<v1::ListSpansResponse> page = List(request);
      EXPECT_OK(page);
      if (!page.ok()) break;
      for (const v1::Span& span : page->spans()) {
        numbers.push_back(std::stoull(span.span_id(), nullptr, 16));
      }
      if (pages != nullptr) ++*pages;
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return numbers;
  }
  static std::vector<uint64_t> Range(uint64_t first, uint64_t last) {
    std::vector<uint64_t> numbers;
    for (uint64_t number = first; number <= last; ++number) numbers.push_back(number);
    return numbers;
  }

  CallContext context_;
  SpanQueries queries_{store_.store(), executor_, clock_};
};

TEST_F(SpanQueriesTest, PagesCoverEverySpanOnceInBothDirections) {
  Export(1, 501, 1000);
  Export(1, 1, 500);
  for (const int page_size : {7, 100, 1000}) {
    EXPECT_EQ(All(Request(page_size)), Range(1, 1000));
    std::vector<uint64_t> down = All(Request(page_size, "start_time desc"));
    std::reverse(down.begin(), down.end());
    EXPECT_EQ(down, Range(1, 1000));
  }
  absl::StatusOr<v1::ListSpansResponse> page = List(Request(10));
  EXPECT_EQ(page->total_count(), 1000);
  EXPECT_EQ(page->spans_size(), 10);
  EXPECT_EQ(List(Request(1000))->next_page_token(), "");
}

TEST_F(SpanQueriesTest, ShowsTheLastCopyOfASpanThatWasSentAgain) {
  Export(1, 1, 20, "first");
  Export(1, 5, 8, "second");
  Export(1, 5, 8, "third");
  // One that also moved.
  ExportRequest moved;
  OtlpSpan* span = AddSpan(AddResource(&moved, "e"), 1, 12, 1);
  span->set_span_id(std::string(NumberedSpan(12).bytes()));
  span->set_name("moved");
  span->set_start_time_unix_nano(50'000);
  Export(moved);
  for (const int page_size : {1, 3, 100}) {
    std::vector<uint64_t> expected = Range(1, 20);
    std::erase(expected, 12);
    expected.push_back(12);
    EXPECT_EQ(All(Request(page_size)), expected) << page_size;
  }
  absl::StatusOr<v1::ListSpansResponse> page = List(Request(100));
  EXPECT_EQ(page->total_count(), 20);
  EXPECT_EQ(page->spans(4).span_name(), "third");
  EXPECT_EQ(page->spans(8).span_name(), "first");
  EXPECT_EQ(page->spans(19).span_name(), "moved");
}

TEST_F(SpanQueriesTest, TokensStayGoodWhileSpansArrive) {
  Export(1, 100, 110);
  v1::ListSpansRequest request = Request(5);
  request.set_page_token(List(request)->next_page_token());
  Export(1, 1, 50);
  Export(1, 200, 201);
  EXPECT_EQ(All(request), (std::vector<uint64_t>{105, 106, 107, 108, 109, 110, 200, 201}));
}

TEST_F(SpanQueriesTest, PagesAreBoundedInBytesButHoldOneSpan) {
  Export(1, 1, 4, "big", size_t{1} << 20);
  Export(1, 5, 5, "huge", size_t{6} << 20);
  Export(1, 6, 7, "small");
  int pages = 0;
  EXPECT_EQ(All(Request(100), &pages), Range(1, 7));
  EXPECT_EQ(pages, 4);  // 1-2, 3-4, 5, 6-7.
}

TEST_F(SpanQueriesTest, FiltersByWhatASpanSays) {
  Export(1, 1, 40, "a");
  Export(1, 41, 60, "b");
  EXPECT_EQ(All(Request(7, "", "name = \"b\"")), Range(41, 60));
  EXPECT_THAT(All(Request(7, "", "span_id = \"0000000000000005\"")), ElementsAre(5));
  EXPECT_THAT(All(Request(50, "", "NOT parent_span_id = \"0000000000000001\"")), ElementsAre(1));
  EXPECT_EQ(All(Request(50, "", "start_time >= \"1970-01-01T00:00:00.000058Z\"")), Range(58, 60));
  EXPECT_THAT(All(Request(50, "", "duration > 1ms")), IsEmpty());
  EXPECT_THAT(All(Request(50, "", "attributes.none = 1")), IsEmpty());
  EXPECT_EQ(List(Request(50, "", "name = \"b\""))->total_count(), 60);
  EXPECT_THAT(List(Request(50, "", "session = \"b\"")), HasReason("INVALID_FILTER"));
}

TEST_F(SpanQueriesTest, AFilterThatFindsNothingIsBoundedAndGoesOn) {
  Export(1, 1, 100, "a");
  Export(1, 101, 120, "b");
  SpanQueries hurried(store_.store(), executor_, clock_, {.max_time = absl::ZeroDuration()});
  v1::ListSpansRequest request = Request(10, "", "name = \"b\"");
  int pages = 0;
  int found = 0;
  do {
    std::optional<absl::StatusOr<v1::ListSpansResponse>> answer;
    hurried.List(context_, request, [&](auto response) { answer = std::move(response); });
    executor_.RunAll();
    ASSERT_OK(*answer);
    found += (*answer)->spans_size();
    request.set_page_token((*answer)->next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_EQ(found, 20);
  EXPECT_GE(pages, 120);
}

TEST_F(SpanQueriesTest, RefusesBadRequests) {
  Export(1, 1, 10);
  v1::ListSpansRequest request = Request(5);
  const std::string token = List(request)->next_page_token();
  request.set_order_by("start_time desc");
  request.set_page_token(token);
  EXPECT_THAT(List(request), HasReason("INVALID_PAGE_TOKEN"));
  request = Request(5);
  request.set_page_token("nonsense");
  EXPECT_THAT(List(request), HasReason("INVALID_PAGE_TOKEN"));
  EXPECT_THAT(List(Request(-1)), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(List(Request(5, "name asc")), StatusIs(absl::StatusCode::kInvalidArgument));
  request = Request(5);
  request.set_parent("experiments/other/traces/" + TestTrace(1).Hex());
  EXPECT_THAT(List(request), HasReason("RESOURCE_NOT_FOUND"));
  request.set_parent("experiments/-/traces/" + TestTrace(1).Hex());
  EXPECT_EQ(List(request)->spans_size(), 5);
  request.set_parent("experiments/e");
  EXPECT_THAT(List(request), HasReason("INVALID_NAME"));
}

TEST_F(SpanQueriesTest, FullViewShowsTheFirstSpansAndSaysThatThereAreMore) {
  Export(1, 1001, 1500);
  Export(1, 1, 1000);
  absl::StatusOr<v1::Trace> trace =
      GetTrace(store_.store(), "e", TestTrace(1), v1::TRACE_VIEW_FULL);
  ASSERT_OK(trace);
  EXPECT_EQ(trace->spans_size(), 1000);
  EXPECT_TRUE(trace->spans_truncated());
  EXPECT_EQ(trace->spans(999).span_id(), NumberedSpan(1000).Hex());
  Export(2, 1, 1000);
  trace = GetTrace(store_.store(), "e", TestTrace(2), v1::TRACE_VIEW_FULL);
  EXPECT_EQ(trace->spans_size(), 1000);
  EXPECT_FALSE(trace->spans_truncated());
}

TEST_F(SpanQueriesTest, FullViewIsTheSameAsBytesAndAsPages) {
  Export(1, 6, 12, "first");
  Export(1, 1, 8, "second");
  Export(1, 3, 4, "third");
  absl::StatusOr<v1::Trace> trace =
      GetTrace(store_.store(), "e", TestTrace(1), v1::TRACE_VIEW_FULL);
  ASSERT_OK(trace);
  absl::StatusOr<std::string> bytes =
      GetTraceBytes(store_.store(), "e", TestTrace(1), v1::TRACE_VIEW_FULL);
  ASSERT_OK(bytes);
  v1::GetTraceResponse response;
  ASSERT_TRUE(response.ParseFromString(*bytes));
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(response.trace(), *trace));
  absl::StatusOr<v1::ListSpansResponse> page = List(Request(1000));
  ASSERT_OK(page);
  ASSERT_EQ(page->spans_size(), 12);
  ASSERT_EQ(trace->spans_size(), 12);
  for (int i = 0; i < 12; ++i) {
    EXPECT_TRUE(
        google::protobuf::util::MessageDifferencer::Equals(page->spans(i), trace->spans(i)));
  }
}

TEST_F(SpanQueriesTest, FullViewEndsWhereClientsStopTakingMessages) {
  for (uint64_t first = 1; first <= 40; first += 10) {
    Export(1, first, first + 9, "step", size_t{99} << 10);
  }
  absl::StatusOr<v1::Trace> trace =
      GetTrace(store_.store(), "e", TestTrace(1), v1::TRACE_VIEW_FULL);
  ASSERT_OK(trace);
  EXPECT_TRUE(trace->spans_truncated());
  EXPECT_LT(trace->spans_size(), 40);
  absl::StatusOr<std::string> bytes =
      GetTraceBytes(store_.store(), "e", TestTrace(1), v1::TRACE_VIEW_FULL);
  ASSERT_OK(bytes);
  EXPECT_LE(bytes->size(), size_t{4} << 20);
  v1::GetTraceResponse response;
  ASSERT_TRUE(response.ParseFromString(*bytes));
  EXPECT_EQ(response.trace().spans_size(), trace->spans_size());
  EXPECT_TRUE(response.trace().spans_truncated());
}

TEST_F(SpanQueriesTest, PositionsReadBack) {
  const SpanPosition position{0x0102030405060708, NumberedSpan(7)};
  EXPECT_THAT(DecodeSpanPosition(EncodeSpanPosition(position)), IsOkAndHolds(position));
  EXPECT_THAT(DecodeSpanPosition("short"), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace assay::trace
